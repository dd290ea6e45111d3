"""The kernel activation function as published: every activation against the whole dictionary."""

import keras


class BroadcastKAF(keras.layers.Layer):
    """`sum_i a_ci exp(-bandwidth (s - d_i)^2)` as one broadcast, without a custom gradient.

    Args:
        kernels: the `layers.KernelActivation` whose grid, bandwidth and start it shares.

    Reference: the formula of Scardapane et al., 2019, arXiv 1707.04035.
    """

    def __init__(self, kernels):
        super().__init__()
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
        differences = inputs[..., None] - self._grid
        kernels = keras.ops.exp(-self._kernels.initial_bandwidth * keras.ops.square(differences))
        return keras.ops.sum(self.mixing_coefficients * kernels, axis=-1)
