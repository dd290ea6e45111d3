"""What a few images tell about a model: outputs, whether they repeat, whether gradients flow."""

import functools
import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from robust_keras.serving.endpoint import Endpoint

# Sides to try where a model leaves them open: networks that halve often take nothing small.
OPEN_SIDES = (96, 224, 32)
# Images a pass where a model takes any number of them.
_BATCH = 32


def probe_images(image_shape: tuple[int, ...], side: int = OPEN_SIDES[0]) -> np.ndarray:
    """Eight images in [0, 1], the same every time: black, white, grey, a ramp, four of noise.

    For a model whose data set is not known; see `Examples` for all others.

    Args:
        image_shape: (height, width, channels); open channels become 3.
        side: pixels that open sides become.

    Returns:
        float32 array (8, height, width, channels).
    """
    height, width, channels = image_shape
    shape = (height or side, width or side, channels or 3)
    flat = [np.full(shape, value) for value in (0.0, 1.0, 0.5)]
    ramp = np.linspace(0.0, 1.0, int(np.prod(shape))).reshape(shape)
    noise = np.random.default_rng(0).uniform(size=(4, *shape))
    return np.concatenate([np.stack([*flat, ramp]), noise]).astype(np.float32)


def _unguarded(function):
    return function()


def run_any_batch(
    endpoint: Endpoint, images: np.ndarray, *, guard: Callable = _unguarded
) -> dict[str, np.ndarray]:
    """All outputs for the images as numpy arrays, also where the batch size is fixed.

    Args:
        endpoint: an `Endpoint`.
        images: float32 array (batch, height, width, channels).
        guard: calls each pass, such as `time_limit.within`.

    Returns:
        Dict from output name to array with one row an image.
    """
    size = endpoint.batch_shape[0]
    chunks = []
    for start in range(0, len(images), size or _BATCH):
        chunk = images[start : start + (size or _BATCH)]
        missing = (size or 0) - len(chunk)
        padded = np.concatenate([chunk, np.repeat(chunk[:1], max(missing, 0), axis=0)])
        outputs = guard(functools.partial(endpoint.run, tf.constant(padded)))
        chunks.append({name: _rows(value, len(chunk)) for name, value in outputs.items()})
    return together(chunks)


def together(chunks: Sequence[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """One dict from output name to array, of several with rows of different images."""
    return {
        name: np.concatenate([chunk[name] for chunk in chunks]) if first.ndim else first
        for name, first in chunks[0].items()
    }


def any_numbers(outputs: Any) -> bool:
    """Whether a finite number is in any of the outputs, a dict from name to array."""
    floats = [value for value in outputs.values() if "float" in value.dtype.name]
    return not floats or any(np.isfinite(value.astype(np.float64)).any() for value in floats)


def _rows(value, count):
    values = np.asarray(value)
    return values[:count] if values.ndim else values


def deterministic(logits: Any, images: np.ndarray) -> bool:
    """Whether two calls with the same images agree to 1e-4 of the largest logit.

    Args:
        logits: function from images to (batch, classes).
        images: float32 array (batch, height, width, channels).
    """
    first, second = (np.asarray(logits(tf.constant(images)), np.float64) for _ in range(2))
    scale = np.max(np.abs(first), initial=0.0, where=np.isfinite(first))
    return bool(np.allclose(first, second, rtol=0.0, atol=1e-4 * scale, equal_nan=True))


def gradient_error(logits: Any, images: np.ndarray) -> str | None:
    """None if logits can be differentiated with respect to the images, else why not, in a sentence.

    Args:
        logits: function from images to (batch, classes).
        images: float32 array (batch, height, width, channels).
    """
    images = tf.constant(images)
    try:
        with tf.GradientTape() as tape:
            tape.watch(images)
            values = logits(images)
            total = tf.reduce_sum(values * tf.range(1.0, values.shape[-1] + 1.0))
        gradient = tape.gradient(total, images)
    # Anything may go wrong inside a stranger's graph; a model that cannot be differentiated is a
    # finding to report, not a failure of the program.
    except Exception as error:
        return _explain(error)
    if gradient is None:
        return "The logits do not depend on the image through operations that have a gradient."
    return None


def _explain(error):
    operation = re.search(r"op type: (\w+)", str(error))
    if isinstance(error, LookupError) and operation:
        return (
            "The model contains an operation whose gradient was not saved with it "
            f"({operation.group(1)}), so attacks that need gradients cannot run on it."
        )
    first_line = next(iter(str(error).strip().splitlines()), "no explanation")
    return (
        f"TensorFlow cannot differentiate the model ({type(error).__name__}: {first_line[:200]})."
    )
