"""A counter-attack on losses that no scale of the logits blinds, with many steps."""

from collections.abc import Iterator

from robust_keras.attackable import told
from robust_keras.attacks import APGDTargeted, MarginPGD, NearestPGD
from robust_keras.attacks.attack import Attack
from robust_keras.audit.counter_attack import OF_GRADIENTS, CounterAttack
from robust_keras.findings import check_names


class NoScale(CounterAttack):
    """Large logits leave cross-entropy no gradient; the margin and its ratio do not know them.

    Reference: Carlini and Wagner, "Defensive Distillation is Not Robust", 2016, arXiv 1607.04311.
    """

    name = "losses without scale"
    against = OF_GRADIENTS | {
        check_names.REPEATABLE_ANSWERS,
        check_names.SATURATED_LOGITS,
        check_names.SCALE_FREE_LOSS,
        check_names.CONVERGED_ATTACK,
    }
    trusts_gradients = True

    @property
    def obstacle(self) -> str | None:
        """Gradients that are lost."""
        return self.account.classifier.gradient_error

    def attacks(self, allowed: float) -> Iterator[Attack]:
        """The margin, begun towards five classes, then the ratio towards them.

        Fewer steps where an answer takes many passes.
        """
        if told(self.account.classifier, "passes") > 1:
            yield self.through(MarginPGD(steps=30))
            yield self.through(APGDTargeted(steps=15, targets=3))
        else:
            yield self.through(NearestPGD(again=0, near=1.0))
            yield self.through(APGDTargeted(steps=30, targets=5))
