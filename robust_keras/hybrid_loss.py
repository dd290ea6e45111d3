"""The hybrid loss of symmetric-activation networks."""

from typing import Any

import keras
import tensorflow as tf

from robust_keras import arguments
from robust_keras.errors import InputError
from robust_keras.layers import keras_private

# The published settings.
HYBRID_MNIST = {"relative": 1.0, "absolute": 1.0, "others": 0.0, "power": 2.0}
HYBRID_CIFAR10 = {"relative": 1.0, "absolute": 1.0, "others": 1.0 / 9.0, "power": 2.0}


@keras.saving.register_keras_serializable(package="robust_keras")
class HybridLoss(keras.losses.Loss):
    """Makes the label's RBF output large, relatively and absolutely, and the others small.

    `L = a1 [log sum_k y_k - log y_c] + a2 (1 - y_c)^p + a3 sum_{k != c} y_k^p`, for the label c and
    the outputs y = exp(-z^2) of a final RBF unit. Logits are log y = -z^2, as the networks of
    `robust_keras.models` with the activations rbf and mrelu return them, so log y loses nothing
    where y underflows, which the published `log(y + 2e-16)` does. After a softmax of Keras, y are
    its probabilities.

    Args:
        relative: a1 >= 0.
        absolute: a2 >= 0.
        others: a3 >= 0; published: 0 for MNIST, 1/9 for CIFAR-10 (`HYBRID_MNIST`,
            `HYBRID_CIFAR10`).
        power: p >= 1.
        name: of the loss.
        **kwargs: as for `keras.losses.Loss`.

    Raises:
        ValueError: an argument is out of its range, or all three weights are 0.

    Reference: Zhao and Griffin, Suppressing the Unusual: towards Robust CNNs using Symmetric
    Activation Functions, 2016, arXiv 1603.05145.

    Example: `model.compile("sgd", loss=HybridLoss(**HYBRID_CIFAR10))`.
    """

    from_logits = True  # for `loss_inputs`

    def __init__(
        self,
        relative: float = 1.0,
        absolute: float = 1.0,
        others: float = 0.0,
        power: float = 2.0,
        name: str = "hybrid_loss",
        **kwargs: Any,
    ):
        super().__init__(name=name, **kwargs)
        for argument, value, least in (
            ("relative", relative, 0),
            ("absolute", absolute, 0),
            ("others", others, 0),
            ("power", power, 1),
        ):
            arguments.real(argument, value, f"at least {least}", least=least)
        if not relative + absolute + others > 0:
            raise ValueError(
                "`relative`, `absolute` or `others` must be above 0. Received: 0 for all three"
            )
        self.relative, self.absolute = relative, absolute
        self.others, self.power = others, power

    def call(self, y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
        """Losses of shape (batch,) of log y (batch, classes).

        Args:
            y_true: labels (batch,) or (batch, 1), or one-hot (batch, classes).
            y_pred: log y (batch, classes), of at least two classes.
        """
        classes = y_pred.shape[-1]
        if classes < 2:
            raise InputError.expected(
                "hybrid loss", "one output a class, two for two classes", "one output"
            )
        before = keras_private.logits_before(y_pred)
        # Above 0 there is no y of an RBF unit; 1 - y would be negative there.
        logs = keras.ops.minimum(y_pred, 0.0) if before is None else keras.ops.log_softmax(before)
        if len(y_true.shape) == 2 and y_true.shape[-1] == classes:
            is_label = keras.ops.cast(y_true, logs.dtype)
        else:
            labels = keras.ops.cast(keras.ops.reshape(y_true, (-1,)), "int32")
            is_label = keras.ops.one_hot(labels, classes, dtype=logs.dtype)
        log_y = keras.ops.sum(is_label * logs, axis=-1)
        powers = keras.ops.exp(self.power * logs)
        return (
            self.relative * (keras.ops.logsumexp(logs, axis=-1) - log_y)
            + self.absolute * (1.0 - keras.ops.exp(log_y)) ** self.power
            + self.others * keras.ops.sum((1.0 - is_label) * powers, axis=-1)
        )

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            **super().get_config(),
            "relative": self.relative,
            "absolute": self.absolute,
            "others": self.others,
            "power": self.power,
        }
