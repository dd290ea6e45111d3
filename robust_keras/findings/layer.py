"""What is known of a layer."""

import dataclasses

from robust_keras.findings import fields
from robust_keras.findings.finding import Finding


@dataclasses.dataclass(frozen=True, kw_only=True)
class LayerReport(Finding):
    """One layer of which a slope or a gradient is known."""

    name: str = fields.text("the layer's name")
    largest_slope: float | None = fields.number(
        "of a kernel activation: the largest slope over all channels and inputs; null for other "
        "layers, or if not finite",
        null=True,
    )
    gradient_norm: float | None = fields.number(
        "Euclidean norm of the training loss' gradient by the layer's weights, on one batch after "
        "the last epoch; null if unknown or not finite",
        null=True,
    )
