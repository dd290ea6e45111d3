"""Shows a model all kinds of unusual inputs that a config asks for, and reports on each."""

import base64
import dataclasses
import functools
import json
import zlib

import numpy as np

from robust_keras.engine.expectation import in_passes
from robust_keras.reporting import (
    FoolingImageReport,
    FoolingReport,
    SampleReport,
    StrengthReport,
    UnusualReport,
)
from robust_keras.unusual.cppn import CPPNEncoding
from robust_keras.unusual.direct_encoding import DirectEncoding
from robust_keras.unusual.fooling_gradient import GradientAscent
from robust_keras.unusual.map_elites import MapElites
from robust_keras.unusual.noisy_samples import NoisySamples
from robust_keras.unusual.nonsense_samples import NonsenseSamples
from robust_keras.unusual.subject import Subject

# Each takes an `EvaluateConfig`.
UNUSUAL = {
    "noisy": lambda config: NoisySamples(clip=config.unusual_clip),
    "nonsense": lambda config: NonsenseSamples(clip=config.unusual_clip),
    "fooling_gradient": lambda config: GradientAscent(
        steps=config.fooling_steps, decay=config.fooling_decay, start=config.fooling_start
    ),
    "fooling_direct": lambda config: MapElites(
        encoding=DirectEncoding(), generations=config.fooling_generations
    ),
    "fooling_cppn": lambda config: MapElites(
        encoding=CPPNEncoding(), generations=config.fooling_generations
    ),
}


# As many classes' images are kept in a report; thousands would make it too large to open.
_KEPT = 20


def examine(classifier, images, labels, config, journal, progress):
    """What a classifier makes of unusual inputs.

    Args:
        classifier: a `serving.Classifier`.
        images: float32 array (images, height, width, channels) in [0, 1].
        labels: int array (images,).
        config: an `EvaluateConfig`: `unusual`, its settings, `batch_size` and `seed`.
        journal: `Journal` or `Unrecorded`, which keeps what each kind came to.
        progress: `progress.RunProgress`.

    Returns:
        An `UnusualReport`, or None where nothing is asked for.

    Example:
        >>> found = examine(classifier, images, labels, config, Unrecorded(), RunProgress())
        >>> found.fooling[0].above_half
        10
    """
    names = [name for name in config.unusual if name != "none"]
    if not names:
        return None
    subject = Subject(classifier, images, labels, batch_size=config.batch_size, seed=config.seed)
    content = zlib.crc32(subject.images.tobytes())
    samples, fooling = [], []
    for name in names:
        kind = UNUSUAL[name](config)
        model = str(classifier.path), getattr(classifier, "pixels", "")
        key = "unusual", model, content, repr(kind), config.seed
        with progress.part(name) as step:
            kept = journal.remember(key, functools.partial(_run, kind, subject, step))
        values = json.loads(str(kept["result"]))
        if "strengths" in values:
            samples.append(_sample_report(values))
        else:
            fooling.append(_fooling_report(values))
    return UnusualReport(samples=samples, fooling=fooling)


def _run(kind, subject, step):
    """What came of one kind, as a journal takes it."""
    result = in_passes(kind.run(subject, step), subject.classifier)
    return {"result": json.dumps(dataclasses.asdict(result), default=_image)}


def _image(array):
    """An 8-bit image as plain values."""
    if not isinstance(array, np.ndarray):
        raise TypeError(f"no plain value: {array!r}")
    return {"shape": array.shape, "pixels": base64.b64encode(array.tobytes()).decode("ascii")}


def _sample_report(values):
    strengths = [StrengthReport(**strength) for strength in values["strengths"]]
    return SampleReport(**(values | {"strengths": strengths}))


def _fooling_report(values):
    return FoolingReport(**(values | {"images": [_fooling_image(v) for v in values["images"]]}))


def _fooling_image(values):
    image = values.pop("image")
    kept = image["pixels"] if values["class_index"] < _KEPT else None
    return FoolingImageReport(**values, shape=image["shape"], pixels=kept)
