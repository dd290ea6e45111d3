"""Whether a data set's classes are those that a network learns or a model tells apart."""

import numpy as np

from robust_keras.data.datasets import ImageDataset
from robust_keras.errors import InputError

_REMEDY = "numpy.unique(labels, return_inverse=True)[1] numbers the classes from 0"


def check_trainable(dataset: ImageDataset) -> None:
    """Raises unless a network can be trained on the set: every class from 0 on, on two or more.

    Raises:
        InputError: no training images, one class, or numbers that do not count the classes.
    """
    labels = dataset.part("train").labels
    present = np.unique(labels)
    if len(present) < 2:
        raise InputError.expected(
            f"{dataset.name} train", "images of at least 2 classes", f"class {present[0]} alone"
        )
    # A set that names its classes says itself that some have no image.
    if not dataset.numbered:
        return
    if present[0] > 0:
        raise _begins_late(dataset, labels)
    if len(present) <= dataset.num_classes / 2:
        raise InputError.expected(
            f"{dataset.name} train",
            f"classes numbered without gaps ({_REMEDY}; an array class_names in the file says that "
            "there are more)",
            f"{len(present)} classes of {dataset.num_classes} with images, the first without is "
            f"{_first_gap(present)}",
        )


def check_model_classes(dataset: ImageDataset, num_classes: int, name: str) -> None:
    """Raises unless a model's classes can be those of the set.

    Args:
        dataset: an `ImageDataset`.
        num_classes: how many classes the model tells apart, those for nonsense left aside.
        name: the model, for the error text.

    Raises:
        InputError: the model has fewer classes; or more, where the set's are known by name.
    """
    if num_classes == dataset.num_classes or (
        dataset.numbered and num_classes > dataset.num_classes
    ):
        return
    labels = dataset.test.labels
    if dataset.numbered and labels.min() > 0 and num_classes == dataset.num_classes - 1:
        raise _begins_late(dataset, labels)
    remedy = ""
    if num_classes > dataset.num_classes:
        remedy = " (or name all classes of the model, in its order, in an array class_names)"
    raise InputError.expected(
        name,
        f"a model of {dataset.num_classes} classes, as in {dataset.name}{remedy}",
        f"one of {num_classes} classes",
    )


def _begins_late(dataset, labels):
    first = int(labels.min())
    what = "class 0 has no image" if first == 1 else f"classes 0..{first - 1} have no image"
    return InputError.expected(
        dataset.name,
        f"class numbers from 0 (save labels - {first}, or {_REMEDY})",
        f"labels that begin at {first}: {what}",
    )


def _first_gap(present):
    gaps = np.setdiff1d(np.arange(int(present[-1]) + 1), present)
    return int(gaps[0])
