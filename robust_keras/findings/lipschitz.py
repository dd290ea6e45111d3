"""How much a small change of the image can change the logits."""

import dataclasses

from robust_keras.findings import fields
from robust_keras.findings.finding import Finding, field
from robust_keras.findings.kinds import OneOf


@dataclasses.dataclass(frozen=True, kw_only=True)
class LayerGainReport(Finding):
    """What one layer adds to the bound."""

    name: str = fields.text("the layer's name")
    kind: str = fields.text("its class in Keras")
    factor: float = fields.number(
        "by which it raises the bound; of batch normalisation behind a kernel, what it changes "
        "there"
    )
    slope: float | None = fields.number("largest slope of its activation; null without one")
    total: float = fields.number("the bound from the image up to here")


@dataclasses.dataclass(frozen=True, kw_only=True)
class CleverReport(Finding):
    """Estimated distances to the next class: no proofs (CLEVER, arXiv 1801.10578)."""

    images: int = fields.positive_count("images that were asked, all classified correctly")
    radius: float = fields.number("of the balls in which gradients were drawn, and largest score")
    samples: int = fields.positive_count("gradients drawn of each image")
    median: float = fields.number("median of the scores, distances to the likeliest other class")
    smallest: float = fields.number("the smallest score")


@dataclasses.dataclass(frozen=True, kw_only=True)
class LipschitzReport(Finding):
    """Between which numbers the largest |f(x) - f(y)| / |x - y| lies, f being the logits."""

    norm: str = field(OneOf("l2"), "norm of both changes")
    upper_bound: float | None = fields.number(
        "what it cannot exceed for pixels in [0, 1]; null where `unknown` says why"
    )
    upper_bound_linf: float | None = fields.number(
        "the same by the largest change of a pixel and of a logit"
    )
    layer_product: float | None = fields.number(
        "product of the norms of all kernels and the largest slopes of all activations alone: a "
        "bound only where there is nothing else, no batch normalisation, no pooling, no sum"
    )
    empirical: float | None = fields.number(
        "the largest that was found, between two images, less what rounding may add; null where "
        "none could be looked for"
    )
    unknown: str | None = fields.text("why there is no upper bound; null with one")
    proved_radius: float | None = fields.number(
        "median over images classified correctly of the distance within which the bound proves "
        "the answer: lead over the next logit / (sqrt(2) upper_bound)"
    )
    layers: tuple[LayerGainReport, ...] = fields.parts(
        LayerGainReport, "what each layer adds, in their order; empty without a bound", default=()
    )
    clever: CleverReport | None = fields.part(
        CleverReport, "an estimate; null without gradients or correct images"
    )
