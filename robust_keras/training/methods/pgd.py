"""Adversarial training on PGD. Madry et al., 2017, arXiv 1706.06083."""

from typing import Any

from robust_keras.training.methods.method import Method
from robust_keras.training.methods.published_steps import published_steps


class Pgd(Method):
    """Minimises `L(f(x'), y)`, where x' climbs L inside the ball in several steps."""

    @classmethod
    def published(cls, epsilon: float, steps: int | None) -> dict[str, Any]:
        """40 steps of epsilon / 30 for large epsilons, else 10 of epsilon / 4."""
        return published_steps(epsilon, steps, 1 / 4)

    @classmethod
    def cost(cls, steps: int | None, replays: int | None) -> int:
        """A gradient each crafting step, and one more."""
        return (steps or 10) + 1
