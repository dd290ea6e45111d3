"""What a few made-up images tell about a model: probabilities or logits, repeatable, gradients."""

import re

import numpy as np
import tensorflow as tf

# The smallest probability whose logarithm is taken as it is: far above the denormal numbers, which
# processors may flush to zero, and small enough that 1 / floor stays finite after a multiplication.
PROBABILITY_FLOOR = 1e-30
_OPEN_SIDE = 32


def probe_images(image_shape):
    """Eight images in [0, 1], the same every time: black, white, grey, a ramp, four of noise.

    Args:
        image_shape: (height, width, channels); open sides become 32 pixels, open channels 3.

    Returns:
        float32 array (8, height, width, channels).
    """
    height, width, channels = image_shape
    shape = (height or _OPEN_SIDE, width or _OPEN_SIDE, channels or 3)
    flat = [np.full(shape, value) for value in (0.0, 1.0, 0.5)]
    ramp = np.linspace(0.0, 1.0, int(np.prod(shape))).reshape(shape)
    noise = np.random.default_rng(0).uniform(size=(4, *shape))
    return np.concatenate([np.stack([*flat, ramp]), noise]).astype(np.float32)


def run_any_batch(endpoint, images):
    """All outputs for the images as numpy arrays, also where the batch size is fixed.

    Args:
        endpoint: an `Endpoint`.
        images: float32 array (batch, height, width, channels).

    Returns:
        Dict from output name to array with one row an image.
    """
    size = endpoint.batch_shape[0]
    if size is None:
        return {name: value.numpy() for name, value in endpoint.run(tf.constant(images)).items()}
    chunks = []
    for start in range(0, len(images), size):
        chunk = images[start : start + size]
        padded = np.concatenate(
            [chunk, np.zeros((size - len(chunk), *chunk.shape[1:]), np.float32)]
        )
        outputs = endpoint.run(tf.constant(padded))
        chunks.append({name: value.numpy()[: len(chunk)] for name, value in outputs.items()})
    return {name: np.concatenate([chunk[name] for chunk in chunks]) for name in chunks[0]}


def are_probabilities(rows):
    """Whether every row is nonnegative and sums to one within 1e-3.

    Args:
        rows: array (batch, classes).
    """
    rows = np.asarray(rows, np.float64)
    return bool(np.all(rows >= 0.0) and np.all(np.abs(rows.sum(axis=-1) - 1.0) <= 1e-3))


def log_probabilities(probabilities):
    """Logits with the given softmax: log(max(p, 1e-30)), with the gradient 1 / max(p, 1e-30).

    A plain maximum would have no gradient below the floor, so a probability of exactly 0 could
    never rise again. What a softmax has already lost by underflow before its output no logarithm
    can
    bring back: prefer the softmax's own input where it can be found.

    Args:
        probabilities: float32 tensor (batch, classes) in [0, 1].

    Returns:
        Tensor of the same shape.
    """
    floored = tf.maximum(probabilities, PROBABILITY_FLOOR)
    return tf.math.log(probabilities + tf.stop_gradient(floored - probabilities))


def deterministic(logits, images):
    """Whether two calls with the same images agree to 1e-4 of the largest logit.

    Args:
        logits: function from images to (batch, classes).
        images: float32 array (batch, height, width, channels).
    """
    first, second = (np.asarray(logits(tf.constant(images)), np.float64) for _ in range(2))
    scale = np.max(np.abs(first), initial=0.0, where=np.isfinite(first))
    return bool(np.allclose(first, second, rtol=0.0, atol=1e-4 * scale, equal_nan=True))


def gradient_error(logits, images):
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
