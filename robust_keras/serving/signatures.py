"""The functions that an exported model answers with."""

from collections.abc import Callable, Sequence

import tensorflow as tf

from robust_keras import layers

# Rounding may leave a pixel this far outside [0, 1]; bytes divided by 255 never do.
PIXEL_TOLERANCE = 1e-6


# What pictures may be decoded to: grey, colour, and colour with opacity.
_DECODED_CHANNELS = (1, 3, 4)


def signatures(
    scores: Callable, rule: layers.RejectionRule, shape: Sequence[int | None]
) -> dict[str, tuple[Callable, tf.TensorSpec]]:
    """The functions of an export that take images, by name, each with the images that it takes.

    Args:
        scores: function from images to the model's logits, one float tensor (batch, classes).
        rule: by which it is served.
        shape: (height, width, channels), None for open sides.
    """

    def logits(images):
        return {"logits": scores(images)}

    def serving_default(images):
        known = _no_number_of_no_number(images, scores(images))
        told = {
            "probabilities": rule.probabilities(known),
            "classes": tf.argmax(known, axis=-1, output_type=tf.int64),
            "confidence": rule.confidences(known),
            "valid": valid(images),
        }
        if rule.threshold is not None:
            told["rejected"] = rule.rejected(known)
        return told

    def uint8_images(images):
        return serving_default(tf.cast(images, tf.float32) / 255.0)

    def encoded_images(images):
        return uint8_images(_decoded(images, shape))

    floats = tf.TensorSpec((None, *shape), tf.float32, name="images")
    found = {
        "serving_default": (serving_default, floats),
        "logits": (logits, floats),
        "uint8_images": (uint8_images, tf.TensorSpec((None, *shape), tf.uint8, name="images")),
    }
    if None not in shape and shape[-1] in _DECODED_CHANNELS:
        files = tf.TensorSpec((None,), tf.string, name="images")
        found["encoded_images"] = encoded_images, files
    return found


def _decoded(files, shape):
    """The pictures in files of PNG, JPEG, GIF or BMP, uint8 (batch, height, width, channels)."""

    def picture(content):
        pixels = tf.io.decode_image(content, channels=shape[-1], expand_animations=False)
        return tf.ensure_shape(pixels, shape)

    return tf.map_fn(picture, files, fn_output_signature=tf.TensorSpec(shape, tf.uint8))


def class_names(names: Sequence[str]) -> dict[str, Callable]:
    """The signature without inputs that tells the classes, in the order of the outputs."""
    return {"class_names": lambda: {"class_names": tf.constant(list(names))}}


def valid(images: tf.Tensor) -> tf.Tensor:
    """Which images are images: every pixel a number in [0, 1], to `PIXEL_TOLERANCE`; (batch,)."""
    # Compared this way round, NaN is not valid.
    inside = (images >= -PIXEL_TOLERANCE) & (images <= 1.0 + PIXEL_TOLERANCE)
    return tf.reduce_all(inside, axis=[1, 2, 3])


def _no_number_of_no_number(images, scores):
    """The scores, NaN for images with a pixel that is no number.

    Max pooling makes the lowest float32 of NaN, and what follows makes a confident class of that.
    """
    finite = tf.reduce_all(tf.abs(images) <= tf.float32.max, axis=[1, 2, 3])
    return tf.where(finite[:, None], scores, tf.constant(float("nan"), scores.dtype))
