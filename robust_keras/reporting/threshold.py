"""Whether models are as robust as somebody asks for."""

from collections.abc import Iterable

from robust_keras.findings import Report
from robust_keras.findings.kinds import TOLERANCE
from robust_keras.reporting import wording


def shortfalls(report: Report, thresholds: Iterable[tuple[float, float]]) -> list[str]:
    """Says which models fall short of which threshold, and which numbers are not to be believed.

    A model whose number is not to be believed (`ModelReport.reliable`) falls short of any.

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
                failed = ", ".join(check.check for check in model.failed) or "nothing was measured"
                found.append(f"{name}: its robust accuracy is not to be believed ({failed})")
                break
            if worst < accuracy - TOLERANCE:
                found.append(
                    f"{name}: at most {_share(worst)} at epsilon {wording.epsilon(epsilon)}, below "
                    f"{_share(accuracy)}"
                )
    return found


def _share(value):
    return wording.percent(value).replace(wording.NO_BREAK_SPACE, " ")
