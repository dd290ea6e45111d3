"""What the values inside a network do under attack."""

import dataclasses
import math

from robust_keras.findings import fields
from robust_keras.findings.finding import Finding, field
from robust_keras.findings.kinds import COUNT, ListOf, Number

_ANY = Number(low=-math.inf)
# Slopes of at most this share of the steepest count as saturated.
FLAT = 0.01


@dataclasses.dataclass(frozen=True, kw_only=True)
class ActivationValues(Finding):
    """The outputs of one activation for some images."""

    zeros: float = fields.fraction("outputs that are exactly zero")
    saturated: float | None = fields.fraction(
        f"inputs at which its slope is at most {FLAT:.0%} of the steepest that was met without "
        "attack; null where slopes are not known"
    )
    mean: float = field(_ANY, "mean of the outputs")
    deviation: float = fields.number("their standard deviation")
    histogram: tuple[int, ...] = field(
        ListOf(COUNT),
        "outputs in bins of equal width from `low` to `high` of the layer; what lies beyond is in "
        "the last bins",
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class ActivationReport(Finding):
    """One activation without attack, under attack, and shown nonsense."""

    layer: str = fields.text("the layer's name")
    kind: str = fields.text(
        "its class in Keras, the name of its activation, or the operation's type in a graph"
    )
    low: float = field(_ANY, "lower end of the histograms, below which 0.5 % of all outputs lie")
    high: float = field(_ANY, "upper end of the histograms, likewise")
    images: int = fields.positive_count("images of each sort, at most")
    clean: ActivationValues = fields.part(
        ActivationValues, "for images as they are: those that fell, where any did"
    )
    attacked: ActivationValues | None = fields.part(
        ActivationValues,
        "for what fooled the model in place of the same images; null where none was kept",
    )
    nonsense: ActivationValues = fields.part(
        ActivationValues,
        "for images of uniform noise in [0, 1], or of `--nonsense`",
    )
    distance: float | None = fields.fraction(
        "largest gap between the cumulative distributions of `clean` and `attacked` "
        "(Kolmogorov-Smirnov); null without `attacked`"
    )
    nonsense_distance: float = fields.fraction("the same of `clean` and `nonsense`")
