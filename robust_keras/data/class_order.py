"""A data set whose classes have names, numbered as a model numbers them."""

import dataclasses
from collections.abc import Sequence

import numpy as np

from robust_keras.data.datasets import ImageDataset, ImageSplit
from robust_keras.errors import InputError
from robust_keras.suggestion import did_you_mean


def in_order_of(dataset: ImageDataset, class_names: Sequence[str], model: str) -> ImageDataset:
    """The same images, each label the position of its class's name in other names.

    A set that shows fewer classes than were trained on, or the same in another order, would be
    judged by the wrong labels otherwise.

    Args:
        dataset: an `ImageDataset`; one whose classes are known by number alone stays as it is.
        class_names: the names of a model's classes in the order of its outputs.
        model: the model, for the error text.

    Raises:
        InputError: the model does not know a class of the set.
    """
    if dataset.numbered or dataset.class_names == class_names:
        return dataset
    places = {name: place for place, name in enumerate(class_names)}
    for name in dataset.class_names:
        if name not in places:
            raise InputError.expected(
                dataset.name,
                f"the classes that {model} was trained on, {', '.join(class_names[:5])} ... (or "
                "their numbers in place of names)",
                f"{name}{did_you_mean(name, class_names)}",
            )
    order = np.array([places[name] for name in dataset.class_names])
    train, test = dataset.train, dataset.test
    return dataclasses.replace(
        dataset,
        train=train and ImageSplit(train.images, order[train.labels]),
        test=ImageSplit(test.images, order[test.labels]),
        class_names=tuple(class_names),
        notes=(*dataset.notes, f"classes are numbered as those that {model} was trained on"),
    )
