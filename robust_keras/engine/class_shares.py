"""What results with one entry an image come to by class: findings of the table of images."""

from collections.abc import Sequence

import numpy as np

from robust_keras.engine.results import Evaluation
from robust_keras.findings import ClassReport, TopFiveReport

# Beyond so many cells a table of classes by classes is no longer written down.
_MOST_CELLS = 256 * 256


def class_reports(found: Evaluation) -> tuple[ClassReport, ...]:
    """One finding a class that has images."""
    label = found.per_image.label
    return tuple(
        ClassReport(
            class_=int(each),
            examples=int((label == each).sum()),
            clean=found.clean_correct[label == each].mean(),
            robust=found.worst_case[:, label == each].mean(axis=1),
        )
        for each in np.unique(label)
    )


def confusion(found: Evaluation, classes: int, answers: int) -> np.ndarray | None:
    """How many images of each class get which answer after every attack at the largest epsilon.

    An image that survived counts for its label, any other for the class of its adversarial image
    or, misclassified as it is, of its own. Answers that are not finite are in no cell.

    Args:
        found: `Evaluation`.
        classes: number of rows.
        answers: number of columns, the model's classes.

    Returns:
        int array (classes, answers), or None where it would be too large to be of use.
    """
    if classes * answers > _MOST_CELLS:
        return None
    table, robust = found.per_image, found.worst_case[-1]
    answer = np.where(robust, table.label, table.adversarial_class)
    # A wrong answer whose largest logit is the label's is one that is not finite.
    told = robust | (answer != table.label)
    counts = np.zeros((classes, answers), int)
    np.add.at(counts, (table.label[told], answer[told]), 1)
    return counts


def top_five(found: Evaluation, epsilons: Sequence[float]) -> TopFiveReport | None:
    """The finding on the five likeliest classes, or None where there are no more.

    Args:
        found: `Evaluation`.
        epsilons: those that it was made at, rising.
    """
    fallen = found.per_image.top_epsilon
    if fallen is None:
        return None
    robust = tuple(1.0 - (fallen <= epsilon).mean() for epsilon in epsilons)
    return TopFiveReport(clean=1.0 - (fallen == 0.0).mean(), robust=robust)
