"""Data sets from a user's own .npz file."""

import numpy as np
import pytest

from robust_keras import data
from robust_keras.errors import InputError


def arrays(**changes):
    made = {
        "x_train": np.zeros((6, 4, 4), np.uint8),
        "y_train": np.array([[0], [1], [2], [0], [1], [2]]),
        "x_test": np.full((2, 4, 4, 1), 0.5, np.float32),
        "y_test": np.array([0, 2]),
    }
    made.update(changes)
    return {name: array for name, array in made.items() if array is not None}


def test_grey_images_get_a_channel_and_labels_become_flat(tmp_path):
    path = str(tmp_path / "mine.npz")
    np.savez(path, **arrays())
    dataset = data.load(path)
    assert dataset.image_shape == (4, 4, 1)
    assert dataset.num_classes == 3
    assert dataset.train.labels.tolist() == [0, 1, 2, 0, 1, 2]
    assert dataset.test.float_images().max() == 0.5


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"y_test": None}, "none named y_test"),
        ({"y_test": np.array([0, 3])}, "labels in 0..2; received 0..3"),
        ({"y_train": np.array([0, 1, 2, 0, 1, -1])}, "labels in"),
        ({"x_test": np.full((2, 4, 4, 1), np.nan, np.float32)}, "finite pixels"),
        ({"x_test": np.full((2, 4, 4, 1), 200.0, np.float32)}, r"divide by 255\?"),
        ({"x_test": np.zeros((2, 4, 5, 1), np.uint8)}, "training images' shape"),
        ({"x_train": np.zeros((6, 16), np.uint8)}, r"\(n, height, width, channels\)"),
    ],
)
def test_bad_arrays(tmp_path, changes, text):
    path = str(tmp_path / "mine.npz")
    np.savez(path, **arrays(**changes))
    with pytest.raises(InputError, match=text):
        data.load(path)


def test_missing_and_foreign_files(tmp_path):
    with pytest.raises(InputError, match="that exists"):
        data.load(str(tmp_path / "none.npz"))
    foreign = tmp_path / "text.npz"
    foreign.write_text("not an archive")
    with pytest.raises(InputError, match="readable .npz file"):
        data.load(str(foreign))
