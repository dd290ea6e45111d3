"""DeepFool: to the nearest linearised boundary, again and again until the class changes."""

import dataclasses
import typing
from collections.abc import Callable

import numpy as np
import tensorflow as tf

from robust_keras import compiled
from robust_keras.attacks.attack import Attack, require_number, require_whole
from robust_keras.attacks.loops.ascent import choose
from robust_keras.attacks.loops.batches import ShrinkingBatch, spans
from robust_keras.attacks.loops.fooled import is_fooled
from robust_keras.attacks.loops.graph import Graph, repeat
from robust_keras.attacks.loops.proposal import Proposal
from robust_keras.attacks.loops.targets import likeliest_others
from robust_keras.attacks.loops.task import Task
from robust_keras.strength import of_steps

# After so many steps, images whose class has changed leave the batch.
_BETWEEN_LOOKS = 2
# How much further than computed each step goes. Where pixels are at their limits a step falls short
# of the boundary, and without this the search would creep up to it forever.
_FURTHER = 1e-4


@dataclasses.dataclass(frozen=True, kw_only=True)
class DeepFool(Attack):
    """The way to the nearest boundary between linearised logits, step by step.

    It looks for a small change and knows no epsilon: what it finds beyond epsilon counts only where
    its projection still fools the model.

    Formula: with `f_k = z_y - z_k` and `w_k` its gradient at the point, the class k of the smallest
    `f_k / norm_q(w_k)` gives the step `r = -f_k w_k / norm_2(w_k)^2` (l2) or
    `-f_k sign(w_k) / norm_1(w_k)` (linf), made longer by 0.0001 as in the authors' code; the next
    point is `x + (1 + overshoot) sum r`, clipped to the pixel range. The classes are those with the
    largest logits of the clean image.

    Args:
        steps: largest number of steps, >= 1.
        classes: classes compared at each step, the label among them, >= 2; a model with fewer has
            all of them compared.
        overshoot: how far past the boundary, as a share of the way, >= 0.

    Raises:
        ValueError: a setting is out of range.

    Reference: Moosavi-Dezfooli, Fawzi and Frossard, "DeepFool: a Simple and Accurate Method to Fool
    Deep Neural Networks", 2016, arXiv 1511.04599.

    Example:
        >>> DeepFool(steps=20).settings()
        {'steps': 20, 'classes': 10, 'overshoot': 0.02}
    """

    name: typing.ClassVar[str] = "deepfool"
    kind: typing.ClassVar[str] = "iterative"
    any_batch: typing.ClassVar[bool] = True
    stops_early: typing.ClassVar[bool] = True
    any_epsilon: typing.ClassVar[bool] = True

    steps: int = 50
    classes: int = 10
    overshoot: float = 0.02

    def __post_init__(self):
        require_whole("steps", self.steps)
        require_whole("classes", self.classes, minimum=2)
        require_number("overshoot", self.overshoot, maximum=1.0)

    @property
    def strength(self) -> str:
        """Of enough steps."""
        return of_steps(self.steps)

    @property
    def gradient_evaluations(self) -> int:
        """One a step for every class but the label."""
        return self.steps * (self.classes - 1)

    @property
    def forward_evaluations(self) -> int:
        """One a step, that of the candidate, and one that chooses the classes."""
        return self.steps + 2

    def attack(self, task: Task) -> Proposal:
        """Moves the images over the boundary; see `Attack.propose`."""
        images = task.images
        targets = likeliest_others(task, self.classes - 1)
        graph = compiled.graph(task.classifier, Crossing, task.image_shape, task.norm)
        problem = Problem(
            images=tf.constant(images),
            labels=tf.constant(task.labels, tf.int32),
            targets=tf.constant(targets.T, tf.int32),
        )
        bounds = tf.constant(task.threat_model.bounds, tf.float32)
        start = State(problem.images, tf.zeros_like(problem.images), tf.zeros(len(images), tf.bool))
        points, steps = images.copy(), np.zeros(len(images), int)

        def move(problem, state, first, count):
            return graph.search(problem, state, bounds, 1.0 + self.overshoot, count)

        def note(rows, taken, state):
            steps[rows] += taken
            points[rows] = state.point.numpy()[: len(rows)]
            return ~state.fooled.numpy()

        batch = ShrinkingBatch((problem, start), len(images))
        batch.run(spans(self.steps, _BETWEEN_LOOKS), move, note)
        # One forward pass a step, and one that chose the classes.
        return Proposal(points, steps * len(targets), steps + 1)


class Problem(typing.NamedTuple):
    """What is given, one row an image: images, labels (batch,), other classes (batch, classes)."""

    images: tf.Tensor
    labels: tf.Tensor
    targets: tf.Tensor


class State(typing.NamedTuple):
    """Where the search stands: the point, the sum of all steps, and whether the class changed."""

    point: tf.Tensor
    change: tf.Tensor
    fooled: tf.Tensor


class Crossing(Graph):
    """The compiled function for one classifier and norm.

    Args:
        logits, num_classes, image_shape: see `Graph`.
        norm: "linf" or "l2".
    """

    def __init__(self, logits: Callable, num_classes: int, image_shape: tuple[int, ...], norm: str):
        super().__init__(logits, num_classes, image_shape)
        self._norm = norm
        pixels = tf.TensorSpec((None, *image_shape), tf.float32)
        labels = tf.TensorSpec((None,), tf.int32)
        problem = Problem(pixels, labels, tf.TensorSpec((None, None), tf.int32))
        state = State(pixels, pixels, tf.TensorSpec((None,), tf.bool))
        length, steps = tf.TensorSpec((), tf.float32), tf.TensorSpec((), tf.int32)
        arguments = [problem, state, tf.TensorSpec((2,), tf.float32), length, steps]
        self.search = compiled.function(self._search, arguments)

    def _search(self, problem, state, bounds, length, steps):
        """Takes so many steps, or fewer if every class has changed before.

        Returns:
            `(steps taken, state)`: a gradient for each other class and a forward pass a step.
        """

        def step(_, state):
            return self._step(problem, state, bounds, length)

        return repeat(step, state, lambda state: state.fooled, steps)

    def _step(self, problem, state, bounds, length):
        change = state.change + self._nearest(problem, state.point)
        point = problem.images + length * change
        point = choose(state.fooled, state.point, tf.clip_by_value(point, bounds[0], bounds[1]))
        values = self.answers(point)
        fooled = is_fooled(values, problem.labels)
        return State(point, choose(state.fooled, state.change, change), state.fooled | fooled)

    def _nearest(self, problem, points):
        """The way to the nearest of the linearised boundaries; none where there is no gradient."""
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(points)
            values = self.answers(points)
        label = tf.one_hot(problem.labels, self._num_classes)

        def body(index, nearest, way):
            # One backward pass at a time, in one piece of graph, whatever the number of classes.
            lead = label - tf.one_hot(problem.targets[:, index], self._num_classes)
            gradient = tape.gradient(values, points, lead, unconnected_gradients="zero")
            # A SavedModel's gradient may have lost its shape.
            gradient = tf.ensure_shape(gradient, points.shape)
            distance, step = self._way(tf.reduce_sum(lead * values, axis=1), gradient)
            nearer = distance < nearest
            return index + 1, tf.where(nearer, distance, nearest), choose(nearer, step, way)

        count = tf.shape(problem.targets)[1]
        farthest = tf.fill(tf.shape(problem.labels), float("inf"))
        start = tf.constant(0), farthest, tf.zeros_like(points)
        return tf.while_loop(lambda index, *_: index < count, body, start)[2]

    def _way(self, lead, gradient):
        """Distance of the boundary, infinite where it cannot be told, and the step to it."""
        axes = (1, 2, 3)
        largest = tf.reduce_max(tf.abs(gradient), axis=axes)
        usable = tf.math.is_finite(largest) & tf.math.is_finite(lead) & (largest > 0.0)
        gradient = choose(usable, gradient, tf.zeros_like(gradient))
        # Scaled to a largest component of 1, so that squares neither vanish nor overflow.
        gradient = tf.math.divide_no_nan(gradient, tf.reshape(largest, (-1, 1, 1, 1)))
        lead = tf.math.divide_no_nan(tf.where(usable, lead, 0.0), largest)
        if self._norm == "linf":
            direction = tf.sign(gradient)
            distance = tf.math.divide_no_nan(lead, tf.reduce_sum(tf.abs(gradient), axis=axes))
        else:
            length = tf.sqrt(tf.reduce_sum(tf.square(gradient), axis=axes))
            direction = tf.math.divide_no_nan(gradient, tf.reshape(length, (-1, 1, 1, 1)))
            distance = tf.math.divide_no_nan(lead, length)
        length = distance + _FURTHER * tf.where(distance < 0.0, -1.0, 1.0)
        step = -tf.reshape(length, (-1, 1, 1, 1)) * direction
        return tf.where(usable, tf.abs(distance), float("inf")), step
