"""Data sets from a user's own arrays: the names, labels and pixels that strangers' files hold."""

import os
import re

import numpy as np
import pytest

from robust_keras import data
from robust_keras.errors import InputError

NAMES = np.array(["ant", "bee", "cat"])
NUMBERS = np.array([0, 1, 2, 0, 1, 2])


def arrays(**changes):
    made = {
        "x_train": np.zeros((6, 4, 4), np.uint8),
        "y_train": NUMBERS[:, np.newaxis],
        "x_test": np.full((2, 4, 4, 1), 0.5, np.float32),
        "y_test": np.array([0, 2]),
    }
    made.update(changes)
    return {name: array for name, array in made.items() if array is not None}


def load(tmp_path, **made):
    path = str(tmp_path / "mine.npz")
    np.savez(path, **made)
    return data.load(path)


def refusal(tmp_path, **made):
    with pytest.raises(InputError) as error:
        data.check_trainable(load(tmp_path, **made))
    assert "\n" not in str(error.value)
    return str(error.value)


def test_grey_images_get_a_channel_and_labels_become_flat(tmp_path):
    dataset = load(tmp_path, **arrays())
    assert dataset.image_shape == (4, 4, 1)
    assert dataset.num_classes == 3
    assert dataset.train.labels.tolist() == [0, 1, 2, 0, 1, 2]
    assert dataset.test.float_images().max() == 0.5


@pytest.mark.parametrize(
    "names",
    [
        ("X_train", "Y_train", "X_test", "Y_test"),
        ("train_images", "train_labels", "test_images", "test_labels"),
        ("trainX", "trainY", "testX", "testY"),
        ("images_train", "targets_train", "images_val", "targets_val"),
        ("training.data", "training.target", "test.data", "test.target"),
    ],
)
def test_the_arrays_have_many_names(tmp_path, names):
    dataset = load(tmp_path, **dict(zip(names, arrays().values(), strict=True)))
    assert (len(dataset.train), len(dataset.test), dataset.num_classes) == (6, 2, 3)
    assert dataset.notes[0].startswith("images and labels are the arrays " + names[0])


def test_documented_names_win_and_validation_is_left_aside(tmp_path):
    more = {"X_train": np.zeros(3), "val_images": np.zeros((1, 4, 4)), "val_labels": np.zeros(1)}
    dataset = load(tmp_path, **arrays(**more))
    assert len(dataset.train) == 6
    assert "val_images is not used" in dataset.notes


LABELS = {
    "numbers of bytes": (NUMBERS.astype(np.uint8), None),
    "floats": (NUMBERS.astype(np.float16), "labels are floats, all whole"),
    "one-hot": (np.eye(3)[NUMBERS], "labels are one-hot rows"),
    "text": (NAMES[NUMBERS], "labels are names; their classes are numbered in alphabetical order"),
    "bytes of text": (NAMES[NUMBERS].astype("S"), "labels are names; .*"),
    "digits as text": (NUMBERS.astype(str), "labels are numbers written as text"),
}


@pytest.mark.parametrize("case", LABELS)
def test_labels_are_read_in_every_usual_form(tmp_path, case):
    labels, note = LABELS[case]
    dataset = load(tmp_path, **arrays(y_train=labels, y_test=labels[:2]))
    assert dataset.train.labels.tolist() == NUMBERS.tolist()
    assert dataset.test.labels.tolist() == [0, 1]
    assert dataset.num_classes == 3
    named = "text" in case and "digits" not in case
    assert dataset.class_names == (tuple(NAMES) if named else ("0", "1", "2"))
    assert dataset.numbered != named
    assert note is None or any(re.fullmatch(note, found) for found in dataset.notes)


def test_truth_values_are_two_classes(tmp_path):
    truth = NUMBERS > 0
    dataset = load(tmp_path, **arrays(y_train=truth, y_test=truth[:2]))
    assert dataset.train.labels.tolist() == [0, 1, 1, 0, 1, 1] and dataset.num_classes == 2


def test_class_names_give_the_order(tmp_path):
    other = NAMES[::-1]
    dataset = load(tmp_path, **arrays(y_train=NAMES[NUMBERS], y_test=NAMES[:2], class_names=other))
    assert dataset.class_names == tuple(other)
    assert dataset.train.labels.tolist() == [2, 1, 0, 2, 1, 0]


def test_256_classes_of_bytes(tmp_path):
    labels = np.arange(256).astype(np.uint8)
    images = np.zeros((256, 2, 2), np.uint8)
    dataset = load(tmp_path, **arrays(x_train=images, y_train=labels, x_test=images, y_test=labels))
    assert dataset.num_classes == 256


def test_test_images_alone_are_evaluated_on_and_not_trained_on(tmp_path):
    made = arrays(y_train=None)
    assert load(tmp_path, **made).train is None
    made.pop("x_train")
    dataset = load(tmp_path, **made)
    assert dataset.train is None and len(dataset.part("test")) == len(dataset.part("all")) == 2
    assert re.search("training images.*received 2 test images alone", refusal(tmp_path, **made))
    with pytest.raises(InputError, match="beside those attacked.*--substitute"):
        dataset.beyond("test")


@pytest.mark.parametrize("names", [("images", "labels"), ("x", "y"), ("arr_0", "arr_1")])
def test_a_set_in_one_piece_is_divided_always_alike(tmp_path, names):
    images = np.arange(60, dtype=np.uint8).reshape(60, 1, 1, 1)
    parts = dict(zip(names, (images, np.arange(60) % 3), strict=True))
    dataset, again = load(tmp_path, **parts), load(tmp_path, **parts)
    assert np.bincount(dataset.test.labels).tolist() == [4, 4, 4]
    np.testing.assert_array_equal(dataset.test.images, again.test.images)
    together = dataset.part("all").images.ravel()
    assert sorted(together) == list(range(60)) and len(dataset.train) == 48
    assert any("--split=all" in note for note in dataset.notes)


def test_a_model_may_know_classes_that_numbers_do_not_show(tmp_path):
    dataset = load(tmp_path, **arrays())
    data.check_model_classes(dataset, 10, "model")
    assert dataset.widened(10).class_names == tuple("0123456789")
    with pytest.raises(InputError, match="a model of 3 classes.*received one of 2 classes"):
        data.check_model_classes(dataset, 2, "model")
    named = load(tmp_path, **arrays(y_train=NAMES[NUMBERS], y_test=NAMES[:2]))
    assert named.widened(10) is named
    with pytest.raises(InputError, match="in an array class_names"):
        data.check_model_classes(named, 10, "model")


def test_labels_from_one_say_what_to_do(tmp_path):
    made = arrays(y_train=NUMBERS + 1, y_test=np.array([1, 2]))
    words = r"class numbers from 0 \(save labels - 1.*begin at 1: class 0 has no image"
    assert re.search(words, refusal(tmp_path, **made))
    dataset = load(tmp_path, **made)
    with pytest.raises(InputError, match=words):
        data.check_model_classes(dataset, 3, "model")
    # A model that was trained on such labels has an output that never wins.
    data.check_model_classes(dataset, 4, "model")


PIXELS = {
    "whole numbers": (np.full((2, 4, 4, 1), 200, np.int16), np.uint8, 200 / 255),
    "doubles": (np.full((2, 4, 4, 1), 0.25), np.float32, 0.25),
    "halves": (np.full((2, 4, 4, 1), 0.25, np.float16), np.float32, 0.25),
    "big-endian": (np.full((2, 4, 4, 1), 0.25, ">f4"), np.float32, 0.25),
    "black and white": (np.ones((2, 4, 4, 1), np.int64), np.float32, 1.0),
    "truth": (np.ones((2, 4, 4), bool), np.float32, 1.0),
    "rounding": (np.full((2, 4, 4, 1), 1.000001), np.float32, 1.0),
}


@pytest.mark.parametrize("case", PIXELS)
def test_pixels_of_one_reading_are_converted(tmp_path, case):
    images, kind, value = PIXELS[case]
    dataset = load(tmp_path, x_test=images, y_test=np.array([0, 1]))
    assert dataset.test.images.dtype == kind
    np.testing.assert_allclose(dataset.test.float_images(), value, rtol=1e-6)


def test_a_gap_among_the_classes_is_told(tmp_path):
    dataset = load(
        tmp_path, **arrays(y_train=np.array([0, 1, 3, 4, 4, 4]), y_test=np.array([0, 1]))
    )
    data.check_trainable(dataset)
    assert "1 of 5 classes have no image in train: 2" in dataset.notes


def test_bytes_that_may_be_dark_are_told(tmp_path):
    dataset = load(tmp_path, **arrays(x_train=np.full((6, 4, 4), 16, np.uint8)))
    assert "the brightest pixel is 16 of 255; divide by 16 if that is white" in dataset.notes


def test_floats_divided_by_255_twice_are_told(tmp_path):
    images = np.full((6, 4, 4), 1 / 255, np.float32)
    notes = load(tmp_path, x_test=images, y_test=NUMBERS).notes
    assert "the brightest pixel is 0.0039 of 1; divide by 0.0039 if that is white" in notes
    # A dark part beside a bright one is no reason to doubt; black images have nothing to divide.
    assert not load(tmp_path, **arrays(x_train=images)).notes[1:]
    assert load(tmp_path, x_test=images * 0, y_test=NUMBERS).notes == (
        "images have no channel axis; they are read as grey",
    )


REFUSED = {
    "no labels": ({"y_test": None}, "none named y_test, but x_test, x_tr"),
    "test label beyond": ({"y_test": np.array([0, 3])}, "labels in 0..2; received 0..3"),
    "negative label": ({"y_train": np.array([0, 1, 2, 0, 1, -1])}, "count from 0.; received -1..2"),
    "gaps": (
        {"y_train": np.array([0, 5, 255] * 2)},
        "without gaps.*3 classes of 256.* is 1",
    ),
    "50,000,000 classes": ({"y_test": np.array([0, 50_000_000])}, r"0\.\.99999.*5e\+07"),
    "half a class": ({"y_test": np.array([0, 0.5])}, "whole and from 0; received 0.5"),
    "NaN label": ({"y_test": np.array([0, np.nan])}, "whole and from 0; received nan"),
    "soft labels": ({"y_test": np.full((2, 3), 1 / 3)}, "a one-hot row.*argmax"),
    "label of no image": (
        {"y_test": np.array([0, 1, 2])},
        "each of 2 images in x_test; received 3",
    ),
    "other kind of label": ({"y_test": np.array(["ant", "bee"])}, "numbers as in train"),
    "unknown name": (
        {"y_train": NAMES[NUMBERS], "y_test": np.array(["ant", "bees"])},
        r"received bees \(did you mean bee\?\)",
    ),
    "empty name": ({"y_train": np.array(["a", ""] * 3), "y_test": np.array(["a", "a"])}, "empty"),
    "surrogates": ({"y_test": np.array(["\ud800", "a"])}, "names in Unicode"),
    "objects": ({"y_test": np.array([0, "a"], object)}, r"y_test of Python objects"),
    "records": ({"y_test": np.zeros(2, [("a", "i4")])}, "numbers or text.*y_test of type"),
    "NaN": ({"x_test": np.full((2, 4, 4, 1), np.nan, np.float32)}, "finite pixels.*received 32"),
    "floats in 0..255": ({"x_test": np.full((2, 4, 4, 1), 200.0)}, r"divide by 255\?"),
    "floats in 0..16": ({"x_test": np.full((2, 4, 4, 1), 16.0)}, "divide by 16, if that is white"),
    "16 bits": ({"x_test": np.full((2, 4, 4, 1), 4000, np.uint16)}, "white, such as 4095"),
    "-1..1": ({"x_test": np.full((2, 4, 4, 1), -0.5)}, r"\(images \+ 1\) / 2"),
    "standardised": ({"x_test": np.full((2, 4, 4, 1), -2.1)}, r"images \* deviation \+ mean"),
    "other shape": ({"x_test": np.zeros((2, 4, 5, 1), np.uint8)}, "training images' shape"),
    "rows": ({"x_train": np.zeros((6, 784), np.uint8)}, r"reshape\(-1, 28, 28, 1\)"),
    "channels first": ({"x_train": np.zeros((6, 3, 8, 8), np.uint8)}, "numpy.moveaxis"),
    "no image": ({"x_test": np.zeros((0, 4, 4, 1)), "y_test": np.zeros(0)}, "at least one image"),
    "text for images": ({"x_test": NAMES[:2]}, "images of numbers"),
    "one class": ({"y_train": np.zeros(6), "y_test": np.zeros(2)}, "at least 2 classes"),
    "twice": ({"x_test": None, "X_test": np.zeros(2), "test_x": np.zeros(2)}, "X_test and test_x"),
    "misspelt": (dict.fromkeys(arrays(), None) | {"x_tain": np.zeros(2)}, "mean x_train"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_has_no_one_reading_is_refused(tmp_path, case):
    changes, text = REFUSED[case]
    line = refusal(tmp_path, **arrays(**changes))
    assert re.search(text, line), line
    assert "expected" in line and "received" in line


@pytest.mark.parametrize("name", ["a[1].npz", "back\\slash.npz", "UPPER.NPZ", "none", "sp ace.npz"])
def test_the_files_name_does_not_matter(tmp_path, monkeypatch, name):
    (tmp_path / "in[1]").mkdir()
    for path in (tmp_path / name, tmp_path / "in[1]" / name):
        with path.open("wb") as file:
            np.savez(file, **arrays())
        assert data.load(str(path)).num_classes == 3
    monkeypatch.setenv("HOME", str(tmp_path))
    assert data.load(f"~/{name}").num_classes == 3
    monkeypatch.chdir(tmp_path)
    assert data.load(name).num_classes == 3


def test_a_directory_of_arrays(tmp_path):
    for name, array in arrays().items():
        np.save(tmp_path / f"{name}.npy", array)
    assert data.load(str(tmp_path)).num_classes == 3


def test_missing_and_foreign_files(tmp_path):
    with pytest.raises(InputError, match="that exists"):
        data.load(str(tmp_path / "none.npz"))
    foreign = tmp_path / "text.npz"
    foreign.write_text("not an archive")
    with pytest.raises(InputError, match="readable .npz file.*another kind of file"):
        data.load(str(foreign))
    with pytest.raises(InputError, match=r"did you mean text.npz\?"):
        data.load(str(tmp_path / "texts.npz"))
    (tmp_path / "loop.npz").symlink_to(tmp_path / "loop.npz")
    os.mkfifo(tmp_path / "pipe.npz")
    for name in ("loop.npz", "pipe.npz"):
        with pytest.raises(InputError, match=f"received .*{name}, which is neither$"):
            data.load(str(tmp_path / name))
    np.save(tmp_path / "x.npy", np.zeros(3))
    with pytest.raises(InputError, match="numpy.savez.*one array alone"):
        data.load(str(tmp_path / "x.npy"))
