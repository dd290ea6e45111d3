"""Trained models that a training run reads: teachers, source models, what is to be denoised for."""

import pathlib
from collections.abc import Collection

from robust_keras import serving
from robust_keras.data.datasets import ImageSplit
from robust_keras.errors import InputError
from robust_keras.serving import Classifier

# As many clean images tell what a model takes; which ones depends on no run's seed.
_IMAGES, _SEED = 256, 0


def load_fitting(
    path: str | pathlib.Path,
    split: ImageSplit,
    num_classes: int,
    *,
    wanted: str,
    differentiable: bool = False,
    trusted_operations: Collection[str] = (),
) -> Classifier:
    """The classifier at a path, if it fits the images and classes of a run.

    It is tried on clean images, as evaluate.py tries the models that it attacks: whatever pixels
    it takes, the classifier takes those in [0, 1], and its `notes` say so.

    Args:
        path: of a `.keras` file or a SavedModel, ours or anybody's; see `serving.load`.
        split: the training `ImageSplit`.
        num_classes: how many classes it must tell apart.
        wanted: what it shall be, for the error.
        differentiable: whether it must have gradients.
        trusted_operations: see `serving.load`.

    Raises:
        InputError: nothing there, no classifier of such images and classes, or no gradients.
    """
    image_shape, clean = split.image_shape, split.take(_IMAGES, _SEED)
    examples = serving.Examples(clean.float_images(), clean.labels, num_classes)
    found = serving.load(path, examples=examples, trusted_operations=trusted_operations)
    sides = zip(found.image_shape, image_shape, strict=True)
    if found.num_classes != num_classes or any(own not in (None, side) for own, side in sides):
        expected = f"{wanted} of {tuple(image_shape)} images and {num_classes} classes"
        received = f"one of {found.image_shape} images and {found.num_classes} classes"
        raise InputError.expected(str(path), expected, received)
    if differentiable and found.gradient_error is not None:
        raise InputError.expected(str(path), f"{wanted} with gradients", found.gradient_error)
    return found
