"""A section of report.json that keeps whether each image held out against each attack.

A study pairs its networks image by image, for which the shares that a report has are not enough.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np

from robust_keras import findings, reporting
from robust_keras.findings import fields


@dataclasses.dataclass(frozen=True, kw_only=True)
class AnswersReport(findings.Finding):
    """Texts of 0 and 1, one character an image: 1 where it is classified correctly."""

    clean: str = fields.text("as it is")
    attacks: Mapping = fields.mapping("attack -> one text an epsilon, of that attack alone")
    worst_case: tuple[str, ...] = fields.texts("one an epsilon: every attack and the audit's own")
    with_rejection: tuple[str, ...] = fields.texts(
        "the same where a wrong answer counts only if it is accepted; empty without a rule"
    )


class Answers(reporting.Section):
    """Keeps the answers; shows nothing."""

    name = "answers"
    finding = AnswersReport

    def find(
        self, classifier: Any, images: np.ndarray, labels: np.ndarray, evaluation: Any
    ) -> AnswersReport:
        """See `reporting.Section`."""
        rejecting = evaluation.worst_case_with_rejection
        return AnswersReport(
            clean=text(evaluation.clean_correct),
            attacks={
                a.name: [text(row) for row in a.robust]
                for a in evaluation.attacks
                if a.skipped is None
            },
            worst_case=tuple(map(text, evaluation.worst_case)),
            with_rejection=() if rejecting is None else tuple(map(text, rejecting)),
        )


def text(answers: np.ndarray) -> str:
    """Gives a bool array (images,) as a text of 0 and 1."""
    return "".join("01"[bool(answer)] for answer in answers)


def array(answers: str) -> np.ndarray:
    """Gives such a text as a float array (images,) of 0 and 1."""
    return np.array([float(answer) for answer in answers])
