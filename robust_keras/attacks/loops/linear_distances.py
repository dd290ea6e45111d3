"""How far away a classifier's boundaries are if its logits are taken for linear functions."""

import typing
from collections.abc import Callable

import numpy as np
import tensorflow as tf

from robust_keras import compiled
from robust_keras.attacks.loops.graph import Graph
from robust_keras.attacks.loops.targets import likeliest_others
from robust_keras.attacks.loops.task import Task


class Nearest(typing.NamedTuple):
    """The classes whose linearised boundaries are nearest.

    `targets` is an int array (targets, batch), nearest first, those without a gradient last; `lead`
    float (batch,), the label's logit minus the largest of the others; `gradients` says how many
    an image that took, besides two forward passes.
    """

    targets: np.ndarray
    lead: np.ndarray
    gradients: int


class LinearDistances(Graph):
    """The compiled distances for one classifier and norm.

    Formula: `(z_y - z_k) / norm_q(grad(z_y - z_k))` at the point, q = 1 (linf) or 2 (l2); infinite
    where the gradient is zero or no number.

    Args:
        logits, num_classes, image_shape: see `Graph`.
        norm: "linf" or "l2".
    """

    def __init__(self, logits: Callable, num_classes: int, image_shape: tuple[int, ...], norm: str):
        super().__init__(logits, num_classes, image_shape)
        self._norm = norm
        whole = (tf.TensorSpec(shape, tf.int32) for shape in ((None,), (None, None)))
        arguments = [tf.TensorSpec((None, *image_shape), tf.float32), *whole]
        self.measure = compiled.function(self._measure, arguments)

    def _measure(self, points, labels, others):
        """Distances and leads, float32 (others, batch), for int32 others of that shape.

        That takes a gradient each and one forward pass.
        """
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(points)
            values = self.answers(points)

        def distance(classes):
            # One backward pass at a time, whatever the number of classes.
            lead = tf.one_hot(labels, self._num_classes) - tf.one_hot(classes, self._num_classes)
            gradient = tape.gradient(values, points, lead, unconnected_gradients="zero")
            lead = tf.reduce_sum(lead * values, axis=1)
            return self._distance(lead, gradient), lead

        numbers = tf.TensorSpec((None,), tf.float32)
        return tf.map_fn(distance, others, fn_output_signature=(numbers, numbers))

    def _distance(self, lead, gradient):
        flat = tf.reshape(gradient, (tf.shape(lead)[0], -1))
        largest = tf.reduce_max(tf.abs(flat), axis=1)
        # Scaled to a largest component of 1, so that squares neither vanish nor overflow.
        flat = tf.math.divide_no_nan(flat, largest[:, None])
        length = tf.norm(flat, ord=1 if self._norm == "linf" else 2, axis=1)
        found = tf.math.divide_no_nan(tf.math.divide_no_nan(lead, largest), length)
        usable = tf.math.is_finite(found) & (largest > 0.0)
        return tf.where(usable, found, float("inf"))


def nearest_others(task: Task, count: int, candidates: int) -> Nearest:
    """The classes besides the label whose linearised boundaries are nearest.

    Args:
        task: `Task`.
        count: how many, >= 1; a model with fewer other classes gets them all.
        candidates: how many of the likeliest classes are looked at, >= count.
    """
    others = likeliest_others(task, candidates)
    graph = compiled.graph(task.classifier, LinearDistances, task.image_shape, task.norm)
    given = tf.constant(task.images), tf.constant(task.labels, tf.int32)
    distances, leads = graph.measure(*given, tf.constant(others, tf.int32))
    ranked = np.argsort(distances.numpy(), axis=0, kind="stable")
    targets = np.take_along_axis(others, ranked, axis=0)[:count]
    return Nearest(targets, leads.numpy().min(axis=0), len(others))
