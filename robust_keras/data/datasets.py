"""A data set: images, labels and what they mean."""

import dataclasses
import textwrap
from typing import Any

import numpy as np

from robust_keras.data.checks import check_images, check_labels
from robust_keras.errors import InputError

# Images, and values, of which sums are made at once.
_CHUNK, _CHUNK_VALUES = 4096, 2**24
# Images from all over a larger set tell its mean and variance.
_COUNTED = 2**17
_NAMES_SHOWN = 10
_COLUMNS = 80


@dataclasses.dataclass(frozen=True, eq=False)
class ImageSplit:
    """Images with their labels; bytes stay bytes until they are used.

    Attributes:
        images: (n, height, width, channels), uint8, or floats in [0, 1] (kept as float32); an array
            or `StreamedImages`.
        labels: (n,), class numbers (kept as int64).

    Raises:
        InputError: the images or labels cannot be used, or their counts differ.

    Example:
        split = load("mnist5k").test.take(100, seed=0)
        images = split.float_images()  # float32 (100, 28, 28, 1) in [0, 1]
    """

    images: Any
    labels: np.ndarray

    def __post_init__(self):
        if not self.is_streamed:
            check_images(self.images, "images")
        # As a Python integer: 255 + 1 is 0 in bytes.
        highest = int(np.max(self.labels)) if np.size(self.labels) else 0
        check_labels(self.labels, highest + 1, "labels")
        if len(self.images) != len(self.labels):
            raise InputError.expected(
                "labels", f"one for each of {len(self.images)} images", f"{len(self.labels)} labels"
            )
        if self.images.dtype != np.uint8:
            object.__setattr__(self, "images", self.images.astype(np.float32, copy=False))
        object.__setattr__(self, "labels", self.labels.astype(np.int64, copy=False))

    def __len__(self):
        return len(self.labels)

    @property
    def is_streamed(self) -> bool:
        """Whether the images stay on the disk until they are asked for."""
        return hasattr(self.images, "gather")

    @property
    def image_shape(self) -> tuple[int, ...]:
        """(height, width, channels)."""
        return self.images.shape[1:]

    def float_images(self) -> np.ndarray:
        """All images as float32 in [0, 1]; bytes are divided by 255."""
        return to_float(self.images)

    def select(self, indices: Any) -> "ImageSplit":
        """The images and labels at `indices`, in that order."""
        return ImageSplit(self.images[indices], self.labels[indices])

    def take(self, count: int, seed: int) -> "ImageSplit":
        """A random part: `count` images (all if there are fewer) in an order that `seed` decides.

        The same seed with a smaller count gives the beginning of the same part.
        """
        if count < 1:
            raise ValueError(f"`count` must be at least 1. Received: count={count}")
        # RandomState's stream is frozen by NumPy's policy; Generator's may change between releases.
        return self.select(np.random.RandomState(seed).permutation(len(self))[:count])


@dataclasses.dataclass(frozen=True, eq=False)
class ImageDataset:
    """A named image classification data set.

    Attributes:
        name: as given to `load`.
        train: images to train on, or None where there are none: the set can then be evaluated on.
        test: images to evaluate on, of the same shape.
        class_names: one name a class; a label is a position in it.
        numbered: whether classes are known by their numbers alone. A model may then know classes
            that the set does not show.
        notes: what was read how, a sentence each, for the report.

    Raises:
        InputError: shapes differ between the splits, fewer than two classes, a label without class.
    """

    name: str
    train: ImageSplit | None
    test: ImageSplit
    class_names: tuple[str, ...]
    numbered: bool = False
    notes: tuple[str, ...] = ()

    def __post_init__(self):
        if self.num_classes < 2:
            raise InputError.expected(self.name, "at least 2 classes", self.num_classes)
        if self.train is not None and self.train.image_shape != self.test.image_shape:
            raise InputError.expected(
                self.name,
                f"test images of the training images' shape {self.train.image_shape}",
                self.test.image_shape,
            )
        for split_name in ("train", "test"):
            if (split := getattr(self, split_name)) is not None:
                check_labels(split.labels, self.num_classes, f"{self.name} {split_name}")

    @property
    def num_classes(self) -> int:
        """How many classes there are."""
        return len(self.class_names)

    @property
    def image_shape(self) -> tuple[int, ...]:
        """(height, width, channels)."""
        return self.test.image_shape

    def part(self, name: str) -> ImageSplit:
        """The `ImageSplit` of a name: `train`, `test`, or `all` for both.

        Raises:
            InputError: there are no training images.
        """
        if self.train is None and name != "train":
            return self.test
        if self.train is None:
            raise InputError.expected(
                self.name,
                "training images (arrays x_train and y_train, or a folder train)",
                f"{len(self.test)} test images alone",
            )
        return _joined(self.train, self.test) if name == "all" else getattr(self, name)

    def training_on(self, count: int) -> "ImageDataset":
        """The same with `count` random training images, the same ones each time; all for 0."""
        if not count or self.train is None:
            return self
        return dataclasses.replace(self, train=self.train.take(count, seed=0))

    def beyond(self, name: str) -> ImageSplit:
        """The `ImageSplit` of images that `part(name)` leaves, for an attacker's own use.

        Raises:
            InputError: it leaves none.
        """
        if self.train is None or name == "all":
            raise InputError.expected(
                self.name,
                "images beside those attacked, which substitute models begin with (training images "
                "as well, and --split=test or train; or leave --substitute out)",
                f"none beside the split {name}",
            )
        return self.test if name == "train" else self.train

    def widened(self, num_classes: int) -> "ImageDataset":
        """The same set with the numbers of classes that it does not show, at most these many."""
        if not self.numbered or num_classes <= self.num_classes:
            return self
        names = tuple(str(number) for number in range(num_classes))
        return dataclasses.replace(self, class_names=names)


def _joined(first, second):
    labels = np.concatenate([first.labels, second.labels])
    if first.is_streamed:
        return ImageSplit(first.images.joined(second.images), labels)
    images = [first.images, second.images]
    if images[0].dtype != images[1].dtype:
        images = [to_float(part) for part in images]
    return ImageSplit(np.concatenate(images), labels)


def description(dataset: ImageDataset) -> list[str]:
    """Lines of text for the terminal: how much there is, the classes, and what was read how."""
    sides = " x ".join(map(str, dataset.image_shape))
    training = 0 if dataset.train is None else len(dataset.train)
    names = ", ".join(dataset.class_names[:_NAMES_SHOWN])
    more = ", ..." if dataset.num_classes > _NAMES_SHOWN else ""
    counts = f"{training} training and {len(dataset.test)} test images of {sides}"
    lines = [f"{counts}, {dataset.num_classes} classes ({names}{more})", *dataset.notes]
    return [
        line
        for text in lines
        for line in textwrap.wrap(f"data  {text}", _COLUMNS, subsequent_indent=" " * 6)
    ]


def to_float(images: np.ndarray) -> np.ndarray:
    """Float32 pixels in [0, 1] from bytes or floats; images on the disk are read."""
    images = np.asarray(images)
    if images.dtype == np.uint8:
        return images.astype(np.float32) / np.float32(255.0)
    return images.astype(np.float32, copy=False)


def channel_statistics(split: ImageSplit) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and variance of every channel, for the normalisation inside a model.

    Returns:
        Two tuples of floats, one value a channel, in units of [0, 1] pixels.
    """
    split = split.select(slice(None, None, -(-len(split) // _COUNTED)))
    count = int(np.prod(split.images.shape[:3]))
    total = np.zeros(split.image_shape[-1])
    squares = np.zeros(split.image_shape[-1])
    # In chunks: float64 copies of a whole data set would not fit small machines.
    size = max(1, min(_CHUNK, _CHUNK_VALUES // int(np.prod(split.image_shape))))
    for start in range(0, len(split), size):
        chunk = to_float(split.images[start : start + size]).astype(np.float64)
        total += chunk.sum(axis=(0, 1, 2))
        squares += np.square(chunk).sum(axis=(0, 1, 2))
    mean = total / count
    variance = np.maximum(squares / count - np.square(mean), 0.0)
    return tuple(mean.tolist()), tuple(variance.tolist())


def hold_out(split: ImageSplit, fraction: float, seed: int) -> tuple[ImageSplit, ImageSplit | None]:
    """Splits off a share of every class.

    Args:
        split: an `ImageSplit`.
        fraction: share to hold out, in [0, 1); each class gives this share, rounded. Where that
            is nothing of any class, all images together give it.
        seed: which images are held out.

    Returns:
        (remaining, held_out), both in the order of `split`; held_out is None for fraction 0.

    Raises:
        InputError: so few images that one of the two would be empty.
    """
    if not 0.0 <= fraction < 1.0:
        raise ValueError(f"`fraction` must be in [0, 1). Received: fraction={fraction}")
    if fraction == 0.0:
        return split, None
    generator = np.random.RandomState(seed)
    held = np.zeros(len(split), dtype=bool)
    for label in np.unique(split.labels):
        members = generator.permutation(np.flatnonzero(split.labels == label))
        held[members[: round(fraction * len(members))]] = True
    if not held.any():
        # Few images of each of many classes: a share of all of them.
        held[generator.permutation(len(split))[: round(fraction * len(split))]] = True
    if held.all() or not held.any():
        raise InputError.expected(
            "--validation_fraction",
            f"a share that leaves images on both sides of {len(split)} (0 holds none out)",
            fraction,
        )
    return split.select(~held), split.select(held)
