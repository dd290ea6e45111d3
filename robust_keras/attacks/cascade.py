"""Ensembles: attacks run one after the other, each on what the ones before it left."""

import dataclasses
import typing

from robust_keras.attacks.apgd import APGDCE, APGDTargeted
from robust_keras.attacks.attack import Attack, require_whole
from robust_keras.attacks.fab import FABTargeted
from robust_keras.attacks.jumping_pgd import JumpingPGD
from robust_keras.attacks.nearest_pgd import NearestPGD
from robust_keras.attacks.square import Square
from robust_keras.strength import CASCADE_QUERIES, CASCADE_STEPS, STRONG, of_steps

# The first tries of a cascade are so many times shorter than its long ones.
_SHORTER = 4
# Towards so many classes at most `AutoAttack` has them, as many as `Quick`.
_FIRST_TARGETS = 5
# It goes on at twice the share of the lead that `Quick` does: for what four more starts of APGD-CE
# take, it breaks thirteen images of a thousand more (benchmarks/README.md).
_NEAR = 0.5


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Cascade(Attack):
    """The part that both share: settings that are checked, and the sum of what the stages take."""

    kind: typing.ClassVar[str] = "iterative"
    cascade: typing.ClassVar[bool] = True
    transfers: typing.ClassVar[bool] = False

    steps: int
    targets: int
    queries: int

    def __post_init__(self):
        for name in ("steps", "targets", "queries"):
            require_whole(name, getattr(self, name))

    @property
    def strength(self):
        """Strong with the means of the cheapest, unless some of its attacks cannot run."""
        if self.steps >= CASCADE_STEPS and self.queries >= CASCADE_QUERIES:
            return STRONG
        return of_steps(self.steps)

    @property
    def gradient_evaluations(self):
        """Those of all stages and their rounds."""
        return sum(stage.rounds * stage.gradient_evaluations for stage in self._all())

    @property
    def forward_evaluations(self):
        """The same."""
        return sum(stage.rounds * stage.forward_evaluations for stage in self._all())

    @property
    def _short(self):
        """Steps of the tries that `NearestPGD` and `JumpingPGD` begin with."""
        return max(1, self.steps // _SHORTER)

    def stages(self, norm):
        """The attacks in their order, without those that do not exist in the norm."""
        return tuple(stage for stage in self._all() if norm in stage.norms)

    def propose(self, *args, **settings):
        """A cascade proposes nothing itself: the engine runs its stages."""
        raise TypeError(f"{self.name} must be run by engine.evaluate")


@dataclasses.dataclass(frozen=True, kw_only=True)
class AutoAttack(_Cascade):
    """The standard ensemble, APGD-CE, targeted APGD, FAB-T and Square, after `NearestPGD`.

    The four have the published budgets. Alone they leave it to chance whether images on the border
    fall: on a LeNet-5 from fast adversarial training five seeds of another implementation leave 131
    to 134 images of 200. `NearestPGD` before them, with more tries than `Quick` has, goes on where
    an image comes near, and takes little of others.

    With fewer than four classes the losses are those that `losses.dlr` and
    `losses.targeted_dlr` define for them, and every other class is a target.

    Args:
        steps: of APGD-CE, and of the next two for every target, >= 1.
        targets: number of targets, >= 1.
        queries: of Square, >= 1.
        restarts: of APGD-CE, >= 1.
        again: number of long tries of `NearestPGD` at most, >= 0; 0: the published ensemble alone.

    Raises:
        ValueError: a setting is out of range.

    Reference: Croce and Hein, "Reliable Evaluation of Adversarial Robustness with an Ensemble of
    Diverse Parameter-free Attacks", 2020, arXiv 2003.01690.

    Example:
        >>> [stage.name for stage in AutoAttack().stages("linf")]
        ['nearest_pgd', 'apgd_ce', 'apgd_targeted', 'fab_targeted', 'square']
    """

    name: typing.ClassVar[str] = "autoattack"

    steps: int = 100
    targets: int = 9
    queries: int = 5000
    restarts: int = 1
    again: int = 60

    def __post_init__(self):
        super().__post_init__()
        require_whole("restarts", self.restarts)
        require_whole("again", self.again, minimum=0)

    def _all(self):
        aimed = {"steps": self.steps, "targets": self.targets}
        published = (
            APGDCE(steps=self.steps, restarts=self.restarts),
            APGDTargeted(**aimed),
            FABTargeted(**aimed),
            Square(queries=self.queries),
        )
        return (*self._before(), *published)

    def _before(self):
        if not self.again:
            return ()
        targets = min(self.targets, _FIRST_TARGETS)
        return (NearestPGD(steps=self._short, targets=targets, again=self.again, near=_NEAR),)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Quick(_Cascade):
    """A cheap cascade for every day: nearly what `AutoAttack` finds, for a fraction of its price.

    `NearestPGD` tries the nearest classes and goes on where an image came near to falling, the more
    the nearer; `JumpingPGD` goes on by random squares where a climb ends below the boundary, and a
    short random search shows where gradients lead nowhere. Of several epsilons it looks for the
    smallest at which each image falls, by bisection. Quote `AutoAttack`, not this.

    Args:
        steps: of the long tries of `NearestPGD`, a quarter of them of its first tries and of the
            climbs of `JumpingPGD`, >= 1.
        targets: number of its first tries, >= 1.
        queries: of Square, >= 1.

    Raises:
        ValueError: a setting is out of range.
    """

    name: typing.ClassVar[str] = "quick"
    bisects: typing.ClassVar[bool] = True

    steps: int = 100
    targets: int = _FIRST_TARGETS
    queries: int = 200

    def _all(self):
        # The first does what broke the most for each gradient (benchmarks/learn_cascade.py), the
        # second was chosen by what Square alone found of a robust network.
        return (
            NearestPGD(steps=self._short, targets=self.targets),
            JumpingPGD(steps=self._short),
            Square(queries=self.queries),
        )
