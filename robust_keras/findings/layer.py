"""What is known of a layer."""

import dataclasses

from robust_keras.findings.finding import Finding, field
from robust_keras.findings.kinds import TEXT, Number, OrNone


@dataclasses.dataclass(frozen=True, kw_only=True)
class LayerReport(Finding):
    """One layer of which a slope or a gradient is known."""

    name: str = field(TEXT, "the layer's name")
    largest_slope: float | None = field(
        OrNone(Number()),
        "of a kernel activation: the largest slope over all channels and inputs; null for other "
        "layers, or if not finite",
        default=None,
    )
    gradient_norm: float | None = field(
        OrNone(Number()),
        "Euclidean norm of the training loss' gradient by the layer's weights, on one batch after "
        "the last epoch; null if unknown or not finite",
        default=None,
    )
