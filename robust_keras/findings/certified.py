"""What is proved of a model: numbers from below."""

import dataclasses

from robust_keras.findings import fields
from robust_keras.findings.accuracies import check_falling, check_one_each
from robust_keras.findings.attack import AttackReport
from robust_keras.findings.finding import Finding, field
from robust_keras.findings.kinds import ListOf, Number, OneOf

_FALLING = "what is proved must never rise"


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

    proved, interval = AttackReport.correct, AttackReport.interval

    def check_together(self) -> None:
        check_one_each("`accuracy`", self.accuracy, self.epsilons)
        check_falling(_FALLING, self.accuracy)


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
        check_one_each("`accuracy`", self.accuracy, self.radii, "a radius")
        check_falling(_FALLING, self.accuracy)
