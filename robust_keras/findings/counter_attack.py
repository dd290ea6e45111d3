"""One counter-attack of the audit."""

import dataclasses
from collections.abc import Mapping

from robust_keras.findings import fields
from robust_keras.findings.attack import COUNTS
from robust_keras.findings.finding import Finding, field


@dataclasses.dataclass(frozen=True, kw_only=True)
class CounterAttackReport(Finding):
    """What the audit did where it doubted, on the images that were left."""

    name: str = fields.text("what it goes by")
    against: tuple[str, ...] = fields.texts("the failed checks that called for it")
    settings: Mapping = fields.mapping("every setting of its attacks, by the attack's name")
    allowed: int = fields.count(
        "forward passes an image left that it was given beforehand; a gradient counts as three"
    )
    tried: tuple[int, ...] = field(COUNTS, "per epsilon: images that were left before it")
    broken: tuple[int, ...] = field(COUNTS, "per epsilon: how many of these it fooled")
    accuracy: tuple[float, ...] = fields.fractions(
        "per epsilon: worst case after it; empty where it was skipped"
    )
    seconds: float = fields.number("time over all images and epsilons", default=0.0)
    gradient_evaluations: int = fields.count("gradients of one image each", default=0)
    forward_evaluations: int = fields.count("forward passes of one image each", default=0)
    skipped: str | None = fields.text("why it did not run; null if it ran")
