"""Whether a model is right as often as it is sure: Guo et al., 2017, arXiv 1706.04599."""

import numpy as np
import scipy.special

from robust_keras.findings import CalibrationReport, ReliabilityBin, TemperatureError
from robust_keras.inside.subject import Subject

# The published number of bins.
BINS = 15
TEMPERATURES = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0)


def calibration(subject: Subject) -> CalibrationReport | None:
    """How far confidences are the share of right answers, before and under attack.

    Formula: `ECE = sum_b n_b / n |accuracy_b - confidence_b|` over bins b of equal width, by the
    confidence in the answer. Images whose logits are not finite are left out.

    Returns:
        A `CalibrationReport`, or None where no image has finite logits.
    """
    clean = _usable(subject.clean_logits, subject.labels)
    if not len(clean[0]):
        return None
    attacked = None
    if subject.attacked_logits is not None:
        attacked = _usable(subject.attacked_logits, subject.labels)
    rule = subject.classifier.confidence
    served = reliability(_served(rule, clean[0]), *clean)
    under = reliability(_served(rule, attacked[0]), *attacked) if attacked else ()
    temperatures = TEMPERATURES if rule.kind == "softmax" else ()
    return CalibrationReport(
        expected_calibration_error=error(served),
        bins=served,
        attacked_error=error(under) if under else None,
        attacked_bins=under,
        temperatures=tuple(_at_temperature(t, clean, attacked) for t in temperatures),
        best_temperature=min(temperatures, key=lambda t: _unlikely(t, *clean), default=None),
    )


def reliability(
    confidences: np.ndarray, logits: np.ndarray, labels: np.ndarray
) -> tuple[ReliabilityBin, ...]:
    """The reliability diagram.

    Args:
        confidences: float array (images,) in [0, 1], of each answer.
        logits: float array (images, classes).
        labels: int array (images,).

    Returns:
        `BINS` bins; a confidence on an edge is in the bin below.
    """
    right = np.argmax(logits, axis=1) == labels
    edges = np.linspace(0.0, 1.0, BINS + 1)
    places = np.clip(np.searchsorted(edges, confidences, side="left") - 1, 0, BINS - 1)
    members = [places == b for b in range(BINS)]
    return tuple(
        ReliabilityBin(
            low=edges[b],
            high=edges[b + 1],
            images=int(own.sum()),
            confidence=confidences[own].mean() if own.any() else None,
            accuracy=right[own].mean() if own.any() else None,
        )
        for b, own in enumerate(members)
    )


def error(bins: tuple[ReliabilityBin, ...]) -> float:
    """The expected calibration error of a diagram, in [0, 1].

    Example:
        >>> half = {"low": 0.0, "high": 1.0, "images": 2, "confidence": 0.9, "accuracy": 0.5}
        >>> round(error((ReliabilityBin(**half),)), 3)
        0.4
    """
    images = sum(b.images for b in bins)
    gaps = [b.images * abs((b.accuracy or 0.0) - (b.confidence or 0.0)) for b in bins]
    return sum(gaps) / max(images, 1)


def _usable(logits, labels):
    finite = np.isfinite(logits).all(axis=1)
    return logits[finite].astype(np.float64), labels[finite]


def _served(rule, logits):
    return np.clip(np.exp(np.asarray(rule.logarithms(logits)).max(axis=1)), 0.0, 1.0)


def _at_temperature(temperature, clean, attacked):
    def found(logits, labels):
        confidences = scipy.special.softmax(logits / temperature, axis=1).max(axis=1)
        return error(reliability(confidences, logits, labels))

    return TemperatureError(
        temperature=temperature,
        clean=found(*clean),
        attacked=found(*attacked) if attacked else None,
    )


def _unlikely(temperature, logits, labels):
    logarithms = scipy.special.log_softmax(logits / temperature, axis=1)
    return -float(logarithms[np.arange(len(labels)), labels].mean())
