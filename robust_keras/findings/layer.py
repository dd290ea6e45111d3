"""What is known of a layer."""

import dataclasses

from robust_keras.findings import fields
from robust_keras.findings.finding import Finding, field
from robust_keras.findings.kinds import COUNT, ListOf, Number

# Of a kernel's largest weight: what is smaller counts as near zero.
NEAR = 0.01
# Share of the sum of squared singular values that `energy_rank` holds.
ENERGY = 0.99


@dataclasses.dataclass(frozen=True, kw_only=True)
class LayerReport(Finding):
    """One layer of which something is known."""

    name: str = fields.text("the layer's name")
    kind: str | None = fields.text(
        "its class in Keras, or the operation's type in a graph; null if unknown"
    )
    parameters: int | None = fields.count("its number of weights; null if unknown")
    sparsity: float | None = fields.fraction(
        "zeros among the weights of its kernels; null without a kernel, like all that follows up "
        "to `spectral_norm`"
    )
    near_zero: float | None = fields.fraction(
        f"weights of at most {NEAR:g} of the largest, zeros included"
    )
    rank: int | None = fields.count(
        "singular values above rounding in float32, as `numpy.linalg.matrix_rank` counts them, of "
        "the kernel written as a matrix with a column an output; null as well where it is too "
        "large"
    )
    energy_rank: int | None = fields.count(
        f"how many of them, the largest first, hold {ENERGY:.0%} of the sum of their squares"
    )
    full_rank: int | None = fields.count("the largest rank of a matrix of its shape")
    nuclear_norm: float | None = fields.number("sum of these singular values")
    spectral_norm: float | None = fields.number(
        "largest singular value of the layer as an operator: of a convolution with the size of its "
        "image, strides and padding, not of the matrix; of batch normalisation the largest factor"
    )
    largest_slope: float | None = fields.number(
        "the largest slope of its activation over all channels and inputs; null without one, or if "
        "not finite"
    )
    gradient_norm: float | None = fields.number(
        "Euclidean norm of the training loss' gradient by the layer's weights, on one batch after "
        "the last epoch; null if unknown or not finite"
    )
    singular_values: tuple[float, ...] = field(
        ListOf(Number()),
        "singular values of that matrix, falling; of more than 64 every so many, the first and the "
        "last included",
        default=(),
    )
    largest_weight: float | None = fields.number("largest absolute weight of its kernels")
    histogram: tuple[int, ...] | None = field(
        ListOf(COUNT),
        "weights of its kernels in bins of equal width from minus to plus `largest_weight`",
    )
