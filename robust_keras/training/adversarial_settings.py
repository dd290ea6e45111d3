"""The method and numbers of adversarial training, validated, with the published defaults."""

import dataclasses
from typing import Any

from robust_keras import arguments
from robust_keras.settings.adversarial import ENSEMBLE_ATTACKS
from robust_keras.settings.adversarial_methods import METHODS, MethodDeclaration
from robust_keras.training.methods import Method, method_class

# Settings that only the methods that declare them have.
_OF_METHOD = ("replays", "beta", "bound_weight", "ensemble_attack")
# The smallest and largest values; beyond the latter a step would never end, or overflow.
_WHOLE = {
    "steps": (1, arguments.MOST_STEPS),
    "replays": (2, 1000),
    "warm_up_epochs": (0, 10**9),
    "epsilon_ramp_epochs": (0, 10**9),
}
_REAL = {"step_ratio": 1e6, "beta": 1e6, "bound_weight": 1.0}


@dataclasses.dataclass(frozen=True, kw_only=True)
class AdversarialSettings:
    """Settings of `AdversarialTraining`. What is None becomes the method's published value.

    Args:
        method: "pgd" (Madry et al., 2017, arXiv 1706.06083), "free" (Shafahi et al., 2019, arXiv
            1904.12843), "fast" (Wong et al., 2020, arXiv 2001.03994), "n_fgsm" (de Jorge et al.,
            2022, arXiv 2202.01181), "half_fgsm" (Zhao and Griffin, 2016, arXiv 1603.05145),
            "trades" (Zhang et al., 2019, arXiv 1901.08573), "ensemble" (Tramer et al., 2017, arXiv
            1705.07204), "ibp" (Gowal et al., 2018, arXiv 1810.12715), "gaussian" (Cohen et
            al., 2019, arXiv 1902.02918), or one that was registered.
        epsilon: the largest change of a pixel in [0, 1], in (0, 1]; 8 of 255 is 8 / 255. gaussian:
            the standard deviation of its noise.
        steps: gradient steps an image, at least 1; pgd and trades: 40 where epsilon is at least
            0.1 (as published for MNIST), else 10 (CIFAR-10). free takes one a replay, ibp none,
            all others one.
        step_ratio: size of a step / epsilon, above 0; pgd: 1/30 where epsilon is at least 0.1, else
            1/4; trades: 1/30 or 7/31; both for the published number of steps, and for another
            such that all steps together reach as far. fast: 1.25; all others: 1.
        replays: free: how often each batch is trained on, at least 2; 8 as published.
        beta: trades: weight of the divergence, above 0; 6 as published for CIFAR-10.
        bound_weight: ibp: share of the loss on the bounds at the full epsilon, in (0, 1]; 0.5 as
            published.
        ensemble_attack: ensemble: "step_ll", a step towards the class that the source model finds
            least likely (as published for ImageNet, and the default), or "fgsm", a step away from
            the class that it predicts (MNIST). Neither looks at the label, so it cannot leak.
        random_start: whether pgd and fast start anywhere in the ball, and trades beside the image;
            None for True. n_fgsm starts within two epsilons; ensemble and half_fgsm start at the
            image.
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
    bound_weight: float | None = None
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
        for name in _OF_METHOD:
            if getattr(self, name) is not None and name not in self.declaration.settings:
                arguments.refuse(name, f"None where method={self.method!r}", getattr(self, name))
        if "steps" not in self.declaration.settings and self.steps not in (None, 1):
            arguments.refuse(
                "steps", f"1 or None where method={self.method!r} (see pgd)", self.steps
            )
        if self.ensemble_attack not in (None, *ENSEMBLE_ATTACKS):
            arguments.refuse(
                "ensemble_attack", "one of " + ", ".join(ENSEMBLE_ATTACKS), self.ensemble_attack
            )
        if self.random_start and not self.method_class.starts_at_random:
            arguments.refuse(
                "random_start", f"None or False where method={self.method!r}", self.random_start
            )
        self._check_values()
        published = self.method_class.published(self.epsilon, self.steps)
        random_start = self.method_class.starts_at_random
        for name, value in {"random_start": random_start, **published}.items():
            if getattr(self, name) is None:
                object.__setattr__(self, name, value)

    @property
    def declaration(self) -> MethodDeclaration:
        """What the method reads and needs."""
        return METHODS[self.method]

    @property
    def method_class(self) -> type[Method]:
        """What the method does."""
        return method_class(self.method)

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
