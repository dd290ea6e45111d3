"""What attacks did to a model: each alone, and all of them together."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from robust_keras.findings import fields
from robust_keras.findings.accuracies import check_falling, check_one_each
from robust_keras.findings.finding import Finding, derived, field
from robust_keras.findings.kinds import COUNT, INTERVAL, TOLERANCE, ListOf, Number, OneOf
from robust_keras.proportions import mean_falling
from robust_keras.strength import DECLARED

COUNTS = ListOf(COUNT)
COUNTED, INTERVALS = "the same as numbers of images", "95 % Wilson intervals"


@dataclasses.dataclass(frozen=True, kw_only=True)
class AttackReport(Finding):
    """One attack on one model."""

    name: str = fields.text("attack, as on the command line")
    settings: Mapping = fields.mapping(
        "every setting of it; for a cascade also `accuracy_after`, the shares left after each of "
        "its attacks, and `left_out`, those that could not run"
    )
    accuracy: tuple[float, ...] = fields.fractions(
        "per epsilon: images classified correctly both without the attack and after it"
    )
    seconds: float = fields.number("time over all images and epsilons")
    gradient_evaluations: int = fields.count(
        "gradients of one image each, over all images and epsilons"
    )
    forward_evaluations: int = fields.count(
        "forward passes of one image each, over all images and epsilons"
    )
    kind: str | None = field(
        OneOf("noise", "given", "score", "decision", "sparse", "one_step", "iterative"),
        "`noise`, `score` and `decision` need no gradients; `given`: somebody else's examples "
        "(`--adversarial_images`); null if unknown",
    )
    strength: str | None = field(
        OneOf(*DECLARED),
        "what the attack says of itself: `weak`; that it took its time along gradients, or in a "
        "`search` without them; or that it may be quoted from alone, `strong`; null if unknown",
    )
    skipped: str | None = fields.text("why the attack did not run; null if it ran")
    accuracy_with_rejection: tuple[float, ...] | None = fields.fractions(
        "as `accuracy` of `models[].rejection`, for this attack alone; null where the model has no "
        "rejection rule"
    )

    @derived(COUNTS, COUNTED)
    def correct(self, report: Any) -> list[int]:
        return [report.count(accuracy) for accuracy in self.accuracy]

    @derived(ListOf(INTERVAL), INTERVALS)
    def interval(self, report: Any) -> list[tuple[float, float]]:
        return [report.interval(accuracy) for accuracy in self.accuracy]


@dataclasses.dataclass(frozen=True, kw_only=True)
class WorstCaseReport(Finding):
    """Accuracy where an image counts only if it survived every attack."""

    epsilons: tuple[float, ...] = field(ListOf(Number()), "the threat model's")
    accuracy: tuple[float, ...] = fields.fractions(
        "per epsilon: images that survived *every* attack. Never above any attack or the clean "
        "accuracy, and never rising with epsilon"
    )
    before_audit: tuple[float, ...] = fields.fractions(
        "per epsilon: what the attacks alone had left, before the audit's own attacks; the same as "
        "`accuracy` where these found no more",
        otherwise=lambda worst: worst.accuracy,
        default=None,
    )

    def lowered(self, by: float) -> bool:
        """Whether the audit's own attacks lowered it by more than that at some epsilon."""
        pairs = zip(self.accuracy, self.before_audit, strict=True)
        return any(before - after > by + TOLERANCE for after, before in pairs)

    def check_together(self) -> None:
        for name in ("accuracy", "before_audit"):
            values = getattr(self, name)
            check_one_each(f"`{name}`", values, self.epsilons)
            check_falling("worst case must not rise with epsilon", values)
        if any(a > b + TOLERANCE for a, b in zip(self.accuracy, self.before_audit, strict=True)):
            raise ValueError(
                f"`accuracy` must not exceed `before_audit` {self.before_audit}. "
                f"Received: {self.accuracy}"
            )

    correct, interval = AttackReport.correct, AttackReport.interval

    def areas(self, clean: float) -> tuple[float, float, float]:
        """Gives the mean accuracy over all epsilons up to the largest, its least and its most.

        Args:
            clean: accuracy without attack.

        Returns:
            (with straight lines between the epsilons measured, the least that it can be as accuracy
            never rises with epsilon, the most).
        """
        return mean_falling((0.0, *self.epsilons), (clean, *self.accuracy))
