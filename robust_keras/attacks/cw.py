"""Carlini and Wagner's attack: the size of the change against a margin, weighed by bisection."""

import dataclasses
import typing

import numpy as np
import tensorflow as tf

from robust_keras import compiled
from robust_keras.attacks.attack import Attack, require_number, require_whole
from robust_keras.attacks.loops.batches import ShrinkingBatch, spans
from robust_keras.attacks.loops.proposal import Proposal
from robust_keras.attacks.loops.tanh_descent import Problem, TanhDescent
from robust_keras.attacks.loops.task import Task
from robust_keras.strength import of_steps

# As published: how often an image's loss is looked at, and the share of it that must be left for
# the image to be given up until the next weight.
_LOOKS, _STALLED = 10, 0.9999
_RAISE = 10.0


@dataclasses.dataclass(frozen=True, kw_only=True)
class CarliniWagner(Attack):
    """The smallest l2 change that fools the model, by descent in a space without bounds.

    It knows no epsilon: what it finds beyond epsilon counts only where its projection still fools
    the model.

    Formula: `x' = (low + high) / 2 + (high - low) / 2 tanh(w)`; Adam minimises over w
    `norm(x' - x)^2 + c max(z_y - max_{k != y} z_k, 0) / s`, s the label's lead on the clean image,
    so that the logits' scale does not matter. c begins at `constant`; it is multiplied by 10 until
    the model is fooled, then halfway between the largest that failed and the smallest that did not.
    Every value of c starts again at the image. An image whose loss has not fallen by 0.01 % over a
    tenth of the steps waits for the next value.

    Args:
        steps: of Adam for every value of c, at most, >= 1. Published: 10,000, of which the
            early end usually leaves few, at a rate of 0.01. Steps times rate should be 6 or more:
            that is the way of w from a pixel at its limit to one that can move.
        searches: number of values of c, >= 1.
        constant: the first of them, > 0. The published 0.001 for an image whose label leads by 10.
        learning_rate: of Adam, > 0.

    Raises:
        ValueError: a setting is out of range.

    Reference: Carlini and Wagner, "Towards Evaluating the Robustness of Neural Networks", 2017,
    arXiv 1608.04644; untargeted, without extra confidence.

    Example:
        >>> CarliniWagner(steps=200).settings()
        {'steps': 200, 'searches': 9, 'constant': 0.01, 'learning_rate': 0.02}
    """

    name: typing.ClassVar[str] = "cw"
    kind: typing.ClassVar[str] = "iterative"
    any_batch: typing.ClassVar[bool] = True
    stops_early: typing.ClassVar[bool] = True
    any_epsilon: typing.ClassVar[bool] = True
    norms: typing.ClassVar[tuple[str, ...]] = ("l2",)

    steps: int = 500
    searches: int = 9
    constant: float = 0.01
    learning_rate: float = 0.02

    def __post_init__(self):
        require_whole("steps", self.steps)
        require_whole("searches", self.searches)
        require_number("constant", self.constant, maximum=1e10, above=True)
        require_number("learning_rate", self.learning_rate, maximum=1.0, above=True)

    @property
    def strength(self) -> str:
        """Of enough steps."""
        return of_steps(self.steps)

    @property
    def gradient_evaluations(self) -> int:
        """One a step, for every value of c."""
        return self.searches * self.steps

    @property
    def forward_evaluations(self) -> int:
        """That of the candidate, and one that measures the labels' leads."""
        return 2

    def attack(self, task: Task) -> Proposal:
        """Shrinks changes that fool the model; see `Attack.propose`."""
        search = _Search(task, self.learning_rate)
        constants = _Constants(len(task.images), self.constant)
        for _ in range(self.searches):
            constants.narrow(search.run(constants.value, self.steps))
        return search.proposal()


class _Constants:
    """The value of c of every image, and between which two the best one lies."""

    def __init__(self, images, first):
        self.value = np.full(images, first)
        self._lowest, self._highest = np.zeros(images), np.full(images, np.inf)

    def narrow(self, fooled):
        """Takes the next value after those that fooled the model, bool (images,), or failed."""
        self._highest = np.where(fooled, self.value, self._highest)
        self._lowest = np.where(fooled, self._lowest, self.value)
        bounded = np.isfinite(self._highest)
        halfway = (self._lowest + np.where(bounded, self._highest, 0.0)) / 2.0
        self.value = np.where(bounded, halfway, _RAISE * self.value)


class _Search:
    """One batch under attack; `run` is called for every value of c."""

    def __init__(self, task, learning_rate):
        self._images, self._labels = task.images, task.labels
        self._bounds = tf.constant(task.threat_model.bounds, tf.float32)
        self._rate = learning_rate
        self._graph = compiled.graph(task.classifier, TanhDescent, task.image_shape)
        self._nearest = task.images.copy()
        self._distances = np.full(len(task.images), np.inf, np.float32)
        self._passes = np.zeros(len(task.images), int)
        self._leads = self._graph.leads(task.images, tf.constant(self._labels, tf.int32)).numpy()

    def proposal(self):
        """The nearest misclassified points; one forward pass an image measured the leads."""
        return Proposal(self._nearest, self._passes, np.ones_like(self._passes))

    def run(self, constants, steps):
        """Descends with these values of c, float (images,); which images fooled the model."""
        problem = self._problem(constants)
        start = self._graph.begin(problem, tf.constant(self._distances), self._bounds)
        fooled = np.zeros(len(constants), bool)
        before = np.full(len(constants), np.inf)

        def descend(problem, state, first, count):
            given = problem, state, self._bounds, self._rate, first, count
            return count, self._graph.descend(*given)

        def note(rows, taken, state):
            self._passes[rows] += taken
            fooled[rows] |= self._note(rows, state)
            losses = state.loss.numpy()
            falling = losses[: len(rows)] <= _STALLED * before[rows]
            before[rows] = losses[: len(rows)]
            return falling

        batch = ShrinkingBatch((problem, start), len(constants))
        batch.run(spans(steps, max(1, steps // _LOOKS)), descend, note)
        return fooled

    def _note(self, rows, state):
        """Keeps the nearest points; which images fooled the model since the weight was set."""
        count = len(rows)
        self._nearest[rows] = state.nearest.numpy()[:count]
        self._distances[rows] = state.distance.numpy()[:count]
        return state.fooled.numpy()[:count]

    def _problem(self, constants):
        # A label that does not lead leaves the margin as it is.
        leads = np.where(self._leads > 0, self._leads, 1.0)
        return Problem(
            images=tf.constant(self._images),
            labels=tf.constant(self._labels, tf.int32),
            weights=tf.constant(constants / leads, tf.float32),
            nearest=tf.constant(self._nearest),
        )
