"""The part that all layers share: float inputs only, computed in float32 or better."""

from typing import Any

import keras
import tensorflow as tf


class FloatLayer(keras.layers.Layer):
    """Base of layers that keep their input's shape and compute in at least float32.

    Half precision is too coarse inside these functions (sums of large terms that cancel, squares,
    logarithms), so only the output is cast to the policy's compute dtype.
    """

    def __init__(self, **kwargs: Any):
        # Casting the input to half precision first would lose what the float32 inside is for.
        super().__init__(autocast=False, **kwargs)
        self.supports_masking = True

    @property
    def inner_dtype(self) -> str:
        """The dtype of the computation: float64 under a float64 policy, else float32."""
        return "float64" if self.compute_dtype == "float64" else "float32"

    def require_float(self, inputs: tf.Tensor) -> None:
        """Raises a `ValueError` if the inputs are not floating point."""
        dtype = keras.backend.standardize_dtype(inputs.dtype)
        if not keras.backend.is_float_dtype(dtype):
            raise ValueError(
                f"`inputs` of layer '{self.name}' must be floating point. "
                f"Received: inputs.dtype={dtype}"
            )

    def widen(self, inputs: tf.Tensor) -> tf.Tensor:
        """Returns the inputs in the dtype of the computation."""
        self.require_float(inputs)
        return keras.ops.cast(inputs, self.inner_dtype)

    def narrow(self, outputs: tf.Tensor) -> tf.Tensor:
        """Returns the outputs in the dtype that the policy asks for."""
        return keras.ops.cast(outputs, self.compute_dtype)

    def compute_output_spec(self, inputs: tf.Tensor, *args: Any, **kwargs: Any) -> Any:
        """Refuses symbolic integer inputs as `call` refuses concrete ones."""
        self.require_float(inputs)
        return super().compute_output_spec(inputs, *args, **kwargs)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Returns the input's shape."""
        return tuple(input_shape)
