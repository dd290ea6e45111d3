"""What images and labels must look like before anything is trained on them or attacked."""

import numpy as np

from robust_keras.errors import InputError


def check_images(images: np.ndarray, name: str) -> None:
    """Raises unless `images` is a batch of pixels in [0, 1], or of bytes.

    Args:
        images: array (n, height, width, channels), uint8 or floating point.
        name: what the images are, for the error text.

    Raises:
        InputError: wrong rank or type, no image, NaN or infinite pixels, pixels outside [0, 1].
    """
    if not isinstance(images, np.ndarray):
        raise InputError.expected(name, "images in a numpy array", type(images).__name__)
    if images.ndim != 4:
        raise InputError.expected(
            name, "images of shape (n, height, width, channels)", f"shape {images.shape}"
        )
    if 0 in images.shape:
        raise InputError.expected(name, "at least one image", f"shape {images.shape}")
    if images.dtype == np.uint8:
        return
    if not np.issubdtype(images.dtype, np.floating):
        raise InputError.expected(name, "pixels as uint8 or floats", f"type {images.dtype}")
    _check_range(images, name)


def _check_range(images, name):
    low, high = float(np.min(images)), float(np.max(images))
    if not (np.isfinite(low) and np.isfinite(high)):
        count = int(np.size(images) - np.count_nonzero(np.isfinite(images)))
        raise InputError.expected(name, "finite pixels", f"{count} NaN or infinite pixels")
    if low < 0.0 or high > 1.0:
        remedy = " (divide by 255?)" if low >= 0.0 and 1.0 < high <= 255.0 else ""
        raise InputError.expected(name, f"pixels in [0, 1]{remedy}", f"{low:g}..{high:g}")


def check_labels(labels: np.ndarray, num_classes: int, name: str) -> None:
    """Raises unless `labels` holds class numbers 0..num_classes - 1.

    Args:
        labels: integer array (n,).
        num_classes: how many classes there are, at least 2.
        name: what the labels are, for the error text.

    Raises:
        InputError: not a vector of integers, or a class that does not exist.
    """
    if not isinstance(labels, np.ndarray) or labels.ndim != 1:
        shown = f"shape {np.shape(labels)}"
        raise InputError.expected(name, "labels in a numpy array of shape (n,)", shown)
    if not np.issubdtype(labels.dtype, np.integer):
        raise InputError.expected(name, "integer labels", f"type {labels.dtype}")
    if labels.size and (labels.min() < 0 or labels.max() >= num_classes):
        raise InputError.expected(
            name, f"labels in 0..{num_classes - 1}", f"{labels.min()}..{labels.max()}"
        )


def class_numbers(labels: np.ndarray, num_classes: int) -> np.ndarray:
    """Labels (n,), (n, 1) or one-hot (n, num_classes), of any type, as int64 class numbers (n,).

    Args:
        labels: array of class numbers or one-hot rows.
        num_classes: how many classes there are, at least 2.

    Raises:
        InputError: labels of another shape, or a class that does not exist.
    """
    labels = np.asarray(labels)
    if labels.ndim == 2 and labels.shape[1] == num_classes:
        labels = labels.argmax(axis=1)
    elif labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.dtype.kind in "fb" and np.array_equal(labels, np.floor(labels)):
        labels = labels.astype(np.int64)
    check_labels(labels, num_classes, "labels")
    return labels.astype(np.int64)
