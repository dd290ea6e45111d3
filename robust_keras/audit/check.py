"""One finding of the audit, and how its numbers are written."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class AuditCheck:
    """One check for the known ways in which a robust accuracy comes out too high.

    Args:
        check: its name.
        passed: whether nothing was found; None where there was nothing to look at, so that the
            check was not made.
        message: one or two sentences for a reader who knows nothing of masked gradients.
        evidence: the numbers behind it, plain values.
    """

    check: str
    passed: bool | None
    message: str
    evidence: dict


def not_applicable(check, reason):
    """A check that had nothing to look at, and so neither passed nor failed.

    Args:
        check: its name.
        reason: why, as the end of a sentence that begins "Not checked:".
    """
    return AuditCheck(check, None, f"Not checked: {reason}.", {"applicable": False})


def percent(fraction):
    """A fraction as the messages write it: 0.1234 is 12.3 %."""
    return f"{100.0 * fraction:.1f} %"


def floats(values):
    """A list of plain floats."""
    return [float(value) for value in values]
