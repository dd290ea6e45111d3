"""Forward passes in batches of one shape."""

import numpy as np
import tensorflow as tf

from robust_keras.attackable import Attackable, told
from robust_keras.attacks.threat_model import ThreatModel
from robust_keras.errors import InputError


def check_examples(
    classifier: Attackable, images: np.ndarray, labels: np.ndarray, threat_model: ThreatModel
) -> tuple[np.ndarray, np.ndarray]:
    """Images and labels as they are evaluated, or an InputError that says what is wrong with them.

    Args:
        classifier: has `image_shape` (None for an open side) and `num_classes`.
        images: array (images, height, width, channels).
        labels: array (images,) of whole numbers in [0, num_classes).
        threat_model: `ThreatModel` whose bounds the pixels must keep.

    Returns:
        `(images, labels)` as float32 and int64.
    """
    images, labels = np.asarray(images), np.asarray(labels)
    threat_model.check_images(images)
    sides = zip(classifier.image_shape, images.shape[1:], strict=True)
    if any(wanted not in (None, side) for wanted, side in sides):
        expected = f"images of shape {classifier.image_shape}"
        raise InputError.expected("images", expected, f"shape {images.shape[1:]}")
    if not len(images):
        raise InputError.expected("images", "at least one image", "none")
    if labels.shape != (len(images),) or labels.dtype.kind not in "iu":
        expected = f"{len(images)} whole numbers, one an image"
        raise InputError.expected("labels", expected, f"{labels.dtype} {labels.shape}")
    if labels.min() < 0 or labels.max() >= classifier.num_classes:
        expected = f"classes from 0 to {classifier.num_classes - 1}"
        raise InputError.expected("labels", expected, f"{labels.min()} to {labels.max()}")
    return images.astype(np.float32), labels.astype(np.int64)


def padded(values: np.ndarray, size: int) -> np.ndarray:
    """The array with its first row repeated at the end until it has `size` rows."""
    missing = size - len(values)
    return np.concatenate([values, np.repeat(values[:1], missing, axis=0)]) if missing else values


def predict(classifier: Attackable, images: np.ndarray, batch_size: int) -> np.ndarray:
    """Logits of all images, in batches of exactly `batch_size`.

    Args:
        classifier: has `logits`.
        images: float32 array (images, height, width, channels).
        batch_size: images a forward pass.

    Returns:
        float32 array (images, classes).
    """
    rows = []
    for start in range(0, len(images), batch_size):
        batch = images[start : start + batch_size]
        logits = classifier.logits(tf.constant(padded(batch, batch_size)))
        rows.append(np.asarray(logits)[: len(batch)])
    return np.concatenate(rows)


def rejected(classifier: Attackable, images: np.ndarray, batch_size: int) -> np.ndarray:
    """Which images the classifier declines to answer; none where it has no rule for that.

    Args:
        classifier: has `rejection`, a `serving.rejection.Rejection` or None, or no such attribute.
        images: float32 array (images, height, width, channels).
        batch_size: images a forward pass.

    Returns:
        bool array (images,).
    """
    rule = told(classifier, "rejection")
    if rule is None:
        return np.zeros(len(images), bool)
    rows = []
    for start in range(0, len(images), batch_size):
        batch = images[start : start + batch_size]
        answers = rule.rejected(tf.constant(padded(batch, batch_size)))
        rows.append(np.asarray(answers)[: len(batch)])
    return np.concatenate(rows)
