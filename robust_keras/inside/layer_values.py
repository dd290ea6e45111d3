"""What comes into and out of a layer of a Keras model."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from robust_keras.inside.subject import Subject


def values(subject: Subject, tensor: Any, images: np.ndarray) -> np.ndarray:
    """The values of a tensor of the subject's Keras model.

    Args:
        subject: that has a Keras model.
        tensor: of the model, such as a layer's `output`.
        images: float32 array (images, height, width, channels).

    Returns:
        float32 array (images, ..., channels).
    """
    image = subject.model.inputs[0]  # type: ignore[union-attr]
    # As one graph: layers that make graphs of their own would make one for every layer and shape.
    model = tf.function(
        keras.Model(image, tensor),
        input_signature=[tf.TensorSpec((None, *image.shape[1:]), tf.float32)],
    )
    size = subject.batch_size
    parts = [model(images[first : first + size]) for first in range(0, len(images), size)]
    return np.concatenate([np.asarray(part, np.float32) for part in parts])


def outer_layers(subject: Subject, kind: type) -> list[Any]:
    """The layers of a kind in the subject's Keras model, but for those inside others."""
    layers = getattr(subject.model, "layers", ())
    return [x for x in layers if isinstance(x, kind) and hasattr(x, "input")]
