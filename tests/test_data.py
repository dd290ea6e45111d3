import hashlib
import pathlib
import subprocess
import sys

import numpy as np
import pytest

from robust_keras.data import (
    DATASETS,
    ImageDataset,
    ImageSplit,
    channel_statistics,
    check_images,
    check_labels,
    hold_out,
    load,
    tfds_datasets,
)
from robust_keras.errors import InputError

TFDS = pathlib.Path(__file__).parents[2] / "shared" / "data" / "tfds"


def _images(count=3, kind=np.float32):
    return np.zeros((count, 4, 4, 1), kind)


def _pixel(value):
    images = _images()
    images[1, 2, 3, 0] = value
    return images


BAD_IMAGES = {
    "list": ([[0.0]], "images in a numpy array; received list"),
    "rank": (np.zeros((3, 4, 4)), r"shape \(n, height, width, channels\).*\(3, 4, 4\)"),
    "empty": (_images(0), "at least one image"),
    "integers": (_images(kind=np.int32), "uint8 or floats; received type int32"),
    "nan": (_pixel(np.nan), "finite pixels; received 1 NaN or infinite pixels"),
    "infinite": (_pixel(np.inf), "finite pixels"),
    "bytes as floats": (_pixel(255.0), r"\[0, 1\] \(divide by 255\?\); received 0\.\.255"),
    "negative": (_pixel(-0.5), r"pixels in \[0, 1\]; received -0.5\.\.0"),
    "standardised": (_pixel(1e4), r"pixels in \[0, 1\]; received 0\.\.10000"),
}

BAD_LABELS = {
    "floats": (np.array([0.0, 1.0]), "integer labels; received type float64"),
    "too large": (np.array([0, 3]), r"labels in 0\.\.2; received 0\.\.3"),
    "negative": (np.array([-1, 2]), r"labels in 0\.\.2; received -1\.\.2"),
    "one-hot": (np.eye(3, dtype=np.int64), r"shape \(n,\); received shape \(3, 3\)"),
    "list": ([0, 1], "labels in a numpy array"),
}


@pytest.mark.parametrize("case", BAD_IMAGES)
def test_bad_images_are_refused_in_one_line(case):
    images, message = BAD_IMAGES[case]
    with pytest.raises(InputError, match=f"^photos: expected .*{message}") as error:
        check_images(images, "photos")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("case", BAD_LABELS)
def test_bad_labels_are_refused(case):
    labels, message = BAD_LABELS[case]
    with pytest.raises(InputError, match=f"^digits: expected .*{message}"):
        check_labels(labels, 3, "digits")


def test_good_images_and_labels_pass():
    check_images(np.full((1, 2, 2, 3), 255, np.uint8), "photos")
    check_images(np.ones((1, 2, 2, 3)), "photos")
    check_labels(np.array([0, 2], np.uint8), 3, "digits")


def test_split_keeps_bytes_and_gives_floats():
    split = ImageSplit(np.array([0, 51, 255], np.uint8).reshape(3, 1, 1, 1), np.arange(3))
    assert split.images.dtype == np.uint8 and split.labels.dtype == np.int64
    assert split.float_images().dtype == np.float32
    np.testing.assert_allclose(split.float_images().ravel(), [0.0, 0.2, 1.0])
    assert ImageSplit(np.ones((1, 2, 2, 1)), np.array([0])).images.dtype == np.float32


def test_split_refuses_unequal_counts():
    with pytest.raises(InputError, match="one for each of 3 images; received 2 labels"):
        ImageSplit(_images(3), np.array([0, 1]))


def test_take_is_random_seeded_and_nested():
    split = ImageSplit(np.arange(50, dtype=np.uint8).reshape(50, 1, 1, 1), np.arange(50))
    ten = split.take(10, seed=1)
    assert len(set(ten.labels)) == 10
    np.testing.assert_array_equal(ten.images.ravel(), ten.labels)
    np.testing.assert_array_equal(split.take(5, seed=1).labels, ten.labels[:5])
    assert list(split.take(10, seed=2).labels) != list(ten.labels)
    assert sorted(split.take(1000, seed=1).labels) == list(range(50))
    with pytest.raises(ValueError, match="`count` must be at least 1. Received: count=0"):
        split.take(0, seed=1)


def test_training_on_a_part_takes_the_same_part_each_time():
    split = ImageSplit(np.arange(50, dtype=np.uint8).reshape(50, 1, 1, 1), np.arange(50) % 2)
    dataset = ImageDataset("numbers", split, split, ("even", "odd"))
    part = dataset.training_on(10)
    assert len(part.train) == 10 and len(part.test) == 50
    np.testing.assert_array_equal(part.train.images, dataset.training_on(10).train.images)
    assert dataset.training_on(0) is dataset


@pytest.mark.parametrize(
    ("test_images", "test_labels", "classes", "message"),
    [
        (np.zeros((2, 5, 4, 1)), [0, 1], "ab", r"training images' shape \(4, 4, 1\)"),
        (_images(2), [0, 2], "ab", r"set test: expected labels in 0\.\.1; received 0\.\.2"),
        (_images(2), [0, 0], "a", "at least 2 classes; received 1"),
    ],
)
def test_dataset_refuses_parts_that_do_not_fit(test_images, test_labels, classes, message):
    train = ImageSplit(_images(2), np.array([0, 0]))
    test = ImageSplit(test_images, np.array(test_labels))
    with pytest.raises(InputError, match=message):
        ImageDataset("set", train, test, tuple(classes))


def test_channel_statistics_match_numpy():
    pixels = np.random.default_rng(0).integers(0, 256, (4100, 3, 3, 2), dtype=np.uint8)
    split = ImageSplit(pixels, np.zeros(4100, np.int64))
    mean, variance = channel_statistics(split)
    np.testing.assert_allclose(mean, (pixels / 255).mean((0, 1, 2)), rtol=1e-6)
    np.testing.assert_allclose(variance, (pixels / 255).var((0, 1, 2)), rtol=1e-6)
    assert all(isinstance(value, float) for value in mean + variance)


def test_hold_out_is_a_seeded_share_of_every_class():
    labels = np.repeat([0, 1, 2], [40, 20, 100])
    split = ImageSplit(np.arange(160, dtype=np.uint8).reshape(-1, 1, 1, 1), labels)
    rest, held = hold_out(split, 0.25, seed=0)
    assert list(np.bincount(held.labels)) == [10, 5, 25]
    assert sorted([*rest.images.ravel(), *held.images.ravel()]) == list(range(160))
    again, other = hold_out(split, 0.25, seed=0)[1], hold_out(split, 0.25, seed=1)[1]
    np.testing.assert_array_equal(again.images, held.images)
    assert not np.array_equal(other.images, held.images)
    assert hold_out(split, 0.0, seed=0) == (split, None)


@pytest.mark.parametrize(("fraction", "error"), [(0.1, InputError), (1.0, ValueError)])
def test_hold_out_refuses_empty_parts(fraction, error):
    with pytest.raises(error, match="fraction"):
        hold_out(ImageSplit(_images(3), np.array([0, 1, 1])), fraction, seed=0)


def test_mnist5k_is_the_same_stratified_split_every_time():
    dataset = load("mnist5k")
    assert dataset.image_shape == (28, 28, 1) and dataset.class_names == tuple("0123456789")
    assert list(np.bincount(dataset.train.labels)) == [400] * 10
    assert list(np.bincount(dataset.test.labels)) == [100] * 10
    train = {image.tobytes() for image in dataset.train.images}
    assert len(train) == 4000 and train.isdisjoint(i.tobytes() for i in dataset.test.images)
    digest = hashlib.sha256(dataset.test.images.tobytes() + dataset.test.labels.tobytes())
    assert digest.hexdigest()[:16] == "74c8612d5baf944a"


def test_importing_data_imports_neither_tensorflow_nor_its_datasets():
    heavy = "{'tensorflow', 'tensorflow_datasets', 'mlxtend'}"
    code = f"import sys, robust_keras.data; print(sorted({heavy} & set(sys.modules)))"
    root = pathlib.Path(__file__).parents[1]
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "[]"


def test_missing_package_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorflow_datasets", None)
    with pytest.raises(InputError, match="--dataset=mnist: .*pip install tensorflow-datasets"):
        load("mnist")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "mnits",
            f"--dataset: expected {', '.join(DATASETS)} or another .*mnits .did you mean mni",
        ),
        ("cifr100", r"received cifr100 \(did you mean cifar100\?\)"),
        ("mnist:9.9.9", "9.9.9"),
        ("no name!", "--dataset: expected mnist5k"),
        ("imdb_reviews", "one image and one class label.*features label, text"),
        ("coco", "one image and one class label"),
        (
            "cats_vs_dogs",
            r"images of one size, or --image_size, such as 224; received shape \(None, None, 3\)",
        ),
    ],
)
def test_sets_that_cannot_be_used_are_refused_before_any_download(name, message, tmp_path):
    with pytest.raises(InputError, match=message) as error:
        load(name, str(tmp_path / "data"))
    assert "\n" not in str(error.value)
    assert not list(tmp_path.iterdir())


def _fail(*args, **kwargs):
    # A child of OSError, as requests' errors are.
    raise ConnectionError("no route to host\nand more")


@pytest.mark.parametrize("existing", [True, False])
def test_failed_download_says_what_to_do_and_leaves_nothing(existing, tmp_path, monkeypatch):
    tfds = pytest.importorskip("tensorflow_datasets")
    data_dir = tmp_path / "data"
    if existing:
        (data_dir / "fashion_mnist").mkdir(parents=True)
        (data_dir / "other").write_text("kept")
    before = sorted(tmp_path.rglob("*"))
    monkeypatch.setattr(tfds.core.download.DownloadManager, "download_and_extract", _fail)
    with pytest.raises(InputError) as error:
        load("fashion_mnist", str(data_dir))
    text = str(error.value)
    assert text.startswith(f"--dataset=fashion_mnist: expected data prepared in {data_dir}")
    assert "--data_dir" in text and "--dataset=mnist5k" in text and "no route to host" in text
    assert "\n" not in text
    assert sorted(tmp_path.rglob("*")) == before


def test_data_dir_that_is_a_file_is_refused(tmp_path):
    path = tmp_path / "data"
    path.write_text("")
    with pytest.raises(InputError, match="--dataset=fashion_mnist: expected data prepared in"):
        load("fashion_mnist", str(path))


@pytest.mark.tfds
@pytest.mark.parametrize(
    ("name", "shape", "counts"),
    [("mnist", (28, 28, 1), (60000, 10000)), ("cifar10", (32, 32, 3), (50000, 10000))],
)
def test_prepared_sets_load_without_a_network(name, shape, counts):
    if not (TFDS / name).is_dir():
        pytest.skip(f"no prepared {name} in {TFDS}")
    dataset = load(name, str(TFDS))
    assert dataset.image_shape == shape and dataset.num_classes == 10
    assert (len(dataset.train), len(dataset.test)) == counts
    assert dataset.train.images.dtype == np.uint8
    assert set(dataset.test.labels) == set(range(10))


class _Features:
    """A prepared set as TensorFlow Datasets shows it, reduced to its splits."""

    def __init__(self, splits):
        self.info = type("Info", (), {"splits": splits})


@pytest.mark.parametrize(
    ("splits", "expected"),
    [({"train", "test", "validation"}, "test"), ({"train", "validation"}, "validation")],
)
def test_test_split_may_be_called_validation(splits, expected):
    assert tfds_datasets._split_names(_Features(splits), "set") == ("train", expected)


@pytest.mark.parametrize("splits", [{"train"}, {"test"}, set()])
def test_missing_splits_are_refused(splits):
    with pytest.raises(InputError, match="a split train, and a split test or validation"):
        tfds_datasets._split_names(_Features(splits), "set")
