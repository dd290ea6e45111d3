"""Shows a model all kinds of unusual inputs that a config asks for, and reports on each."""

import base64

from robust_keras.progress import StepProgress
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


def examine(classifier, images, labels, config):
    """What a classifier makes of unusual inputs.

    Args:
        classifier: a `serving.Classifier`.
        images: float32 array (images, height, width, channels) in [0, 1].
        labels: int array (images,).
        config: an `EvaluateConfig`: `unusual`, its settings, `batch_size` and `seed`.

    Returns:
        An `UnusualReport`, or None where nothing is asked for.

    Example:
        >>> examine(classifier, images, labels, config).fooling[0].above_half
        10
    """
    names = [name for name in config.unusual if name != "none"]
    if not names:
        return None
    subject = Subject(classifier, images, labels, batch_size=config.batch_size, seed=config.seed)
    samples, fooling = [], []
    for name in names:
        with StepProgress(f"{classifier.path} {name}") as progress:
            result = UNUSUAL[name](config).run(subject, progress)
        if hasattr(result, "strengths"):
            samples.append(_sample_report(result))
        else:
            fooling.append(_fooling_report(result))
    return UnusualReport(samples=samples, fooling=fooling)


def _sample_report(result):
    strengths = [StrengthReport(**vars(strength)) for strength in result.strengths]
    return SampleReport(**(vars(result) | {"strengths": strengths}))


def _fooling_report(result):
    images = [
        FoolingImageReport(
            class_index=image.class_index,
            confidence=image.confidence,
            accepted=image.accepted,
            iterations=image.iterations,
            shape=image.image.shape,
            pixels=_base64(image.image) if image.class_index < _KEPT else None,
        )
        for image in result.images
    ]
    return FoolingReport(**(vars(result) | {"images": images}))


def _base64(image):
    return base64.b64encode(image.tobytes()).decode("ascii")
