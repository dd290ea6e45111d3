"""k-winners-take-all: only the largest entries of each example pass."""

from typing import Any

import keras
import tensorflow as tf

from robust_keras.arguments import flag, positive, real, whole
from robust_keras.layers.float_layer import FloatLayer
from robust_keras.layers.selection import kth_largest
from robust_keras.layers.shapes import reshaped

# Entries up to which compiled inference saves less than compiling takes.
_SMALL = 8192


@keras.saving.register_keras_serializable(package="robust_keras")
class KWinnersTakeAll(FloatLayer):
    """Keeps the k largest entries of each example and sets the others to zero.

    Formula: `f(y)_j = y_j if y_j >= t else 0`, with t the k-th largest of the N entries and
    `k = max(int(ratio * N), 1)`. N counts the whole volume of one example, or one channel's
    positions if `per_channel`. Ties at t all pass, and so do negative entries above a negative t.
    The gradient is the upstream gradient times the mask.

    Warning: the function is discontinuous and masks gradients. Robust accuracies of gradient
    attacks on it mean nothing without a black-box attack (Tramer et al., 2020, arXiv 2002.08347).

    Args:
        ratio: share of the entries that pass, in (0, 1]. It may be set again between training
            steps (`layer.ratio = 0.1`); the current value is saved with the weights.
        per_channel: whether the winners are chosen in each channel by itself.
        **kwargs: arguments of `keras.layers.Layer`.

    Input shape: (batch, ..., channels). Output shape: the input's.

    Raises:
        ValueError: if an argument is out of range, or the input is not floating point or has too
            few axes.

    Reference: Xiao, Zhong and Zheng, "Enhancing Adversarial Defense by k-Winners-Take-All", 2019,
    arXiv 1905.10510.

    Example:
        >>> KWinnersTakeAll(ratio=0.5)(np.array([[1.0, 4.0, 3.0, 2.0]])).numpy().tolist()
        [[0.0, 4.0, 3.0, 0.0]]
    """

    def __init__(self, ratio: float = 0.2, per_channel: bool = False, **kwargs: Any):
        super().__init__(**kwargs)
        self.per_channel = flag("per_channel", per_channel)
        # float64 holds the ratio exactly as given, so that k is int(ratio * N) to the unit.
        self._ratio = self.add_weight(
            name="ratio",
            shape=(),
            initializer=keras.initializers.Constant(_checked_ratio(ratio)),
            trainable=False,
            dtype="float64",
            autocast=False,
        )

    @property
    def ratio(self) -> float:
        """The share of the entries that passes now."""
        return float(self._ratio.numpy())

    @ratio.setter
    def ratio(self, value: float) -> None:
        self._ratio.assign(_checked_ratio(value))

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Checks that there is a volume to choose from."""
        least = 3 if self.per_channel else 2
        if len(input_shape) < least:
            raise ValueError(
                f"`inputs` of layer '{self.name}' must have at least {least} axes. "
                f"Received: input_shape={tuple(input_shape)}"
            )

    def call(self, inputs: tf.Tensor, training: bool | None = None) -> tf.Tensor:
        """Passes the winners of every example."""
        volumes = self._volumes(self.widen(inputs))
        size = volumes.shape[1] or tf.cast(tf.shape(volumes)[1], "float64")
        count = tf.maximum(tf.cast(self._ratio.value * size, "int32"), 1)
        # Attacks ask for batches of many sizes, each of which would be compiled anew.
        compiled = bool(training) or not volumes.shape[1] or volumes.shape[1] > _SMALL
        threshold = tf.stop_gradient(kth_largest(volumes, count, compiled=compiled))
        # Compared this way round, NaN passes and stays visible.
        winners = tf.where(volumes < threshold, tf.zeros_like(volumes), volumes)
        return self.narrow(reshaped(winners, tf.shape(inputs), inputs.shape))

    def _volumes(self, inputs):
        """Returns (batch, entries, 1), or (batch, positions, channels) if per channel."""
        channels = inputs.shape[-1] if self.per_channel else 1
        sides = inputs.shape[1:-1] if self.per_channel else inputs.shape[1:]
        entries = sides.num_elements()
        last = tf.shape(inputs)[-1] if channels is None else channels
        shape = [tf.shape(inputs)[0], -1 if entries is None else entries, last]
        return tf.reshape(inputs, shape)

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments that rebuild the layer, with the current ratio."""
        return {**super().get_config(), "ratio": self.ratio, "per_channel": self.per_channel}


class LowerRatio(keras.callbacks.Callback):
    """Lowers the ratio of every `KWinnersTakeAll` layer step by step while training.

    Formula: after every `every` epochs, `ratio = max(ratio - step, least)`.

    Args:
        step: what is taken off the ratio, > 0.
        every: number of epochs between two steps, >= 1.
        least: where the ratio stays, in (0, 1].

    Raises:
        ValueError: if an argument is out of range.

    Reference: Xiao, Zhong and Zheng, 2019, arXiv 1905.10510 (incremental training).

    Example:
        >>> lowering = LowerRatio(step=0.01, least=0.1)
        >>> history = model.fit(images, labels, epochs=20, callbacks=[lowering], verbose=0)
    """

    def __init__(self, step: float = 0.005, every: int = 2, least: float = 0.08):
        super().__init__()
        self.step = positive("step", step)
        self.every = whole("every", every, least=1)
        self.least = real("least", least, "in (0, 1]", above=0, most=1)

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Lowers the ratios if this epoch ends a period."""
        if (epoch + 1) % self.every:
            return
        for layer in _winner_layers(self.model):
            if layer.ratio > self.least:
                layer.ratio = max(layer.ratio - self.step, self.least)


def _checked_ratio(ratio):
    return real("ratio", ratio, "in (0, 1]", above=0, most=1)


def _winner_layers(layer):
    """Yields the `KWinnersTakeAll` layers in a model, those of nested models too."""
    if isinstance(layer, KWinnersTakeAll):
        yield layer
    for inner in getattr(layer, "layers", ()):
        yield from _winner_layers(inner)
