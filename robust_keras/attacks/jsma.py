"""JSMA: two pixels at a time, those that a saliency map of the logits points at."""

import dataclasses
import math
import typing
from collections.abc import Callable

import numpy as np
import tensorflow as tf

from robust_keras import compiled
from robust_keras.attacks.attack import Attack, require_number, require_whole
from robust_keras.attacks.loops.ascent import choose
from robust_keras.attacks.loops.batches import ShrinkingBatch, padded_places, spans
from robust_keras.attacks.loops.fooled import is_fooled
from robust_keras.attacks.loops.graph import Graph, repeat
from robust_keras.attacks.loops.proposal import Proposal
from robust_keras.attacks.loops.saliency_pairs import best_pairs
from robust_keras.attacks.loops.targets import likeliest_others
from robust_keras.attacks.loops.task import Task

# After so many pairs, images that are done with leave the batch.
_BETWEEN_LOOKS = 4
# Pixels that are paired with each other; few images have so many worth it.
_CANDIDATES = 128


@dataclasses.dataclass(frozen=True, kw_only=True)
class JSMA(Attack):
    """The Jacobian-based saliency map attack: few pixels are changed, each as far as it may.

    Formula: with `a` the derivatives of the target's logit and `b` those of the sum of all others,
    the pair of pixels (channels count as pixels) with `a_p + a_q > 0 > b_p + b_q` and the largest
    `-(a_p + a_q) (b_p + b_q)` rises by theta, until the class changes, no such pair is left, or
    `share` of the pixels has been used. A pixel at its limit is not chosen again.

    Every pixel keeps within epsilon of where it was. With epsilon 1 this is the published attack;
    below, a weaker one, since few pixels are changed and each only so far.

    Args:
        theta: how far a chosen pixel rises at once, in (0, 1] of the pixel range.
        share: share of the pixels that may be changed, in (0, 1]; two a step.
        targets: classes to aim at in turn, those of the largest logits of the clean image, >= 1.

    Raises:
        ValueError: a setting is out of range.

    Reference: Papernot et al., "The Limitations of Deep Learning in Adversarial Settings", 2016,
    arXiv 1511.07528.

    Example:
        >>> JSMA(targets=9).settings()
        {'theta': 1.0, 'share': 0.145, 'targets': 9}
    """

    name: typing.ClassVar[str] = "jsma"
    kind: typing.ClassVar[str] = "sparse"
    any_batch: typing.ClassVar[bool] = True
    stops_early: typing.ClassVar[bool] = True
    norms: typing.ClassVar[tuple[str, ...]] = ("linf",)

    theta: float = 1.0
    share: float = 0.145
    targets: int = 1

    def __post_init__(self):
        require_number("theta", self.theta, maximum=1.0, above=True)
        require_number("share", self.share, maximum=1.0, above=True)
        require_whole("targets", self.targets)

    def pairs(self, image_shape: tuple[int, ...]) -> int:
        """Pairs of pixels that may change for each target."""
        return int(self.share * math.prod(image_shape) / 2)

    def passes(self, image_shape: tuple[int, ...]) -> tuple[int, int]:
        """Two gradients and a forward pass a pair; the candidate, and one chooses the targets."""
        pairs = self.targets * self.pairs(image_shape)
        return 2 * pairs, pairs + 2

    def attack(self, task: Task) -> Proposal:
        """Raises pixels two by two; see `Attack.propose`."""
        search = _Search(self, task)
        for targets in likeliest_others(task, self.targets):
            search.run(targets)
        return search.proposal()


class _Search:
    """One batch under attack; `run` is called for what is left of it."""

    def __init__(self, attack, task):
        self._images, self._labels = task.images, task.labels
        _, self._highest = task.limits
        self._rise = attack.theta * task.threat_model.width
        self._pairs = attack.pairs(task.image_shape)
        self._graph = compiled.graph(task.classifier, SaliencyMap, task.image_shape)
        self._points = task.images.copy()
        self._fooled = np.zeros(len(task.images), bool)
        self._steps = np.zeros(len(task.images), int)

    def proposal(self):
        """Two gradients and a forward pass a step; one forward pass chose the targets."""
        return Proposal(self._points, 2 * self._steps, self._steps + 1)

    def run(self, targets):
        """Moves the images that are not fooled yet towards the targets, int array (batch,)."""
        pending = np.flatnonzero(~self._fooled)
        if not len(pending):
            return
        places = padded_places(pending, len(self._images))
        problem = Problem(
            labels=tf.constant(self._labels[places], tf.int32),
            targets=tf.constant(targets[places], tf.int32),
            highest=tf.constant(self._highest[places]),
        )
        nothing = tf.zeros(len(places), tf.bool)
        state = State(tf.constant(self._images[places]), nothing, nothing)

        def move(problem, state, first, count):
            return self._graph.search(problem, state, self._rise, count)

        def note(rows, taken, state):
            rows = places[rows]
            self._steps[rows] += taken
            self._points[rows] = state.point.numpy()[: len(rows)]
            self._fooled[rows] |= state.fooled.numpy()[: len(rows)]
            return ~(state.fooled | state.stuck).numpy()

        batch = ShrinkingBatch((problem, state), len(pending))
        batch.run(spans(self._pairs, _BETWEEN_LOOKS), move, note)


class Problem(typing.NamedTuple):
    """What is given, one row an image: its label, the class to aim at, the pixels' upper limits."""

    labels: tf.Tensor
    targets: tf.Tensor
    highest: tf.Tensor


class State(typing.NamedTuple):
    """Where the search stands: the point, whether it is fooled, whether no pair is left."""

    point: tf.Tensor
    fooled: tf.Tensor
    stuck: tf.Tensor


class SaliencyMap(Graph):
    """The compiled function for one classifier.

    Args:
        logits, num_classes, image_shape: see `Graph`.
    """

    def __init__(self, logits: Callable, num_classes: int, image_shape: tuple[int, ...]):
        super().__init__(logits, num_classes, image_shape)
        pixels = tf.TensorSpec((None, *image_shape), tf.float32)
        whole, truths = (tf.TensorSpec((None,), kind) for kind in (tf.int32, tf.bool))
        problem, state = Problem(whole, whole, pixels), State(pixels, truths, truths)
        rise, steps = tf.TensorSpec((), tf.float32), tf.TensorSpec((), tf.int32)
        self.search = compiled.function(self._search, [problem, state, rise, steps])

    def _search(self, problem, state, rise, steps):
        """Changes so many pairs of pixels, or fewer if all images are done with before.

        Returns:
            `(pairs changed, state)`: two gradients and a forward pass each.
        """

        def step(_, state):
            return self._step(problem, state, rise)

        return repeat(step, state, lambda state: state.fooled | state.stuck, steps)

    def _step(self, problem, state, rise):
        shape = tf.shape(state.point)
        flat = (-1, state.point.shape[1:].num_elements())
        points, highest = tf.reshape(state.point, flat), tf.reshape(problem.highest, flat)
        gains, losses = (tf.reshape(g, flat) for g in self._gradients(problem, state.point))
        pairs, exists = best_pairs(gains, losses, points < highest, _CANDIDATES)
        chosen = tf.reduce_max(tf.one_hot(pairs, flat[1], dtype=tf.float32), axis=1)
        moved = tf.reshape(tf.minimum(points + rise * chosen, highest), shape)
        # What is done with stays, whatever the other images of the batch still need.
        done = state.fooled | state.stuck | ~exists
        point = choose(done, state.point, moved)
        values = self.answers(point)
        fooled = is_fooled(values, problem.labels)
        return State(point, state.fooled | fooled, state.stuck | ~exists)

    def _gradients(self, problem, points):
        """Of the target's logit, and of the sum of all others."""
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(points)
            values = self.answers(points)
        target = tf.one_hot(problem.targets, self._num_classes)
        return tuple(
            tape.gradient(values, points, weights, unconnected_gradients="zero")
            for weights in (target, 1.0 - target)
        )
