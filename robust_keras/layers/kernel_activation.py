"""Kernel activation functions: trainable activations as sums of kernels on a dictionary."""

import math
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from robust_keras.arguments import choice, flag, positive, refuse, whole
from robust_keras.layers.float_layer import FloatLayer
from robust_keras.layers.gaussian_curve import gaussian_curve
from robust_keras.layers.gaussian_kernels import FixedKernels, MovingKernels
from robust_keras.layers.kernel_ridge import paired_ridge_coefficients, ridge_coefficients
from robust_keras.layers.kernel_sum import kernel_sum
from robust_keras.layers.kernels import BANDWIDTH_RULES, KERNELS, PAIRED_BANDWIDTH
from robust_keras.layers.paired_sum import paired_kernel_sum
from robust_keras.layers.shapes import reshaped

# Tables of trained dictionaries are made anew each step; with so few values a channel and image, in
# batches of a hundred or so, they cost more than the sum (benchmarks/free_kernels_benchmark.py).
_FEW_POSITIONS = 32


@keras.saving.register_keras_serializable(package="robust_keras")
class KernelActivation(FloatLayer):
    """Trainable activation: one sum of kernels for each channel (KAF).

    Formula: `g_c(s) = sum_i a_ci k(s, d_i)`, with D dictionary elements d_i equally spaced on
    [-b, b] at distance `step = 2 b / (D - 1)`. Kernels: gaussian `exp(-bandwidth (s - d)^2)`, relu
    `max(0, s - d)`, softplus `log(1 + exp(s - d))`. With `paired`, channel c and channel
    c + channels / 2 give one output, `sum_ij a_cij k(s, d_i) k(s', d_j)`.

    A Gaussian KAF falls to zero outside [-b, b]: put batch normalisation before it. Started from
    an activation by ridge regression it trains in deep networks; started at random its gradients
    grow by about 1.8 in each layer.

    Args:
        dictionary_size: D, >= 2.
        boundary: b, > 0.
        kernel: `"gaussian"`, `"relu"` or `"softplus"`.
        bandwidth: of the Gaussian kernel: `"paper"` 1 / (6 step^2), `"reference"` 1 / (8 step^2)
            (both 1 / (4 step^2) if `paired`), or a number > 0. The other kernels have none.
        initializer: name of a Keras activation, or a callable, that the layer starts as (a fit by
            kernel ridge regression; if `paired`, to the mean of the activation of both inputs);
            `"random_normal"` (standard deviation 0.3); or any `keras.initializers.Initializer`.
            The relu kernel has no ridge fit and needs one of the last two.
        ridge: regularisation of that fit, > 0.
        trainable_dictionary: whether each channel trains its own dictionary.
        trainable_bandwidth: whether each channel trains its own bandwidth (its logarithm).
        paired: whether channels are paired, which halves their number.
        regularizer: of the mixing coefficients; None or anything `keras.regularizers.get` takes.
        constraint: of the mixing coefficients; None or anything `keras.constraints.get` takes.
        **kwargs: arguments of `keras.layers.Layer`.

    Input shape: (batch, ..., channels). Output shape: the input's; (batch, ..., channels / 2) if
    `paired`. The weight `mixing_coefficients` has shape (channels, dictionary_size), or
    (channels / 2, dictionary_size**2) if `paired`. Always computed in float32 or better.

    Raises:
        ValueError: if an argument is out of range, the input is not floating point, its number of
            channels is unknown, or odd where `paired`.

    Reference: Scardapane, Van Vaerenbergh, Totaro and Uncini, "Kafnets: Kernel-based
    Non-parametric Activation Functions for Neural Networks", 2019, arXiv 1707.04035; the relu and
    softplus kernels: Marra et al., 2018, arXiv 1807.06302.

    Example:
        >>> KernelActivation(initializer="silu")(np.zeros((2, 8, 8, 16), "float32")).shape
        TensorShape([2, 8, 8, 16])
    """

    def __init__(
        self,
        dictionary_size: int = 20,
        boundary: float = 5.0,
        kernel: str = "gaussian",
        bandwidth: float | str = "paper",
        initializer: str = "elu",
        ridge: float = 1e-6,
        trainable_dictionary: bool = False,
        trainable_bandwidth: bool = False,
        paired: bool = False,
        regularizer: Any = None,
        constraint: Any = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.dictionary_size = whole("dictionary_size", dictionary_size, least=2)
        self.boundary = positive("boundary", boundary)
        self.kernel = choice("kernel", kernel, KERNELS)
        self.bandwidth = _checked_bandwidth(bandwidth)
        self.initializer = _checked_initializer(initializer)
        self.ridge = positive("ridge", ridge)
        self.trainable_dictionary = flag("trainable_dictionary", trainable_dictionary)
        self.trainable_bandwidth = flag("trainable_bandwidth", trainable_bandwidth)
        self.paired = flag("paired", paired)
        self.regularizer = keras.regularizers.get(regularizer)
        self.constraint = keras.constraints.get(constraint)
        self._check_kernel_arguments()

    def _check_kernel_arguments(self):
        kernel = KERNELS[self.kernel]
        if not kernel.ridge and not isinstance(self.initializer, keras.initializers.Initializer):
            raise ValueError(
                f"`initializer` must be 'random_normal' or a keras.initializers.Initializer for "
                f"the {self.kernel} kernel, whose matrix is singular: kernel ridge regression "
                f"has no solution. Received: initializer={self.initializer!r}"
            )
        if self.paired and self.kernel != "gaussian":
            refuse("kernel", "'gaussian' where paired=True", self.kernel)
        if kernel.bandwidth_slope is None and self.bandwidth not in BANDWIDTH_RULES:
            refuse("bandwidth", f"left out for the {self.kernel} kernel", self.bandwidth)
        if kernel.bandwidth_slope is None and self.trainable_bandwidth:
            refuse("trainable_bandwidth", f"False for the {self.kernel} kernel", True)

    @property
    def grid(self) -> np.ndarray:
        """The dictionary at the start: float64, shape (dictionary_size,)."""
        return np.linspace(-self.boundary, self.boundary, self.dictionary_size)

    @property
    def initial_bandwidth(self) -> float:
        """The bandwidth at the start, as a number."""
        if self.bandwidth not in BANDWIDTH_RULES:
            return self.bandwidth
        rule = PAIRED_BANDWIDTH if self.paired else BANDWIDTH_RULES[self.bandwidth]
        step = 2 * self.boundary / (self.dictionary_size - 1)
        return rule / step**2

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Creates the mixing coefficients and, where trained, dictionary and bandwidth."""
        channels = self._output_channels(input_shape)
        size = self.dictionary_size
        self.mixing_coefficients = self._add_inner_weight(
            "mixing_coefficients",
            (channels, size**2 if self.paired else size),
            self._mixing_initializer(),
            regularizer=self.regularizer,
            constraint=self.constraint,
        )
        self._tabulated = self._tabulated_kernels(input_shape[1:-1])
        self.dictionary = self.log_bandwidth = None
        if self.trainable_dictionary:
            self.dictionary = self._add_inner_weight(
                "dictionary", (channels, size), _repeated(self.grid)
            )
        if self.trainable_bandwidth:
            start = keras.initializers.Constant(np.log(self.initial_bandwidth))
            self.log_bandwidth = self._add_inner_weight("log_bandwidth", (channels,), start)

    def _output_channels(self, input_shape):
        channels = input_shape[-1] if len(input_shape) >= 2 else None
        if channels is None or (self.paired and channels % 2):
            wanted = "an even number of channels" if self.paired else "a known number of channels"
            raise ValueError(
                f"`inputs` of layer '{self.name}' must have shape (batch, ..., channels) with "
                f"{wanted}. Received: input_shape={tuple(input_shape)}"
            )
        return channels // 2 if self.paired else channels

    def _add_inner_weight(self, name, shape, initializer, **kwargs):
        return self.add_weight(
            name=name,
            shape=shape,
            initializer=initializer,
            dtype=self.inner_dtype,
            autocast=False,
            **kwargs,
        )

    def _mixing_initializer(self):
        if isinstance(self.initializer, keras.initializers.Initializer):
            return self.initializer
        fit = paired_ridge_coefficients if self.paired else ridge_coefficients
        activation = keras.activations.get(self.initializer)
        kernel = KERNELS[self.kernel]
        with tf.init_scope():  # the fit needs values, also when the layer is built inside a graph
            row = fit(kernel, activation, self.grid, self.initial_bandwidth, self.ridge)
        return _repeated(row)

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """Applies each channel's function to its elements."""
        rows = tf.reshape(self.widen(inputs), [-1, inputs.shape[-1]])
        outputs = self._sum_of_kernels(rows)
        shape = tf.concat([tf.shape(inputs)[:-1], tf.shape(outputs)[-1:]], 0)
        known = self.compute_output_shape(inputs.shape)
        return self.narrow(reshaped(outputs, shape, known))

    def _sum_of_kernels(self, rows):
        moving = self.parameters()
        if self._tabulated is not None:
            fixed = isinstance(self._tabulated, FixedKernels)
            return gaussian_curve(self._tabulated, rows, *(moving[:1] if fixed else moving))
        if self.paired:
            return paired_kernel_sum(KERNELS[self.kernel], rows, *moving)
        # Large terms of opposite sign, which ridge regression gives, need the digits.
        wide = tf.float64 if self.kernel == "gaussian" else rows.dtype
        tensors = (tf.cast(tensor, wide) for tensor in (rows, *moving))
        return tf.cast(kernel_sum(KERNELS[self.kernel], *tensors), rows.dtype)

    def parameters(self) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """Returns each channel's mixing coefficients, dictionary and bandwidth, as they are now.

        Returns:
            Tensors (channels, kernels), (channels, dictionary_size) and (channels, 1).
        """
        mixing = tf.convert_to_tensor(self.mixing_coefficients.value)
        return mixing, self._current_dictionary(), self._current_bandwidth()

    def _tabulated_kernels(self, positions):
        """Returns the kernels for the form by tables of the sum, or None where it has none."""
        if self.kernel != "gaussian" or self.paired or self.inner_dtype != "float32":
            return None
        kernels = FixedKernels(tuple(self.grid.tolist()), self.initial_bandwidth)
        if self.trainable_dictionary or self.trainable_bandwidth:
            if None not in positions and math.prod(positions) <= _FEW_POSITIONS:
                return None
            kernels = MovingKernels(kernels)
        return kernels if kernels.fit else None

    def _current_dictionary(self):
        """Returns each channel's dictionary: (channels, dictionary_size)."""
        if self.dictionary is not None:
            return tf.convert_to_tensor(self.dictionary.value)
        shape = [self.mixing_coefficients.shape[0], self.dictionary_size]
        return tf.broadcast_to(tf.constant(self.grid, self.inner_dtype), shape)

    def _current_bandwidth(self):
        """Returns each channel's bandwidth: (channels, 1)."""
        if self.log_bandwidth is not None:
            return tf.exp(self.log_bandwidth.value)[:, None]
        shape = [self.mixing_coefficients.shape[0], 1]
        return tf.fill(shape, tf.constant(self.initial_bandwidth, self.inner_dtype))

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Returns the input's shape, with half the channels if paired."""
        return (*tuple(input_shape)[:-1], self._output_channels(tuple(input_shape)))

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments that rebuild the layer."""
        return {
            **super().get_config(),
            "dictionary_size": self.dictionary_size,
            "boundary": self.boundary,
            "kernel": self.kernel,
            "bandwidth": self.bandwidth,
            "initializer": keras.saving.serialize_keras_object(self.initializer),
            "ridge": self.ridge,
            "trainable_dictionary": self.trainable_dictionary,
            "trainable_bandwidth": self.trainable_bandwidth,
            "paired": self.paired,
            "regularizer": keras.regularizers.serialize(self.regularizer),
            "constraint": keras.constraints.serialize(self.constraint),
        }


def _checked_bandwidth(bandwidth):
    if isinstance(bandwidth, str):
        return choice("bandwidth", bandwidth, BANDWIDTH_RULES)
    return positive("bandwidth", bandwidth)


def _checked_initializer(initializer):
    """Returns an activation's name, a callable, or an `Initializer`."""
    if isinstance(initializer, dict):
        initializer = keras.saving.deserialize_keras_object(initializer)
    if isinstance(initializer, str):
        return _named_initializer(initializer)
    if not callable(initializer):
        refuse("initializer", "an activation or a keras.initializers.Initializer", initializer)
    return initializer


def _named_initializer(name):
    if name == "random_normal":
        return keras.initializers.RandomNormal(stddev=0.3)
    try:
        keras.activations.get(name)
    except ValueError:
        expected = "'random_normal', the name of a Keras activation, a callable or an Initializer"
        refuse("initializer", expected, name)
    return name


def _repeated(row):
    """Returns an initializer that gives every channel the same row."""

    def initializer(shape, dtype):
        return keras.ops.cast(keras.ops.convert_to_tensor(np.tile(row, (shape[0], 1))), dtype)

    return initializer
