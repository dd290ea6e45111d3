"""Splits of TensorFlow Datasets whose images stay on the disk."""

import contextlib
import pathlib
import sys
from typing import Any

import numpy as np

from robust_keras.data.datasets import ImageSplit
from robust_keras.data.record_index import RecordIndex
from robust_keras.data.streamed_images import StreamedImages
from robust_keras.errors import InputError


def split(
    tfds: Any, builder: Any, name: str, image_key: str, label_key: str, image_size: int | None
) -> ImageSplit:
    """A split whose images are read when they are asked for, in the order of `as_dataset`.

    Args:
        tfds: the module.
        builder: of a set that is prepared.
        name: of the split.
        image_key: of the feature with the images.
        label_key: of that with the classes.
        image_size: the sides that images are brought to, in pixels, or None for their own.

    Raises:
        InputError: other files than TFRecord, or images that are no bytes.
    """
    feature = builder.info.features[image_key]
    file_format = str(getattr(builder.info.file_format, "value", builder.info.file_format))
    if file_format != "tfrecord" or np.dtype(feature.np_dtype) != np.uint8:
        raise InputError.expected(
            f"--dataset={builder.name}",
            "TFRecord files of images of bytes, to be read from the disk",
            f"{file_format} files of {np.dtype(feature.np_dtype)}",
        )
    index = _index(tfds, builder, name, image_key, label_key)
    shape = feature.shape if image_size is None else (image_size, image_size, feature.shape[-1])
    rows = np.arange(len(index.labels))
    images = StreamedImages(index, rows, image_key, shape, image_size is not None)
    return ImageSplit(images, index.labels)


def _index(tfds, builder, name, image_key, label_key):
    """The split's index: read once, and kept beside the data where these can be written to."""
    files = [str(path) for path in builder.info.splits[name].filepaths]
    path = pathlib.Path(builder.data_path) / f"robust_keras-{name}.npz"
    found = RecordIndex.kept(path, files)
    if found is None:
        print(f"{builder.name}: reading the labels of the split {name}", file=sys.stderr)
        found = _read_index(tfds, builder, name, files, image_key, label_key)
        with contextlib.suppress(InputError):
            found.save(path)
    return found


def _read_index(tfds, builder, name, files, image_key, label_key):
    numbers = {pathlib.Path(path).name: number for number, path in enumerate(files)}
    examples = builder.as_dataset(
        split=name,
        shuffle_files=False,
        decoders={image_key: tfds.decode.SkipDecoding()},
        read_config=tfds.ReadConfig(add_tfds_id=True),
    )
    places, labels = [], []
    for example in examples.as_numpy_iterator():
        file, _, place = example["tfds_id"].decode().rpartition("__")
        places.append((numbers[file], int(place)))
        labels.append(example[label_key])
    expected = builder.info.splits[name].num_examples
    if len(labels) != expected:
        raise ValueError(f"{len(labels)} of {expected} images in the split {name}")
    return RecordIndex.of(files, places, labels)
