"""Whether models are as robust as somebody asks for."""

from collections.abc import Iterable

from robust_keras.findings import Report
from robust_keras.findings.kinds import TOLERANCE
from robust_keras.reporting import wording


def shortfalls(report: Report, thresholds: Iterable[tuple[float, float]]) -> list[str]:
    """Says which models fall short of which threshold, and which numbers are in doubt.

    A model that is not `ModelReport.reliable` falls short of any, whatever its verdict.

    Args:
        report: `Report`.
        thresholds: list of (accuracy, epsilon), each epsilon one of the report's.

    Returns:
        List of sentences; empty where nothing falls short.
    """
    found = []
    names = wording.display_names(report.models)
    for name, model in zip(names, report.models, strict=True):
        for accuracy, epsilon in thresholds:
            worst = model.worst_case.accuracy[model.worst_case.epsilons.index(epsilon)]
            if not model.reliable:
                found.append(f"{name}: {_doubt(model)}")
                break
            if worst < accuracy - TOLERANCE:
                found.append(
                    f"{name}: at most {_share(worst)} at epsilon {wording.epsilon(epsilon)}, below "
                    f"{_share(accuracy)}"
                )
    return found


def _doubt(model):
    failed = ", ".join(check.check for check in model.failed)
    if model.verdict == "unreliable":
        why = failed or "nothing was measured, or no check was made"
        return f"its robust accuracy is not to be believed ({why})"
    if not failed:
        return "the audit lowered its robust accuracy by more than five points"
    return f"its audit had to correct or settle what it doubted ({failed})"


def _share(value):
    return wording.percent(value).replace(wording.NO_BREAK_SPACE, " ")
