"""What is drawn of the inside of a model."""

from robust_keras.findings import PicturesReport
from robust_keras.inside.features import features
from robust_keras.inside.filters import filters, saliency
from robust_keras.inside.kernel_activations import kernel_activations
from robust_keras.inside.subject import Subject
from robust_keras.inside.surface import surfaces


def pictures(subject: Subject) -> PicturesReport:
    """Filters, saliency, curves, feature histograms, loss surfaces: as far as there are any."""
    return PicturesReport(
        filters=filters(subject),
        saliency=tuple(saliency(subject)),
        curves=tuple(kernel_activations(subject)),
        features=features(subject),
        surfaces=tuple(surfaces(subject)),
    )
