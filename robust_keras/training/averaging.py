"""Looking at a model with the moving averages of its weights, which Keras' optimizers keep."""

import contextlib
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from robust_keras.layers import keras_private


def read_variable(variable: Any) -> np.ndarray:
    """The value of a Keras or TensorFlow variable; of a distributed one, its replicas' mean."""
    raw = variable.value if isinstance(variable, keras.Variable) else variable
    return tf.convert_to_tensor(raw).numpy()


@contextlib.contextmanager
def averaged_weights(model: keras.Model) -> Iterator[None]:
    """The model with its optimizer's averages as weights, inside the block; as it was after it.

    Without `use_ema=True` in the optimizer nothing changes. A weight that is exactly zero stays
    zero, so that a pruned model is a pruned one on average, too.

    Args:
        model: a compiled `keras.Model`.

    Example:
        ```python
        model.compile(keras.optimizers.SGD(0.1, use_ema=True, ema_momentum=0.999), ...)
        with averaged_weights(model):
            model.save("averaged.keras")
        ```
    """
    pairs = moving_averages(model)
    kept = [read_variable(variable) for variable, _ in pairs]
    try:
        for (variable, average), value in zip(pairs, kept, strict=True):
            variable.assign(np.where(value == 0, value, read_variable(average)))
        yield
    finally:
        for (variable, _), value in zip(pairs, kept, strict=True):
            variable.assign(value)


def moving_averages(model: keras.Model) -> list:
    """Pairs of a trainable variable and its average; none without `use_ema` or an optimizer built.

    Args:
        model: a compiled `keras.Model`.
    """
    # Under mixed precision Keras wraps the optimizer in one that scales losses.
    optimizer = getattr(model.optimizer, "inner_optimizer", model.optimizer)
    averages = keras_private.moving_averages_of(optimizer)
    if not getattr(optimizer, "use_ema", False) or not averages:
        return []
    return list(zip(model.trainable_variables, averages, strict=True))


class ValidateAverage(keras.callbacks.Callback):
    """Has `validation_data` judge the moving averages of the weights.

    Example:
        `model.fit(x, y, validation_data=held_out, callbacks=[ValidateAverage()])`
    """

    def on_test_begin(self, logs: dict[str, float] | None = None) -> None:
        """Puts the averages in place."""
        self._averages = averaged_weights(self.model)
        self._averages.__enter__()

    def on_test_end(self, logs: dict[str, float] | None = None) -> None:
        """Puts the weights back."""
        self._averages.__exit__(None, None, None)
