"""Which of several models holds out more often, and whether the images suffice to say so."""

import dataclasses
import itertools
from collections.abc import Mapping

import numpy as np

from robust_keras.findings import fields
from robust_keras.findings.finding import Finding, field
from robust_keras.findings.kinds import FRACTION, ListOf, Number
from robust_keras.proportions import paired_difference, sign_test

# How often one of all the calls of a comparison may be wrong.
LEVEL = 0.05
_DIFFERENCE = Number(low=-1.0, high=1.0, words="number in [-1, 1]")


@dataclasses.dataclass(frozen=True, kw_only=True)
class PairReport(Finding):
    """Two models on the same images at one epsilon."""

    first: str = fields.text("path of the model that holds out on as many images or more")
    second: str = fields.text("path of the other")
    epsilon: float = fields.number("radius")
    only_first: int = fields.count("images on which only the first holds out")
    only_second: int = fields.count("images on which only the second does")
    difference: float = field(FRACTION, "accuracy of the first minus that of the second")
    interval: tuple[float, float] = field(
        ListOf(_DIFFERENCE, length=2),
        "interval of the difference (Newcombe, 1998, method 10, of pairs), 95 % for all pairs of "
        "an epsilon together (Bonferroni)",
    )
    p_value: float = field(FRACTION, "exact McNemar test, two-sided")
    corrected_p_value: float = field(FRACTION, "the same times the number of pairs (Bonferroni)")
    decided: bool = fields.boolean(
        "whether the images suffice to say that the first is better under these attacks: the "
        "corrected p value is below 0.05 and the interval above 0"
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class ComparisonReport(Finding):
    """Models compared image by image, those left out whose number is not to be believed."""

    ranked: tuple[str, ...] = fields.texts(
        "paths of the models whose number may be believed, the most robust at the largest epsilon "
        "first"
    )
    left_out: tuple[str, ...] = fields.texts("paths of the others (`verdict` is `unreliable`)")
    pairs: tuple[PairReport, ...] = fields.parts(
        PairReport, "one object a pair of those ranked and epsilon, the largest epsilon last"
    )

    def pair(self, first: str, second: str, epsilon: float) -> PairReport:
        """Gives what was found of two of those ranked, in the order of the ranking or not."""
        return next(
            p for p in self.pairs if {p.first, p.second} == {first, second} and p.epsilon == epsilon
        )

    def near(self, epsilon: float) -> list[str]:
        """Gives those ranked that the images do not suffice to put behind the first."""
        best, *others = self.ranked
        return [other for other in others if not self.pair(best, other, epsilon).decided]


def compare(
    survived: Mapping[str, np.ndarray], left_out: tuple[str, ...], epsilons: tuple[float, ...]
) -> ComparisonReport:
    """Compares models, each with each, at each epsilon.

    Args:
        survived: model's path -> bool array (epsilons, images), the same images for all.
        left_out: paths of models that are not to be compared.
        epsilons: strictly increasing.
    """
    last = {path: int(robust[-1].sum()) for path, robust in survived.items()}
    ranked = sorted(survived, key=lambda path: -last[path])
    found = []
    for place, epsilon in enumerate(epsilons):
        at = {path: survived[path][place] for path in ranked}
        found += _pairs(at, epsilon)
    return ComparisonReport(ranked=tuple(ranked), left_out=left_out, pairs=tuple(found))


def _pairs(robust, epsilon):
    """Every pair at one epsilon, tested together."""
    pairs = [
        pair if robust[pair[0]].sum() >= robust[pair[1]].sum() else pair[::-1]
        for pair in itertools.combinations(robust, 2)
    ]
    tables = [_table(robust[first], robust[second]) for first, second in pairs]
    for (first, second), table in zip(pairs, tables, strict=True):
        p = sign_test(table[1], table[2])
        corrected = min(1.0, p * len(pairs))
        low, high = paired_difference(*table, confidence=1.0 - LEVEL / len(pairs))
        yield PairReport(
            first=first,
            second=second,
            epsilon=epsilon,
            only_first=table[1],
            only_second=table[2],
            difference=(table[1] - table[2]) / sum(table),
            interval=(low, high),
            p_value=p,
            corrected_p_value=corrected,
            decided=corrected < LEVEL and low > 0.0,
        )


def _table(first, second):
    """On how many images both, only the first, only the second and none hold out."""
    counts = first & second, first & ~second, ~first & second, ~first & ~second
    return tuple(int(count.sum()) for count in counts)
