"""Prepared sets of TensorFlow Datasets whose files are damaged."""

import os
import pathlib
import shutil
import tempfile
import unittest.mock

import numpy as np
import pytest

from robust_keras import data
from robust_keras.errors import InputError


def examples(count):
    for place in range(count):
        yield place, {"image": np.full((28, 28, 1), place, np.uint8), "label": place % 10}


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """A small set that TensorFlow Datasets prepared itself, without a download."""
    tfds = pytest.importorskip("tensorflow_datasets")
    root = tmp_path_factory.mktemp("tfds")
    builder = tfds.builder("kmnist", data_dir=root)
    splits = {"train": examples(20), "test": examples(10)}
    with unittest.mock.patch.object(type(builder), "_split_generators", lambda *_: splits):
        builder.download_and_prepare()
    return root


def cut(path):
    path.write_bytes(path.read_bytes()[:-100])


def cut_between_records(path):
    # Every record is as long as the first.
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 10 * 9])


def flip(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 8
    path.write_bytes(content)


def empty(path):
    path.write_bytes(b"")


def replace_by_directory(path):
    path.unlink()
    path.mkdir()


DAMAGE = [
    ("*test.tfrecord*", cut),
    ("*test.tfrecord*", cut_between_records),
    ("*train.tfrecord*", flip),
    ("*train.tfrecord*", empty),
    ("*train.tfrecord*", pathlib.Path.unlink),
    ("*test.tfrecord*", replace_by_directory),
    ("dataset_info.json", cut),
]


def test_the_intact_set_loads(prepared):
    dataset = data.load("kmnist", str(prepared))
    assert (len(dataset.train), len(dataset.test), dataset.num_classes) == (20, 10, 10)


@pytest.mark.parametrize(("pattern", "damage"), DAMAGE, ids=lambda v: getattr(v, "__name__", v))
def test_damage_is_one_line_that_says_what_to_do(prepared, tmp_path, pattern, damage):
    shutil.copytree(prepared, tmp_path / "copy")
    (path,) = (tmp_path / "copy").rglob(pattern)
    damage(path)
    words = "--dataset=kmnist: expected undamaged data in .*kmnist.*delete that directory"
    with pytest.raises(InputError, match=words) as error:
        data.load("kmnist", str(tmp_path / "copy"))
    assert "\n" not in str(error.value) and "{{" not in str(error.value)


@pytest.mark.parametrize("pattern", ["", "kmnist", "kmnist/*", "kmnist/*/*test.tfrecord*"])
def test_what_may_not_be_read_is_one_line(prepared, pattern, request):
    with tempfile.TemporaryDirectory() as directory:
        root = shutil.copytree(prepared, pathlib.Path(directory) / "data")
        (place,) = root.glob(pattern) if pattern else [root]
        pathlib.Path(directory).chmod(0o755)
        mode = place.stat().st_mode
        place.chmod(0)
        request.getfixturevalue("nobody")
        with pytest.raises(InputError, match="data that may be read in .*Permission denied") as one:
            data.load("kmnist", str(root))
        assert "\n" not in str(one.value)
        os.seteuid(os.getuid())
        place.chmod(mode)
