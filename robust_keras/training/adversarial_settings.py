"""The method and numbers of adversarial training, validated, with the published defaults."""

import dataclasses
from typing import Any

from robust_keras.training import arguments

METHODS = ("pgd", "free", "fast", "trades", "ensemble")
ENSEMBLE_ATTACKS = ("step_ll", "fgsm")
# From this epsilon on, the many small steps of the MNIST recipes; below, those of CIFAR-10.
LARGE_EPSILON = 0.1
LARGE_EPSILON_STEPS = 40, 1 / 30  # and the size of each / epsilon
_SMALL_STEPS = 10
_SMALL_STEP_RATIOS = {"pgd": 1 / 4, "trades": 7 / 31}
_FAST_STEP_RATIO = 1.25
_FREE_STEP_RATIO = 1.0
_ENSEMBLE_STEP_RATIO = 1.0
_REPLAYS = 8
_BETA = 6.0
_ONE_STEP = ("fast", "free", "ensemble")
# Setting -> the methods that it belongs to.
_OF_METHOD = {"replays": ("free",), "beta": ("trades",), "ensemble_attack": ("ensemble",)}
# The smallest and largest values; beyond the latter a step would never end, or overflow.
_WHOLE = {
    "steps": (1, arguments.MOST_STEPS),
    "replays": (2, 1000),
    "warm_up_epochs": (0, 10**9),
    "epsilon_ramp_epochs": (0, 10**9),
}
_REAL = {"step_ratio": 1e6, "beta": 1e6}


@dataclasses.dataclass(frozen=True, kw_only=True)
class AdversarialSettings:
    """Settings of `AdversarialTraining`. What is None becomes the method's published value.

    Args:
        method: "pgd" (Madry et al., 2017, arXiv 1706.06083), "free" (Shafahi et al., 2019, arXiv
            1904.12843), "fast" (Wong et al., 2020, arXiv 2001.03994), "trades" (Zhang et al.,
            2019, arXiv 1901.08573) or "ensemble" (Tramer et al., 2017, arXiv 1705.07204).
        epsilon: the largest change of a pixel in [0, 1], in (0, 1]; 8 of 255 is 8 / 255.
        steps: gradient steps an image, at least 1; pgd and trades: 40 where epsilon is at least
            0.1 (as published for MNIST), else 10 (CIFAR-10). fast and ensemble take one, free one a
            replay.
        step_ratio: size of a step / epsilon, above 0; pgd: 1/30 where epsilon is at least 0.1, else
            1/4; trades: 1/30 or 7/31; both for the published number of steps, and for another
            such that all steps together reach as far. fast: 1.25; free and ensemble: 1.
        replays: free: how often each batch is trained on, at least 2; 8 as published.
        beta: trades: weight of the divergence, above 0; 6 as published for CIFAR-10.
        ensemble_attack: ensemble: "step_ll", a step towards the class that the source model finds
            least likely (as published for ImageNet, and the default), or "fgsm", a step away from
            the class that it predicts (MNIST). Neither looks at the label, so it cannot leak.
        random_start: whether pgd and fast start anywhere in the ball, and trades beside the image;
            None for True. ensemble starts at the image.
        warm_up_epochs: first epochs that train on clean images, at least 0.
        epsilon_ramp_epochs: epochs after the warm-up with epsilons below the full one, at least 0.
        crafting_training_mode: whether crafting uses dropout and batch statistics, and moves the
            moving ones. One replica only; free, which trains and crafts in one pass, always does.
        clean_accuracy: whether a metric of that name is kept, for one more forward pass a step.

    Raises:
        ValueError: a setting is out of its range, or not one of the method's.

    Example:
        `AdversarialSettings(method="fast", epsilon=8 / 255, warm_up_epochs=1)`
    """

    method: str
    epsilon: float
    # None is replaced by the published value.
    steps: Any = None
    step_ratio: Any = None
    replays: int | None = None
    beta: float | None = None
    ensemble_attack: str | None = None
    random_start: bool | None = None
    warm_up_epochs: int = 0
    epsilon_ramp_epochs: int = 0
    crafting_training_mode: bool = False
    clean_accuracy: bool = False

    def __post_init__(self):
        if self.method not in METHODS:
            arguments.refuse("method", "one of " + ", ".join(METHODS), self.method)
        object.__setattr__(self, "epsilon", arguments.epsilon("epsilon", self.epsilon))
        for name, methods in _OF_METHOD.items():
            if getattr(self, name) is not None and self.method not in methods:
                arguments.refuse(name, f"None where method={self.method!r}", getattr(self, name))
        if self.method in _ONE_STEP and self.steps not in (None, 1):
            arguments.refuse(
                "steps", f"1 or None where method={self.method!r} (see pgd)", self.steps
            )
        if self.ensemble_attack not in (None, *ENSEMBLE_ATTACKS):
            arguments.refuse(
                "ensemble_attack", "one of " + ", ".join(ENSEMBLE_ATTACKS), self.ensemble_attack
            )
        if self.random_start and self.method == "ensemble":
            arguments.refuse(
                "random_start", "None or False where method='ensemble'", self.random_start
            )
        self._check_values()
        for name, value in self._published().items():
            if getattr(self, name) is None:
                object.__setattr__(self, name, value)

    @property
    def step(self) -> float:
        """Size of a crafting step at the full epsilon."""
        return self.step_ratio * self.epsilon

    def epsilon_at(self, epoch: int) -> float:
        """Epsilon in an epoch: 0 in w warm-up epochs, then epsilon min(1, (e - w + 1) / (r + 1)).

        Args:
            epoch: e, counted from 0.

        Returns:
            A float in [0, epsilon], for r = `epsilon_ramp_epochs`.
        """
        after = epoch - self.warm_up_epochs
        if after < 0:
            return 0.0
        return self.epsilon * min(1.0, (after + 1) / (self.epsilon_ramp_epochs + 1))

    def _published(self):
        return {"random_start": self.method != "ensemble", **self._published_steps()}

    def _published_steps(self):
        if self.method == "ensemble":
            return {
                "steps": 1,
                "step_ratio": _ENSEMBLE_STEP_RATIO,
                "ensemble_attack": ENSEMBLE_ATTACKS[0],
            }
        if self.method == "fast":
            return {"steps": 1, "step_ratio": _FAST_STEP_RATIO}
        if self.method == "free":
            return {"steps": 1, "step_ratio": _FREE_STEP_RATIO, "replays": _REPLAYS}
        steps, step_ratio = _SMALL_STEPS, _SMALL_STEP_RATIOS[self.method]
        if self.epsilon >= LARGE_EPSILON:
            steps, step_ratio = LARGE_EPSILON_STEPS
        return {
            "steps": steps,
            "step_ratio": step_ratio * steps / (self.steps or steps),
            **({"beta": _BETA} if self.method == "trades" else {}),
        }

    def _check_values(self):
        for name, (minimum, maximum) in _WHOLE.items():
            if getattr(self, name) is not None:
                value = arguments.whole(name, getattr(self, name), least=minimum, most=maximum)
                object.__setattr__(self, name, value)
        for name, maximum in _REAL.items():
            if getattr(self, name) is not None:
                value = arguments.real(name, getattr(self, name), "a number above 0", above=0)
                arguments.real(name, value, f"a number of at most {maximum:g}", most=maximum)
                object.__setattr__(self, name, value)
        for name in ("random_start", "crafting_training_mode", "clean_accuracy"):
            if not isinstance(getattr(self, name), bool | None):
                arguments.refuse(name, "True or False", getattr(self, name))
