"""TensorFlow Datasets: used in this file only, and imported only when a set is loaded."""

import contextlib
import errno
import logging
import os
import pathlib
import re
import sys
import tempfile
import textwrap

import numpy as np

from robust_keras.data import memory
from robust_keras.data.datasets import ImageDataset, ImageSplit
from robust_keras.errors import InputError
from robust_keras.suggestion import did_you_mean

# The sets that errors and documents name; any other image classification set of TensorFlow
# Datasets works too.
DATASETS = ("mnist5k", "mnist", "fashion_mnist", "cifar10", "svhn_cropped")
_DOWNLOAD_RETRIES = 3
# Whose test images have no labels.
_UNLABELLED_TEST = ("imagenet2012",)
_STREAMED = "The images stay on the disk and are read batch by batch."


def load(
    name: str,
    data_dir: str | None = None,
    *,
    image_size: int | None = None,
    stream: bool = False,
) -> ImageDataset:
    """Loads an image classification set; data already prepared are used as they are.

    Where its images do not fit into memory, they stay on the disk and are read batch by batch.

    Args:
        name: as TensorFlow Datasets writes it: `mnist`, `emnist/letters`, `cifar10:3.0.2`.
        data_dir: its data directory; None for its default (`~/tensorflow_datasets`).
        image_size: the sides that images are brought to, in pixels; None for their own.
        stream: whether images stay on the disk even where they fit.

    Returns:
        An `ImageDataset`: split `train`, and `test` or else `validation`.

    Raises:
        InputError: unknown or not image classification, or neither prepared nor to be fetched.
    """
    tfds = _import(name)
    _silence()
    builder = _builder(tfds, name, data_dir)
    with _intact(builder.data_path, name):
        keys = _keys(tfds, builder, name, image_size)
        prepared = builder.is_prepared()
    if not prepared:
        _download(tfds, builder, name)
    with _intact(builder.data_path, name):
        names = _split_names(builder, name)
        fits = _size(builder, keys[0], names, image_size) <= memory.limit()

        def split(name):
            if fits and not (stream or image_size):
                return _read(builder, name, *keys)
            # Which imports TensorFlow.
            from robust_keras.data import tfds_streams

            found = tfds_streams.split(tfds, builder, name, *keys, image_size)
            if fits and not stream:
                return ImageSplit(np.asarray(found.images), found.labels)
            return found

        return ImageDataset(
            name=name,
            train=split(names[0]),
            test=split(names[1]),
            class_names=tuple(builder.info.features[keys[1]].names),
            notes=() if fits and not stream else (_STREAMED,),
        )


@contextlib.contextmanager
def _intact(path, name):
    """Damage of any kind in prepared data becomes one line."""
    try:
        yield
    except InputError:
        raise
    # Records, their checksums, pictures, JSON: each reader raises something else.
    except Exception as error:
        raise _damaged(path, name, error) from error


def _import(name):
    try:
        import tensorflow_datasets as tfds
    except ImportError as error:
        raise InputError.expected(
            f"--dataset={name}",
            "tensorflow-datasets (pip install tensorflow-datasets importlib_resources), "
            "or --dataset=mnist5k",
            f"import failed: {error}",
        ) from error
    return tfds


def _builder(tfds, name, data_dir):
    try:
        return tfds.builder(name, data_dir=data_dir)
    # A bad name, version or configuration raises one of many types, AssertionError among them.
    except Exception as error:
        if isinstance(error, tfds.core.registered.DatasetNotFoundError):
            reason = name + did_you_mean(name.partition("/")[0], _names(tfds))
        else:
            reason = f"{name} ({_first_line(error)})"
            _check_prepared(name, data_dir, error)
        raise InputError.expected(
            "--dataset",
            f"{', '.join(DATASETS)} or another TensorFlow Datasets name, or the path of an .npz "
            "file or a directory",
            reason,
        ) from error


def _check_prepared(name, data_dir, error):
    """Raises where a set of that name lies there and is damaged; a version may just be missing."""
    path = pathlib.Path(data_dir or "~/tensorflow_datasets").expanduser() / name
    begun = os.path.isdir(path) and (_forbidden(error) or os.listdir(path))
    if ":" not in name and begun:
        raise _damaged(path, name, error) from error


def _damaged(path, name, error):
    if _forbidden(error):
        expected = f"data that may be read in {path}, or another --data_dir"
        return InputError.expected(f"--dataset={name}", expected, os.strerror(errno.EACCES))
    return InputError.expected(
        f"--dataset={name}",
        f"undamaged data in {path} (delete that directory to have it prepared again)",
        _first_line(error),
    )


def _forbidden(error):
    """Whether rights are missing; TensorFlow tells so in words only."""
    while error is not None:
        if isinstance(error, PermissionError) or os.strerror(errno.EACCES) in str(error):
            return True
        error = error.__cause__ or error.__context__
    return False


def _names(tfds):
    """The names that a misspelt one may have meant."""
    return [*DATASETS, *tfds.list_builders(with_community_datasets=False)]


def _keys(tfds, builder, name, image_size):
    """The names of the image and label features."""
    features = builder.info.features
    images = [k for k, f in features.items() if isinstance(f, tfds.features.Image)]
    labels = [k for k, f in features.items() if isinstance(f, tfds.features.ClassLabel)]
    supervised = builder.info.supervised_keys
    if supervised and supervised[0] in images and supervised[1] in labels:
        images, labels = supervised[:1], supervised[1:2]
    if len(images) != 1 or len(labels) != 1:
        raise InputError.expected(
            f"--dataset={name}",
            "one image and one class label an example",
            f"features {', '.join(sorted(features))}",
        )
    shape = features[images[0]].shape
    if None in shape[:2] and not image_size or shape[-1] is None:
        expected = "images of one size, or --image_size, such as 224"
        raise InputError.expected(f"--dataset={name}", expected, f"shape {shape}")
    return images[0], labels[0]


def _split_names(builder, name):
    splits = builder.info.splits
    labelled = "test" in splits and re.split("[:/]", name)[0] not in _UNLABELLED_TEST
    test = "test" if labelled else "validation"
    if "train" not in splits or test not in splits:
        raise InputError.expected(
            f"--dataset={name}",
            "a split train, and a split test or validation",
            ", ".join(sorted(splits)) or "no split",
        )
    return "train", test


def _size(builder, image_key, split_names, image_size):
    """Bytes that the images would take in memory."""
    feature = builder.info.features[image_key]
    count = sum(builder.info.splits[split].num_examples for split in split_names)
    sides = feature.shape[:2] if image_size is None else (image_size, image_size)
    pixels = int(np.prod((*sides, feature.shape[-1])))
    return count * pixels * np.dtype(feature.np_dtype).itemsize


def _read(builder, split, image_key, label_key):
    # One batch holding everything, which has a fixed order because files are not shuffled.
    everything = builder.as_dataset(split=split, batch_size=-1, shuffle_files=False)
    found = ImageSplit(everything[image_key].numpy(), everything[label_key].numpy())
    expected = builder.info.splits[split].num_examples
    if len(found) != expected:
        raise ValueError(f"{len(found)} of {expected} images in the split {split}")
    return found


def _download(tfds, builder, name):
    """Fetches and prepares a set, or says what to do; a failure leaves nothing behind."""
    root = pathlib.Path(builder.data_dir_root).expanduser()
    new_directories = _missing(pathlib.Path(builder.data_path).expanduser())
    if not sys.stderr.isatty():
        tfds.disable_progress_bar()
    try:
        root.mkdir(parents=True, exist_ok=True)
        # Downloads go to a directory of their own: what a broken one leaves is removed with it.
        with tempfile.TemporaryDirectory(prefix=".download-", dir=root) as directory:
            config = tfds.download.DownloadConfig(manual_dir=root / "downloads" / "manual")
            with _few_retries():
                builder.download_and_prepare(download_dir=directory, download_config=config)
    # Hosts, checksums, missing parsers, manual downloads, disks: each raises something else.
    except Exception as error:
        _remove_empty(new_directories)
        if _forbidden(error):
            raise _damaged(root, name, error) from error
        raise InputError.expected(
            f"--dataset={name}",
            f"data prepared in {root} (--data_dir), a network to fetch it, or --dataset=mnist5k",
            _first_line(error),
        ) from error


@contextlib.contextmanager
def _few_retries():
    """Without a network, its ten growing pauses a file would take minutes."""
    from tensorflow_datasets.core.download import downloader

    retries = downloader.MAX_RETRIES
    downloader.MAX_RETRIES = _DOWNLOAD_RETRIES
    try:
        yield
    finally:
        downloader.MAX_RETRIES = retries


def _silence():
    """Warnings (a retry, a folder not yet there) would bury the one line that counts.

    For good, as its download threads may still be at it when the error has been printed.
    """
    for name in ("absl", "urllib3.connectionpool"):
        logging.getLogger(name).setLevel(logging.ERROR)


def _missing(path):
    """The directories on the way to `path` that do not exist, deepest first."""
    return [place for place in (path, *path.parents) if not os.path.exists(place)]


def _remove_empty(directories):
    for directory in directories:
        if os.path.isdir(directory) and not os.listdir(directory):
            directory.rmdir()


def _first_line(error):
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    # TensorFlow begins with the place in its graph, which would take all the room.
    text = re.sub(r"\{\{.*?\}\}", "", lines[0]).strip() if lines else "no reason given"
    return f"{type(error).__name__}: {textwrap.shorten(text, 120, placeholder=' ...')}"
