"""APGD: projected gradient ascent that chooses its own step size, on three losses."""

import dataclasses
import itertools
import typing

import numpy as np
import tensorflow as tf

from robust_keras.attacks.ascent import Problem, ascent, checkpoint
from robust_keras.attacks.attack import Attack, Proposal, require_number, require_whole
from robust_keras.attacks.batches import ShrinkingBatch, padded_places
from robust_keras.attacks.targets import likeliest_others

# After so many steps at most, images that are fooled leave the batch.
_BETWEEN_LOOKS = 4


def checkpoints(steps):
    """Steps after which the search may halve its step size.

    Formula: the first gap is int(0.22 N); every next one is int(0.03 N) shorter, down to
    int(0.06 N); none is under 1.

    Args:
        steps: N, >= 1.

    Returns:
        Rising whole numbers, the last at most N.

    Example:
        >>> checkpoints(100)
        [22, 41, 57, 70, 80, 87, 93, 99]
    """
    gap, shorter, shortest = (max(int(share * steps), 1) for share in (0.22, 0.03, 0.06))
    found = []
    while sum(found) + gap <= steps:
        found.append(gap)
        gap = max(gap - shorter, shortest)
    return list(itertools.accumulate(found))


@dataclasses.dataclass(frozen=True, kw_only=True)
class _APGD(Attack):
    """The part that the three share.

    Args:
        steps: number of steps, >= 1.
        restarts: independent starts, >= 1; an image falls if one of them fools the model.
        rho: share of steps that must raise the loss for the step size to stay, in (0, 1].

    Formula: `z = P(x_k + s d(g_k))`, `x_(k+1) = P(x_k + 0.75 (z - x_k) + 0.25 (x_k - x_(k-1)))`, P
    the projection, g the gradient of the loss, d its sign (linf) or g / norm(g) (l2); s begins at 2
    epsilon and is halved at `checkpoints`, image by image. Starts on the sphere. Every gradient is
    scaled to a largest component of 1 first, so that no small one is lost.

    Raises:
        ValueError: a setting is out of range.

    Reference: Croce and Hein, "Reliable Evaluation of Adversarial Robustness with an Ensemble of
    Diverse Parameter-free Attacks", 2020, arXiv 2003.01690.
    """

    kind: typing.ClassVar[str] = "iterative"
    loss: typing.ClassVar[str]

    steps: int = 100
    restarts: int = 1
    rho: float = 0.75

    def __post_init__(self):
        require_whole("steps", self.steps)
        require_whole("restarts", self.restarts)
        require_number("rho", self.rho, maximum=1.0, above=True)

    @property
    def rounds(self):
        """The number of restarts."""
        return self.restarts

    @property
    def gradient_evaluations(self):
        """One a step and one at the start."""
        return self.steps + 1

    def perturb(self, classifier, images, labels, **settings):
        """Moves the images up the loss; see `Attack.perturb`."""
        return self.propose(classifier, images, labels, **settings).images

    def propose(self, classifier, images, labels, *, threat_model, epsilon, generators):
        """The same, with what it took; see `Attack.propose`."""
        search = _Search(self, classifier, images, labels, threat_model, epsilon, generators)
        search.run(np.asarray(labels))
        return search.proposal(forwards=0)


@dataclasses.dataclass(frozen=True, kw_only=True)
class APGDCE(_APGD):
    """APGD on the cross-entropy of the label, which large logits can blind.

    See `_APGD` for the method and the settings steps, restarts and rho.
    """

    name: typing.ClassVar[str] = "apgd_ce"
    loss: typing.ClassVar[str] = "cross_entropy"


@dataclasses.dataclass(frozen=True, kw_only=True)
class APGDDLR(_APGD):
    """APGD on `losses.dlr`, which does not change with the logits' scale.

    See `_APGD` for the method and the settings steps, restarts and rho.
    """

    name: typing.ClassVar[str] = "apgd_dlr"
    loss: typing.ClassVar[str] = "dlr"


@dataclasses.dataclass(frozen=True, kw_only=True)
class APGDTargeted(_APGD):
    """APGD on `losses.targeted_dlr`, towards one class after the other.

    The targets are the classes with the largest logits of the clean image, beginning with the
    second; an image that has fallen is not attacked further.

    Args:
        targets: number of targets, >= 1; a model with fewer other classes gets them all.

    See `_APGD` for the method and the settings steps, restarts and rho.

    Example:
        >>> APGDTargeted(targets=3).settings()
        {'steps': 100, 'restarts': 1, 'rho': 0.75, 'targets': 3}
    """

    name: typing.ClassVar[str] = "apgd_targeted"
    loss: typing.ClassVar[str] = "targeted_dlr"

    targets: int = 9

    def __post_init__(self):
        super().__post_init__()
        require_whole("targets", self.targets)

    @property
    def gradient_evaluations(self):
        """One a step and one at the start, for every target."""
        return self.targets * (self.steps + 1)

    def propose(self, classifier, images, labels, *, threat_model, epsilon, generators):
        """Moves the images towards every target; see `Attack.propose`."""
        search = _Search(self, classifier, images, labels, threat_model, epsilon, generators)
        for target in likeliest_others(classifier, images, labels, self.targets):
            search.run(target)
        return search.proposal(forwards=1)


class _Search:
    """One batch under attack; `run` may be called several times, for what is left of it."""

    def __init__(self, attack, classifier, images, labels, threat_model, epsilon, generators):
        self._images = np.asarray(images, np.float32)
        threat_model.check_images(self._images)
        threat_model.check_epsilon(epsilon)
        self._attack = attack
        self._labels = np.asarray(labels)
        self._epsilon = epsilon
        self._norm = threat_model.norm
        self._generators = generators
        self._limits = _limits(threat_model, self._images, epsilon)
        self._graph = ascent(classifier, attack.loss, self._norm, self._images.shape[1:])
        self._adversarial = self._images.copy()
        self._fooled = np.zeros(len(self._images), bool)
        self._passes = np.zeros(len(self._images), int)

    def proposal(self, forwards):
        """What was found, with `forwards` forward passes an image on top of the gradients."""
        return Proposal(self._adversarial, self._passes, np.full(len(self._images), forwards))

    def run(self, targets):
        """Attacks the images that are not fooled yet; `targets` is an int array (batch,)."""
        left = np.flatnonzero(~self._fooled)
        if not len(left):
            return
        places = padded_places(left, len(self._images))
        problem = self._problem(places, targets)
        state = self._graph.begin(problem, tf.constant(self._starts(left, len(places))))
        self._passes[left] += 1
        batch = ShrinkingBatch((problem, state), len(left))
        marks = [0, *checkpoints(self._attack.steps)]
        windows = dict(zip(marks[1:], np.diff(marks), strict=True))
        for first, last in itertools.pairwise(_looks(self._attack.steps, marks)):
            problem, state = batch.tensors
            taken, state = self._graph.climb(problem, state, first, last)
            if last in windows:
                state = checkpoint(state, float(windows[last]), self._attack.rho)
            rows = places[batch.places[: batch.real]]
            self._passes[rows] += int(taken)
            batch.tensors = problem, state
            self._note(rows, state)
            if not batch.keep(~state.fooled.numpy()):
                break

    def _note(self, rows, state):
        """Keeps the best points of the images, and the first that fooled the model."""
        new = ~self._fooled[rows]
        points = state.adversarial.numpy()[: len(rows)]
        self._adversarial[rows[new]] = points[new]
        self._fooled[rows] |= state.fooled.numpy()[: len(rows)]

    def _problem(self, places, targets):
        lowest, highest = self._limits
        return Problem(
            images=tf.constant(self._images[places]),
            labels=tf.constant(self._labels[places], tf.int32),
            targets=tf.constant(targets[places], tf.int32),
            lowest=tf.constant(lowest[places]),
            highest=tf.constant(highest[places]),
            radius=tf.fill((len(places),), tf.constant(self._epsilon, tf.float32)),
        )

    def _starts(self, left, rows):
        """Random changes on the sphere, one an image, float32 (rows, ...)."""
        shape = self._images.shape[1:]
        changes = [on_sphere(self._generators[i], shape, self._epsilon, self._norm) for i in left]
        changes += changes[:1] * (rows - len(left))
        return np.stack(changes).astype(np.float32)


def on_sphere(generator, shape, epsilon, norm):
    """A random change of norm epsilon.

    Formula: linf: `epsilon u / max|u|`, u ~ U(-1, 1) a pixel; l2: `epsilon g / norm(g)`, g normal.

    Args:
        generator: `numpy.random.Generator`.
        shape: (height, width, channels).
        epsilon: radius.
        norm: "linf" or "l2".

    Returns:
        float64 array.
    """
    if norm == "linf":
        change = generator.uniform(-1.0, 1.0, shape)
        return epsilon * change / np.abs(change).max()
    change = generator.standard_normal(shape)
    return epsilon * change / np.linalg.norm(change)


def _limits(threat_model, images, epsilon):
    """Smallest and largest pixels allowed: exact in float32, so projecting again moves nothing."""
    if threat_model.norm == "linf":
        return [threat_model.project(images, images + s * epsilon, epsilon) for s in (-1.0, 1.0)]
    return [np.full_like(images, bound) for bound in threat_model.bounds]


def _looks(steps, marks):
    """The checkpoints and enough steps between them that none are too far apart."""
    edges = [*marks, steps] if marks[-1] < steps else marks
    looks = [0]
    for first, last in itertools.pairwise(edges):
        looks += [*range(first + _BETWEEN_LOOKS, last, _BETWEEN_LOOKS), last]
    return looks
