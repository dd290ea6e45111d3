"""Other ways to compute the same layers: as published, and what was tried and lost."""

import keras
import tensorflow as tf

from robust_keras import layers


class BroadcastKAF(keras.layers.Layer):
    """`sum_i a_ci exp(-bandwidth (s - d_i)^2)` as one broadcast, without a custom gradient.

    Args:
        kernels: the `layers.KernelActivation` whose grid, bandwidth and start it shares.
        **settings: those of every Keras layer.

    Reference: the formula of Scardapane et al., 2019, arXiv 1707.04035.
    """

    def __init__(self, kernels, **settings):
        super().__init__(**settings)
        self._kernels = kernels

    def build(self, input_shape):
        """Creates the mixing coefficients, shape (channels, dictionary_size)."""
        self._kernels.build(input_shape)
        start = self._kernels.mixing_coefficients
        self.mixing_coefficients = self.add_weight(shape=start.shape, initializer="zeros")
        self.mixing_coefficients.assign(start)
        self._grid = self._kernels.grid.astype("float32")
        self._kernels.trainable = False

    def call(self, inputs):
        """Needs dictionary_size times the inputs' memory, several times over."""
        grid = keras.ops.cast(self._grid, inputs.dtype)
        differences = inputs[..., None] - grid
        kernels = keras.ops.exp(-self._kernels.initial_bandwidth * keras.ops.square(differences))
        return keras.ops.sum(self.mixing_coefficients * kernels, axis=-1)


class RecomputedKAF(layers.KernelActivation):
    """The form that any kernel takes: one at a time, recomputed for the gradients."""

    def build(self, input_shape):
        """Leaves the tables out."""
        super().build(input_shape)
        self._tabulated = None


class SortedWinners(layers.KWinnersTakeAll):
    """k-winners-take-all with a threshold from TensorFlow's partial sort."""

    def build(self, input_shape):
        """Reads the ratio, which no graph can."""
        super().build(input_shape)
        self._share = self.ratio

    def call(self, inputs):
        """Sorts each example's k largest entries, as the authors' code does."""
        volumes = tf.reshape(inputs, [tf.shape(inputs)[0], inputs[0].shape.num_elements()])
        count = max(int(self._share * volumes.shape[1]), 1)
        threshold = tf.stop_gradient(tf.math.top_k(volumes, count, sorted=True).values[:, -1:])
        return tf.reshape(tf.where(volumes < threshold, 0.0, volumes), tf.shape(inputs))
