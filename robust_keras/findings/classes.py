"""How robust the images of each class are, and how far down the label falls."""

import dataclasses
from collections.abc import Sequence

from robust_keras.findings import fields
from robust_keras.findings.finding import Finding
from robust_keras.findings.kinds import TOLERANCE


@dataclasses.dataclass(frozen=True, kw_only=True)
class ClassReport(Finding):
    """The images of one class."""

    class_: int = fields.count("the class")
    examples: int = fields.positive_count("how many of the images attacked belong to it")
    clean: float = fields.fraction("of these, those classified correctly without attack")
    robust: tuple[float, ...] = fields.fractions(
        "per epsilon: of these, those that survived every attack"
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class TopFiveReport(Finding):
    """Accuracy where the label need only be among the five likeliest classes."""

    clean: float = fields.fraction("images whose label is among them without attack")
    robust: tuple[float, ...] = fields.fractions(
        "per epsilon: of these, those for which no attack met an image whose answer leaves the "
        "label out. An upper bound that is looser than the worst case: attacks look for another "
        "likeliest class and may stop there, and an image that is misclassified without attack is "
        "not attacked"
    )


def check_classes(classes: Sequence[ClassReport], worst: Sequence[float]) -> None:
    """Raises ValueError unless classes, where there are any, come to the worst case together."""
    total = sum(each.examples for each in classes)
    for place, accuracy in enumerate(worst if classes else ()):
        robust = sum(each.examples * each.robust[place] for each in classes) / total
        if abs(robust - accuracy) > TOLERANCE:
            raise ValueError(
                f"`per_class` must come to the worst case, {accuracy}. Received: {robust}"
            )


def check_answers(confusion: Sequence[Sequence[int]] | None, answers: int) -> None:
    """Raises ValueError unless each row of a table of answers has so many."""
    for row in confusion or ():
        if len(row) != answers:
            raise ValueError(f"`confusion` must hold {answers} numbers a class. Received: {row}")
