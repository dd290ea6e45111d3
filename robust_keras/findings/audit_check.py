"""One check of the audit, and how its numbers are written."""

import dataclasses
from collections.abc import Iterable, Mapping

from robust_keras.findings import fields
from robust_keras.findings.finding import Finding, derived, field
from robust_keras.findings.kinds import BOOLEAN, OneOf, OrNone

_NOT_APPLICABLE = {"applicable": False}


@dataclasses.dataclass(frozen=True)
class AuditCheck(Finding):
    """One check for the known ways in which a robust accuracy comes out too high."""

    check: str = fields.text("name of the check")
    passed: bool | None = field(
        OrNone(BOOLEAN),
        "true: nothing was found; false: it failed; **null: the check could not be made**, so that "
        "it neither passed nor failed",
    )
    message: str = fields.text("one or two sentences for who knows nothing of masked gradients")
    evidence: Mapping = fields.mapping(
        "the numbers behind it; one that is not finite is the string `nan`, `inf` or `-inf`",
        default_factory=dict,
    )

    @classmethod
    def upgraded(cls, value: dict) -> dict:
        # In schema 1 what did not apply was said to have passed.
        return value | {"passed": None} if value.get("evidence") == _NOT_APPLICABLE else value

    @property
    @derived(OneOf("passed", "failed", "not checked"), "the same in words")
    def result(self) -> str:
        return {True: "passed", False: "failed", None: "not checked"}[self.passed]


def not_applicable(check: str, reason: str) -> AuditCheck:
    """A check that had nothing to look at, and so neither passed nor failed.

    Args:
        check: its name.
        reason: why, as the end of a sentence that begins "Not checked:".
    """
    return AuditCheck(check, None, f"Not checked: {reason}.", _NOT_APPLICABLE)


def percent(fraction: float) -> str:
    """A fraction as the messages write it: 0.1234 is 12.3 %."""
    return f"{100.0 * fraction:.1f} %"


def floats(values: Iterable[float]) -> list[float]:
    """A list of plain floats."""
    return [float(value) for value in values]
