"""Which class can be made of which: every class as the answer that is wanted."""

import dataclasses

from robust_keras.findings import fields
from robust_keras.findings.finding import Finding, field
from robust_keras.findings.kinds import COUNT, ListOf


@dataclasses.dataclass(frozen=True, kw_only=True)
class TargetsReport(Finding):
    """How many images of each class were moved to each other class."""

    epsilon: float = fields.number("the largest of the threat model, at which this was tried")
    attacked: tuple[int, ...] = field(
        ListOf(COUNT), "for each class, its images that are classified correctly without attack"
    )
    moved: tuple[tuple[int, ...], ...] = field(
        ListOf(ListOf(COUNT)),
        "for each class, how many of these are answered with each class after an attack that "
        "wanted this answer. One image can be moved to several",
    )
    seconds: float = fields.number("time taken")
    gradient_evaluations: int = fields.count("gradients of one image each")
    forward_evaluations: int = fields.count("forward passes of one image each")

    def check_together(self) -> None:
        for own, row in zip(self.attacked, self.moved, strict=True):
            if len(row) != len(self.attacked) or max(row, default=0) > own:
                raise ValueError(
                    "`moved` must hold as many classes as `attacked`, none with more images. "
                    f"Received: {row} of {own}"
                )
