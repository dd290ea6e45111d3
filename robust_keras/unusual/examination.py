"""Shows a model all kinds of unusual inputs that a config asks for, and reports on each."""

import dataclasses
import functools
import json
import zlib
from typing import Any

import numpy as np

from robust_keras.attackable import told
from robust_keras.engine.passes import in_passes
from robust_keras.findings import FoolingReport, SampleReport, UnusualReport
from robust_keras.serving.classifier import Classifier
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


def examine(
    classifier: Classifier,
    images: np.ndarray,
    labels: np.ndarray,
    config: Any,
    journal: Any,
    progress: Any,
) -> UnusualReport | None:
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
    """
    names = [name for name in config.unusual if name != "none"]
    if not names:
        return None
    subject = Subject(classifier, images, labels, batch_size=config.batch_size, seed=config.seed)
    content = zlib.crc32(subject.images.tobytes())
    found = []
    for name in names:
        kind = UNUSUAL[name](config)
        model = str(classifier.path), told(classifier, "pixels")
        key = "unusual inputs", model, content, repr(kind), config.seed
        with progress.part(name) as step:
            kept = journal.remember(key, functools.partial(_run, kind, subject, step))
        found.append(_read(json.loads(str(kept["result"]))))
    return UnusualReport(
        samples=tuple(part for part in found if isinstance(part, SampleReport)),
        fooling=tuple(
            _with_few_pictures(part) for part in found if isinstance(part, FoolingReport)
        ),
    )


def _run(kind, subject, step):
    """What came of one kind, as a journal takes it."""
    return {"result": json.dumps(in_passes(kind.run(subject, step), subject.classifier).plain())}


def _read(values):
    return (SampleReport if "strengths" in values else FoolingReport).from_plain(values)


def _with_few_pictures(part):
    images = [
        image if image.class_index < _KEPT else dataclasses.replace(image, pixels=None)
        for image in part.images
    ]
    return dataclasses.replace(part, images=images)
