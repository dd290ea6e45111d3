"""FGSM, Step-LL, BIM, PGD and MIM, whose steps CleverHans computes.

Pixels outside the bounds and impossible epsilons, which CleverHans accepts in silence, are refused
here; steps longer than epsilon, where it fails an assertion, cannot be asked for.
"""

import dataclasses
import itertools
import typing
from typing import Any

import numpy as np
import tensorflow as tf

from robust_keras.attackable import Attackable
from robust_keras.attacks.attack import Attack, require_number, require_whole
from robust_keras.attacks.loops import cleverhans_steps
from robust_keras.attacks.loops.batches import ShrinkingBatch
from robust_keras.attacks.loops.proposal import Proposal
from robust_keras.attacks.loops.random_changes import uniform_in_ball
from robust_keras.attacks.loops.watched_gradient import WatchedGradient, looks
from robust_keras.strength import of_steps


@dataclasses.dataclass(frozen=True, kw_only=True)
class _CleverHansAttack(Attack):
    """The part that they share: checked inputs in, a numpy array out."""

    def propose(self, classifier, images, labels, *, threat_model, epsilon, generators):
        """Moves the images up the loss; see `Attack.propose`."""
        images = threat_model.checked(images, epsilon)
        ball = {"threat_model": threat_model, "epsilon": float(epsilon)}
        moved, passes = self._move(classifier, images, np.asarray(labels), generators, **ball)
        return Proposal(moved, np.broadcast_to(passes, len(images)), np.zeros(len(images), int))


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

    def _move(self, classifier, images, labels, generators, **ball):
        arguments = WatchedGradient(classifier), tf.constant(images), tf.constant(labels, tf.int32)
        return cleverhans_steps.one_step(*arguments, **ball).numpy(), 1


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

    @property
    def gradient_evaluations(self) -> int:
        """One."""
        return 1

    @property
    def forward_evaluations(self) -> int:
        """That of the candidate, and one that tells the least likely class."""
        return 2

    def propose(
        self, classifier: Attackable, images: np.ndarray, labels: np.ndarray, **settings: Any
    ) -> Proposal:
        """The same, with what it took."""
        proposal = super().propose(classifier, images, labels, **settings)
        return dataclasses.replace(proposal, forward_evaluations=proposal.gradient_evaluations)

    def _move(self, classifier, images, labels, generators, **ball):
        inputs = tf.constant(images)
        least = np.argmin(classifier.logits(inputs), axis=1)
        arguments = WatchedGradient(classifier), inputs, tf.constant(least, tf.int32)
        moved = cleverhans_steps.one_step(*arguments, **ball, targeted=True).numpy()
        # Away from the least likely class would be towards the label.
        stuck = (least == labels)[:, None, None, None]
        return np.where(stuck, images, moved), 1


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

    def _move(self, classifier, images, labels, generators, *, threat_model, epsilon):
        ball = {"threat_model": threat_model, "epsilon": epsilon, "step": self.step * epsilon}
        starts = self._starts(images, generators, epsilon, threat_model.norm)
        moved, fallen = images.copy(), np.zeros(len(images), bool)
        passes, gradient = np.zeros(len(images), int), None

        def move(problem, points, first, last):
            nonlocal gradient
            gradient = WatchedGradient(classifier)
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

        problem, points = (images, labels.astype(np.int32)), starts.astype(np.float32)
        tensors = tf.nest.map_structure(tf.constant, (problem, points))
        marks = looks(self.steps) if self.stop_early else [self.steps]
        batch = ShrinkingBatch(tensors, len(images))
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

    def _starts(self, images, generators, epsilon, norm):
        return images


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

    def _starts(self, images, generators, epsilon, norm):
        return images + uniform_in_ball(generators, images.shape[1:], epsilon, norm)


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

    def unhurried(self) -> "Attack":
        """The same with its last point."""
        return dataclasses.replace(self, stop_early=False)

    @property
    def gradient_evaluations(self) -> int:
        """One a step."""
        return self.steps

    def _move(self, classifier, images, labels, generators, *, epsilon, **ball):
        gradient = WatchedGradient(classifier)
        moved = cleverhans_steps.momentum_steps(
            gradient,
            tf.constant(images),
            tf.constant(labels, tf.int32),
            epsilon=epsilon,
            step=self.step * epsilon,
            steps=self.steps,
            decay=self.decay,
            **ball,
        )
        found = gradient.fooling_or(moved) if self.stop_early else moved
        return found.numpy(), self.steps


def _check_steps(attack):
    require_whole("steps", attack.steps)
    require_number("step", attack.step, maximum=1.0, above=True)
