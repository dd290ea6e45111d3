"""Counter-attacks that search without gradients on what is left."""

from collections.abc import Iterator

from robust_keras.attackable import told
from robust_keras.attacks import EvolutionPGD, Square
from robust_keras.attacks.attack import Attack
from robust_keras.audit.counter_attack import OF_GRADIENTS, CounterAttack
from robust_keras.findings import check_names
from robust_keras.strength import FEW_QUERIES

# AutoAttack's own number of squares: no corrected number may be above what that leaves.
_EVOLUTION, _SQUARE = 6000, 5000
# Of what is allowed at most: another search must confirm what one finds.
_SHARE = 0.75
# Images that were further from falling on the way never fell (benchmarks/README.md).
_NEAR, _NEAR_SQUARES = 0.6, 0.4


class Evolution(CounterAttack):
    """Slopes of the answers themselves, over a neighbourhood: what breaks k-winners-take-all.

    Reference: Tramer et al., "On Adaptive Attacks to Adversarial Example Defenses", 2020,
    arXiv 2002.08347.
    """

    name = "evolution strategy"
    against = OF_GRADIENTS | {check_names.REPEATABLE_ANSWERS}

    def attacks(self, allowed: float) -> Iterator[Attack]:
        """Estimates of 100 queries each."""
        queries = _queries(self.account, allowed, _EVOLUTION)
        if queries:
            yield self.through(EvolutionPGD(queries=queries, growth=4, near=_NEAR))


class Squares(CounterAttack):
    """Random search over squares of pixels: nothing about the answers' slope misleads it."""

    name = "random squares"
    against = OF_GRADIENTS | {
        check_names.OPERATIONS_THAT_MASK,
        check_names.REPEATABLE_ANSWERS,
        check_names.SATURATED_LOGITS,
        check_names.SCALE_FREE_LOSS,
    }

    def attacks(self, allowed: float) -> Iterator[Attack]:
        """One search."""
        queries = _queries(self.account, allowed, _SQUARE)
        if queries:
            yield self.through(Square(queries=queries, near=_NEAR_SQUARES))


def _queries(account, allowed, most):
    """How many queries a search takes: a part of what is allowed, or none if that are too few."""
    possible = int(allowed / told(account.classifier, "passes")) - 2
    wanted = min(int(_SHARE * possible), possible - 2 * FEW_QUERIES, most)
    return max(wanted, FEW_QUERIES) if possible >= FEW_QUERIES else 0
