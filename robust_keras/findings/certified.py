"""What is proved of a model: numbers from below."""

import dataclasses
from typing import Any

from robust_keras.findings import fields
from robust_keras.findings.attack import COUNTED, COUNTS, INTERVALS
from robust_keras.findings.finding import Finding, derived, field
from robust_keras.findings.kinds import INTERVAL, TOLERANCE, ListOf, Number, OneOf


@dataclasses.dataclass(frozen=True, kw_only=True)
class CertifiedReport(Finding):
    """Images whose class is proved to be the label under every change within epsilon."""

    norm: str = field(OneOf("linf", "l2"), "norm of the changes")
    epsilons: tuple[float, ...] = field(ListOf(Number(), least=1), "radii, as of the attacks")
    accuracy: tuple[float, ...] = fields.fractions(
        "per epsilon: images that are proved, a lower bound of robust accuracy"
    )
    method: str = fields.text("how it was proved: `bounds`, `complete` or `lipschitz`")
    seconds: float = fields.number("time taken")

    @derived(COUNTS, COUNTED)
    def proved(self, report: Any) -> list[int]:
        return [report.count(accuracy) for accuracy in self.accuracy]

    @derived(ListOf(INTERVAL), INTERVALS)
    def interval(self, report: Any) -> list[tuple[float, float]]:
        return [report.interval(accuracy) for accuracy in self.accuracy]

    def check_together(self) -> None:
        if len(self.accuracy) != len(self.epsilons):
            raise ValueError(
                f"`accuracy` must hold one number an epsilon, {len(self.epsilons)}. "
                f"Received: {self.accuracy}"
            )
        _check_falling(self.accuracy)


@dataclasses.dataclass(frozen=True, kw_only=True)
class SmoothedReport(Finding):
    """What is proved of another classifier: the model's most frequent answer under noise."""

    sigma: float = fields.number("standard deviation of the noise, in units of pixels")
    samples: int = fields.positive_count("noisy copies of each image that were counted")
    alpha: float = fields.number("probability that an image's proof is wrong, at most")
    abstained: float = fields.fraction("images of which no answer is proved")
    radii: tuple[float, ...] = field(ListOf(Number(), least=1), "l2 distances, rising from 0")
    accuracy: tuple[float, ...] = fields.fractions(
        "per radius: images whose label is proved to be the most frequent answer within it"
    )
    seconds: float = fields.number("time taken")

    def check_together(self) -> None:
        if len(self.accuracy) != len(self.radii):
            raise ValueError(
                f"`accuracy` must hold one number a radius, {len(self.radii)}. "
                f"Received: {self.accuracy}"
            )
        _check_falling(self.accuracy)


def _check_falling(accuracy):
    if any(b > a + TOLERANCE for a, b in zip(accuracy, accuracy[1:], strict=False)):
        raise ValueError(f"what is proved must never rise. Received: {accuracy}")
