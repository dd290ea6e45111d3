"""FGSM, Step-LL, BIM, PGD and MIM, whose steps CleverHans computes.

Pixels outside the bounds and impossible epsilons, which CleverHans accepts in silence, are refused
here; steps longer than epsilon, where it fails an assertion, cannot be asked for.
"""

import dataclasses
import itertools
import typing

import numpy as np
import tensorflow as tf

from robust_keras.attacks.attack import Attack, require_number, require_whole
from robust_keras.attacks.loops import cleverhans_steps
from robust_keras.attacks.loops.batches import ShrinkingBatch
from robust_keras.attacks.loops.proposal import Proposal
from robust_keras.attacks.loops.random_changes import uniform_in_ball
from robust_keras.attacks.loops.task import Task
from robust_keras.attacks.loops.watched_gradient import WatchedGradient, looks
from robust_keras.strength import of_steps


@dataclasses.dataclass(frozen=True, kw_only=True)
class _CleverHansAttack(Attack):
    """The part that they share: numpy arrays out."""

    def attack(self, task):
        """Moves the images up the loss; see `Attack.propose`."""
        moved, passes = self._move(task, threat_model=task.threat_model, epsilon=task.epsilon)
        return Proposal(moved, np.broadcast_to(passes, len(moved)), np.zeros(len(moved), int))


@dataclasses.dataclass(frozen=True, kw_only=True)
class FGSM(_CleverHansAttack):
    """Fast gradient sign method: one step of length epsilon.

    Formula: linf: `x + epsilon sign(g)`; l2: `x + epsilon g / norm(g)`; g the gradient of the
    cross-entropy of the label.

    Reference: Goodfellow et al., "Explaining and Harnessing Adversarial Examples", 2015,
    arXiv 1412.6572.
    """

    name: typing.ClassVar[str] = "fgsm"
    kind: typing.ClassVar[str] = "one_step"

    @property
    def gradient_evaluations(self) -> int:
        """One."""
        return 1

    def _move(self, task, **ball):
        inputs, labels = tf.constant(task.images), tf.constant(task.labels, tf.int32)
        given = WatchedGradient(task.classifier), inputs, labels
        return cleverhans_steps.one_step(*given, **ball).numpy(), 1


@dataclasses.dataclass(frozen=True, kw_only=True)
class StepLL(_CleverHansAttack):
    """One step towards the class that the model thinks least likely.

    Formula: linf: `x - epsilon sign(g)`; l2: `x - epsilon g / norm(g)`; g the gradient of the
    cross-entropy of the least likely class. A label that is the least likely one already has its
    image left as it is.

    Reference: Kurakin et al., "Adversarial Machine Learning at Scale", 2017, arXiv 1611.01236.
    """

    name: typing.ClassVar[str] = "step_ll"
    kind: typing.ClassVar[str] = "one_step"
    aims: typing.ClassVar[bool] = False

    @property
    def gradient_evaluations(self) -> int:
        """One."""
        return 1

    @property
    def forward_evaluations(self) -> int:
        """That of the candidate, and one that tells the least likely class."""
        return 2

    def attack(self, task: Task) -> Proposal:
        """The same, with what it took."""
        proposal = super().attack(task)
        return dataclasses.replace(proposal, forward_evaluations=proposal.gradient_evaluations)

    def _move(self, task, **ball):
        inputs = tf.constant(task.images)
        least = np.argmin(task.classifier.logits(inputs), axis=1)
        given = WatchedGradient(task.classifier), inputs, tf.constant(least, tf.int32)
        moved = cleverhans_steps.one_step(*given, **ball, targeted=True).numpy()
        # Away from the least likely class would be towards the label.
        stuck = (least == task.labels)[:, None, None, None]
        return np.where(stuck, task.images, moved), 1


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Descent(_CleverHansAttack):
    """PGD from some start: `steps`, `step` and `_starts` are the subclass'."""

    kind: typing.ClassVar[str] = "iterative"
    any_batch: typing.ClassVar[bool] = True

    stop_early: bool = True

    def __post_init__(self):
        _check_steps(self)

    @property
    def strength(self):
        """Of enough steps."""
        return of_steps(self.steps, self.step)

    @property
    def stops_early(self):
        """As it is set."""
        return self.stop_early

    def unhurried(self):
        """The same with all its steps."""
        return dataclasses.replace(self, stop_early=False)

    @property
    def gradient_evaluations(self):
        """One a step; an image that is found to be fooled takes no more of them."""
        return self.steps

    def _move(self, task, **ball):
        moved, fallen = task.images.copy(), np.zeros(len(task.images), bool)
        passes, gradient = np.zeros(len(moved), int), None
        ball["step"] = self.step * task.epsilon

        def move(problem, points, first, last):
            nonlocal gradient
            gradient = WatchedGradient(task.classifier)
            inputs, truth = problem
            given = gradient, inputs, points, truth
            return last - first, cleverhans_steps.projected_steps(
                *given, steps=last - first, **ball
            )

        def note(rows, taken, points):
            reached = gradient.fooling_or(points) if self.stop_early else points
            # An image that fell may stay in the batch for a while, and may recover there.
            new = ~fallen[rows]
            moved[rows[new]] = reached.numpy()[: len(rows)][new]
            fallen[rows] |= gradient.fooled.numpy()[: len(rows)]
            passes[rows] += taken
            return ~fallen[rows]

        problem = task.images, task.labels.astype(np.int32)
        given = problem, self._starts(task).astype(np.float32)
        marks = looks(self.steps) if self.stop_early else [self.steps]
        batch = ShrinkingBatch(tf.nest.map_structure(tf.constant, given), len(moved))
        batch.run(itertools.pairwise([0, *marks]), move, note)
        return moved, passes


@dataclasses.dataclass(frozen=True, kw_only=True)
class BIM(_Descent):
    """Basic iterative method: FGSM in small steps from the image itself, projected after each.

    Args:
        steps: number of steps, >= 1.
        step: length of a step in units of epsilon, in (0, 1].
        stop_early: whether an image that is found to be fooled stays there and takes no more steps;
            without it examples go on and carry over better to other models.

    Reference: Kurakin et al., "Adversarial Examples in the Physical World", 2017, arXiv 1607.02533.
    """

    name: typing.ClassVar[str] = "bim"
    kind: typing.ClassVar[str] = "iterative"

    steps: int = 20
    step: float = 0.1

    def _starts(self, task):
        return task.images


@dataclasses.dataclass(frozen=True, kw_only=True)
class PGD(_Descent):
    """Projected gradient descent: BIM from a random point of the ball, with restarts.

    The default step is a tenth of epsilon. Madry's for MNIST (0.01 at epsilon 0.3) is a thirtieth,
    so 40 steps can hardly cross the ball: on a network trained against FGSM it left up to 11 points
    more than steps of a tenth did.

    Args:
        steps: number of steps, >= 1.
        step: length of a step in units of epsilon, in (0, 1].
        restarts: independent starts, >= 1; an image falls if one of them fools the model.
        stop_early: whether an image that is found to be fooled stays there and takes no more steps;
            without it examples go on and carry over better to other models.

    Reference: Madry et al., "Towards Deep Learning Models Resistant to Adversarial Attacks", 2018,
    arXiv 1706.06083.

    Example:
        >>> PGD(steps=10, restarts=2).settings()
        {'stop_early': True, 'steps': 10, 'step': 0.1, 'restarts': 2}
    """

    name: typing.ClassVar[str] = "pgd"
    kind: typing.ClassVar[str] = "iterative"

    steps: int = 40
    step: float = 0.1
    restarts: int = 1

    def __post_init__(self):
        super().__post_init__()
        require_whole("restarts", self.restarts)

    @property
    def rounds(self) -> int:
        """The number of restarts."""
        return self.restarts

    def _starts(self, task):
        ball = task.image_shape, task.epsilon, task.norm
        return task.images + uniform_in_ball(task.generators, *ball)


@dataclasses.dataclass(frozen=True, kw_only=True)
class MIM(_CleverHansAttack):
    """Momentum iterative method: steps along a decaying sum of normalised gradients.

    Formula: `m <- decay m + g / mean|g|`, then a step along sign(m) (linf) or m / norm(m) (l2).

    Args:
        steps: number of steps, >= 1.
        step: length of a step in units of epsilon, in (0, 1].
        decay: weight of the past, >= 0.
        stop_early: whether the first point that fools the model is taken, instead of the last one;
            all steps are made all the same.

    Reference: Dong et al., "Boosting Adversarial Attacks with Momentum", 2018, arXiv 1710.06081.
    """

    name: typing.ClassVar[str] = "mim"
    kind: typing.ClassVar[str] = "iterative"

    steps: int = 10
    step: float = 0.1
    decay: float = 1.0
    stop_early: bool = True

    def __post_init__(self):
        _check_steps(self)
        require_number("decay", self.decay, maximum=1e6)

    @property
    def strength(self) -> str:
        """Of enough steps."""
        return of_steps(self.steps, self.step)

    @property
    def stops_early(self) -> bool:  # type: ignore[override]
        """As it is set."""
        return self.stop_early

    def unhurried(self) -> "Attack":
        """The same with its last point."""
        return dataclasses.replace(self, stop_early=False)

    @property
    def gradient_evaluations(self) -> int:
        """One a step."""
        return self.steps

    def _move(self, task, **ball):
        gradient = WatchedGradient(task.classifier)
        moved = cleverhans_steps.momentum_steps(
            gradient,
            tf.constant(task.images),
            tf.constant(task.labels, tf.int32),
            step=self.step * task.epsilon,
            steps=self.steps,
            decay=self.decay,
            **ball,
        )
        found = gradient.fooling_or(moved) if self.stop_early else moved
        return found.numpy(), self.steps


def _check_steps(attack):
    require_whole("steps", attack.steps)
    require_number("step", attack.step, maximum=1.0, above=True)
