"""The models of an evaluation, loaded in front of the data set that they are attacked on."""

import contextlib
import os
import pathlib
import sys
from collections.abc import Sequence

import tensorflow as tf

from robust_keras import serving
from robust_keras.data import in_order_of
from robust_keras.data.datasets import ImageDataset, ImageSplit
from robust_keras.engine import Replicas
from robust_keras.errors import InputError
from robust_keras.notes.class_note import read_class_names
from robust_keras.serving.classifier import Classifier
from robust_keras.serving.load import model_location
from robust_keras.settings.config import EvaluateConfig

# As many clean images tell what a model takes, whatever --examples says.
_IMAGES = 256


def load_models(
    config: EvaluateConfig,
    part: ImageSplit,
    num_classes: int,
    *,
    devices: Sequence[str | None],
    seed: int,
) -> list[Replicas]:
    """Loads every model of a config, each once on every device.

    What is unusual about how a model is read is said on the terminal at once.

    Raises:
        InputError: a model cannot be used.
    """
    examples, found = clean_examples(part, num_classes, config.dataset, seed), []
    for path in config.models:
        found.append(load_copies(path, examples, devices, config))
        tell_notes(path, found[-1].first)
    return found


def clean_examples(part: ImageSplit, num_classes: int, dataset: str, seed: int) -> serving.Examples:
    """The `serving.Examples` on which a model is tried before it is attacked."""
    clean = part.take(_IMAGES, seed)
    return serving.Examples(clean.float_images(), clean.labels, num_classes, dataset)


def tell_notes(name: str, classifier: Classifier) -> None:
    """Says on the terminal what is unusual about how a model is read."""
    for note in classifier.notes:
        print(f"{name}: {note}", file=sys.stderr)


def refuse_twins(paths: Sequence[str]) -> None:
    """Raises InputError where two paths lead to one model, before anything is done with either."""
    known: dict[pathlib.Path, str] = {}
    for path in paths:
        location = pathlib.Path(os.path.realpath(model_location(path)))
        if location in known:
            raise InputError.expected(
                "--models",
                "every model once",
                f"{known[location]} and {path}, which are the same",
            )
        known[location] = path


def in_the_models_order(dataset: ImageDataset, paths: Sequence[str]) -> ImageDataset:
    """The data set with its classes numbered as the exports of train.py name them.

    Raises:
        InputError: a model does not know a class of the set, or two number them differently.
    """
    told = {path: read_class_names(model_location(path)) for path in paths}
    known = {path: names for path, names in told.items() if names is not None}
    if len(set(known.values())) > 1 and not dataset.numbered:
        raise InputError.expected(
            "--models", "models of the same classes in one order", " and ".join(known)
        )
    for path, names in list(known.items())[:1]:
        dataset = in_order_of(dataset, names, path)
    return dataset


def load_copies(
    path: str,
    examples: serving.Examples,
    devices: Sequence[str | None],
    config: EvaluateConfig,
) -> Replicas:
    """Loads one model, once on every device, as `Replicas`."""
    pixels, loaded = config.model_pixels, []
    for device in devices:
        with contextlib.nullcontext() if device is None else tf.device(device):
            loaded.append(
                serving.load(
                    pathlib.Path(path),
                    examples=examples,
                    pixels=pixels,
                    output=config.output,
                    trusted_operations=config.trusted_operations,
                    time_limit=config.first_passes_seconds,
                )
            )
        # A random model's copies must not be read in other ways.
        pixels = loaded[0].pixels
    return Replicas(loaded, devices)
