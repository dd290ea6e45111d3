"""Fast adversarial training. Wong, Rice and Kolter, 2020, arXiv 2001.03994."""

from typing import Any

from robust_keras.training.methods.method import Method


class Fast(Method):
    """Minimises `L(f(x'), y)`, where x' is one step uphill from noise."""

    @classmethod
    def published(cls, epsilon: float, steps: int | None) -> dict[str, Any]:
        """One step of 1.25 epsilon."""
        return {"steps": 1, "step_ratio": 1.25}
