"""The inner loop of FAB as one compiled graph for each classifier and norm."""

import typing
from collections.abc import Callable

import tensorflow as tf

from robust_keras import compiled
from robust_keras.attacks.loops.ascent import choose
from robust_keras.attacks.loops.fooled import is_fooled
from robust_keras.attacks.loops.graph import Graph, repeat
from robust_keras.attacks.loops.hyperplanes import shortest_changes

# As published: how far a step goes past the hyperplane, how much of the change stays once the
# boundary is crossed, and the largest weight of the way that starts from the image.
_OVERSHOOT, _KEPT, _LARGEST_PULL = 1.05, 0.9, 0.1


class Problem(typing.NamedTuple):
    """What is given, one row an image; an image within `radius` of the boundary is done with.

    Images are float32 (batch, height, width, channels), labels and targets int32 (batch,), radius
    float32 (batch,).
    """

    images: tf.Tensor
    labels: tf.Tensor
    targets: tf.Tensor
    radius: tf.Tensor


class State(typing.NamedTuple):
    """Where the search stands: the point, the nearest misclassified one so far, its distance."""

    point: tf.Tensor
    nearest: tf.Tensor
    distance: tf.Tensor


class BoundarySearch(Graph):
    """The compiled function for one classifier and norm.

    Args:
        logits, num_classes, image_shape: see `Graph`.
        norm: "linf" or "l2".
    """

    def __init__(self, logits: Callable, num_classes: int, image_shape: tuple[int, ...], norm: str):
        super().__init__(logits, num_classes, image_shape)
        self._norm = norm
        pixels = tf.TensorSpec((None, *image_shape), tf.float32)
        whole, numbers = (tf.TensorSpec((None,), kind) for kind in (tf.int32, tf.float32))
        problem = Problem(pixels, whole, whole, numbers)
        state = State(pixels, pixels, numbers)
        bounds, steps = tf.TensorSpec((2,), tf.float32), tf.TensorSpec((), tf.int32)
        arguments = [problem, state, bounds, steps]
        self.search = compiled.function(self._search, arguments)

    def _search(self, problem, state, bounds, steps):
        """Takes so many steps, or fewer if all images are done with before.

        Returns:
            `(steps taken, state)`: one gradient and one forward pass a step.
        """

        def step(_, state):
            return self._step(problem, state, bounds)

        return repeat(step, state, lambda state: state.distance <= problem.radius, steps)

    def _step(self, problem, state, bounds):
        point = self._nearer(problem, state.point, bounds)
        distance = self._lengths(point - problem.images)
        fooled = is_fooled(self.answers(point), problem.labels)
        better = fooled & (distance < state.distance)
        return State(
            point=choose(fooled, problem.images + _KEPT * (point - problem.images), point),
            nearest=choose(better, point, state.nearest),
            distance=tf.where(better, distance, state.distance),
        )

    def _nearer(self, problem, points, bounds):
        """Between the ways to the linearised boundary from the point and from the image."""
        values, normals = self._linearise(problem, points)
        from_images = values + tf.reduce_sum(normals * (problem.images - points), axis=(1, 2, 3))
        size = normals.shape[1:].num_elements()
        changes = shortest_changes(
            tf.reshape(tf.concat([points, problem.images], axis=0), (-1, size)),
            tf.tile(tf.reshape(normals, (-1, size)), (2, 1)),
            tf.concat([values, from_images], axis=0),
            *(bounds[0], bounds[1], self._norm),
        )
        changes = tf.reshape(changes, (2, *tf.unstack(tf.shape(points))))
        lengths = [self._lengths(change) for change in (changes[0], changes[1])]
        share = tf.math.divide_no_nan(lengths[0], lengths[0] + lengths[1])
        weight = tf.reshape(tf.minimum(share, _LARGEST_PULL), (-1, 1, 1, 1))
        straight = points + _OVERSHOOT * changes[0]
        pulled = problem.images + _OVERSHOOT * changes[1]
        moved = (1.0 - weight) * straight + weight * pulled
        return tf.clip_by_value(moved, bounds[0], bounds[1])

    def _linearise(self, problem, points):
        """The target's lead over the label and its gradient, scaled to a largest component of 1."""
        with tf.GradientTape() as tape:
            tape.watch(points)
            values = self.answers(points)
            lead = tf.gather(values, problem.targets, batch_dims=1)
            lead -= tf.gather(values, problem.labels, batch_dims=1)
        gradient = tape.gradient(lead, points, unconnected_gradients="zero")
        usable = tf.reduce_all(tf.math.is_finite(gradient), axis=(1, 2, 3))
        usable &= tf.math.is_finite(lead)
        gradient = choose(usable, gradient, tf.zeros_like(gradient))
        largest = tf.reduce_max(tf.abs(gradient), axis=(1, 2, 3))
        lead = tf.math.divide_no_nan(tf.where(usable, lead, 0.0), largest)
        return lead, tf.math.divide_no_nan(gradient, tf.reshape(largest, (-1, 1, 1, 1)))

    def _lengths(self, changes):
        if self._norm == "linf":
            return tf.reduce_max(tf.abs(changes), axis=(1, 2, 3))
        return tf.sqrt(tf.reduce_sum(tf.square(changes), axis=(1, 2, 3)))
