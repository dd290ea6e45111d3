"""Whether a model is right as often as it is sure."""

import dataclasses

from robust_keras.findings import fields
from robust_keras.findings.finding import Finding


@dataclasses.dataclass(frozen=True, kw_only=True)
class ReliabilityBin(Finding):
    """Images whose answers are about equally sure."""

    low: float = fields.fraction("confidences above this")
    high: float = fields.fraction("up to this")
    images: int = fields.count("number of images")
    confidence: float | None = fields.confidence(
        "mean confidence in the answer; null without images"
    )
    accuracy: float | None = fields.fraction("share of right answers; null without")


@dataclasses.dataclass(frozen=True, kw_only=True)
class TemperatureError(Finding):
    """The expected calibration error of a softmax at one temperature."""

    temperature: float = fields.number("the logits are divided by it")
    clean: float = fields.fraction("expected calibration error without attack")
    attacked: float | None = fields.fraction("under attack; null where that is unknown")


@dataclasses.dataclass(frozen=True, kw_only=True)
class CalibrationReport(Finding):
    """How far confidences are the share of right answers, as the model is served."""

    expected_calibration_error: float = fields.fraction(
        "mean over images of the gap between accuracy and mean confidence of their bin, without "
        "attack"
    )
    bins: tuple[ReliabilityBin, ...] = fields.parts(
        ReliabilityBin, "the reliability diagram without attack, bins of equal width, rising"
    )
    attacked_error: float | None = fields.fraction(
        "the same error where every image that an attack fooled at any epsilon is replaced by what "
        "fooled it; null where none was kept"
    )
    attacked_bins: tuple[ReliabilityBin, ...] = fields.parts(
        ReliabilityBin, "the diagram of these; empty where there are none", default=()
    )
    temperatures: tuple[TemperatureError, ...] = fields.parts(
        TemperatureError,
        "by temperature of the softmax; empty where confidence is no softmax",
        default=(),
    )
    best_temperature: float | None = fields.number(
        "the one of these at which the labels are likeliest without attack; null without"
    )
