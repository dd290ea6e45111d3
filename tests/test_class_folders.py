"""Data sets that are directories with one folder of pictures a class."""

import os

import numpy as np
import PIL.Image
import pytest

from robust_keras import data
from robust_keras.errors import InputError


def picture(path, value=0, size=(4, 6), mode="L"):
    path.parent.mkdir(parents=True, exist_ok=True)
    PIL.Image.new(mode, size[::-1], value).save(path)


def folders(root, *, count=5, **settings):
    for label, name in enumerate(("bee", "ant", "cat")):
        for place in range(count):
            picture(root / name / f"{place}.png", 10 * label + place, **settings)


def refusal(path):
    with pytest.raises(InputError) as error:
        data.load(str(path))
    assert "\n" not in str(error.value)
    return str(error.value)


def test_folders_are_classes_in_alphabetical_order(tmp_path):
    folders(tmp_path)
    dataset = data.load(str(tmp_path))
    assert dataset.class_names == ("ant", "bee", "cat") and not dataset.numbered
    assert dataset.image_shape == (4, 6, 1)
    assert (len(dataset.train), len(dataset.test)) == (12, 3)
    whole = dataset.part("all")
    assert sorted(zip(whole.labels.tolist(), whole.images[:, 0, 0, 0].tolist(), strict=True)) == [
        (label, 10 * order + place)
        for label, order in ((0, 1), (1, 0), (2, 2))
        for place in range(5)
    ]
    again = data.load(str(tmp_path))
    np.testing.assert_array_equal(again.test.images, dataset.test.images)


@pytest.mark.parametrize("second", ["test", "val"])
def test_folders_of_splits(tmp_path, second):
    folders(tmp_path / "train")
    folders(tmp_path / second, count=1)
    (tmp_path / second / "cat" / "0.png").unlink()
    (tmp_path / second / "cat").rmdir()
    dataset = data.load(str(tmp_path))
    assert (len(dataset.train), len(dataset.test), dataset.num_classes) == (15, 2, 3)
    assert dataset.test.labels.tolist() == [0, 1]
    assert ("folder val is taken for test" in dataset.notes) == (second == "val")


def test_test_folders_alone_are_evaluated_on(tmp_path):
    folders(tmp_path / "test")
    dataset = data.load(str(tmp_path))
    assert dataset.train is None and len(dataset.test) == 15


def test_kinds_of_pictures_become_one(tmp_path):
    for place, mode in enumerate(("L", "P", "RGB", "RGBA", "CMYK", "1")):
        name = "a" if place % 2 else "b"
        suffix = ".tif" if mode == "CMYK" else ".PNG"
        value = (0, 0, 0, 255) if mode == "RGBA" else 0
        picture(tmp_path / name / "deeper" / f"{place}{suffix}", value, mode=mode)
    picture(tmp_path / "a" / "photo.JPEG")
    (tmp_path / "a" / ".DS_Store").write_text("")
    (tmp_path / "a" / "Thumbs.db").write_text("")
    os.mkfifo(tmp_path / "b" / "pipe.png")
    dataset = data.load(str(tmp_path))
    assert dataset.part("all").images.shape == (7, 4, 6, 3)
    assert "grey and coloured pictures are mixed: all are read as RGB" in dataset.notes
    assert "1 files that are no pictures are left aside" in dataset.notes


def test_pictures_that_do_not_fit_are_named(tmp_path):
    folders(tmp_path / "sizes")
    picture(tmp_path / "sizes" / "ant" / "9.png", size=(5, 5))
    assert "2 sizes, such as " in (line := refusal(tmp_path / "sizes"))
    assert "ant/9.png of 5 x 5" in line and "15 are 4 x 6" in line
    folders(tmp_path / "broken")
    whole = (tmp_path / "broken" / "ant" / "1.png").read_bytes()
    (tmp_path / "broken" / "ant" / "1.png").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "broken" / "bee" / "2.png").write_text("no picture")
    assert "bee/2.png" in (line := refusal(tmp_path / "broken")) and "remove or replace" in line
    (tmp_path / "broken" / "bee" / "2.png").unlink()
    assert "ant/1.png" in refusal(tmp_path / "broken")
    folders(tmp_path / "clear")
    picture(tmp_path / "clear" / "ant" / "9.png", (0, 0, 0, 99), mode="RGBA")
    assert "transparent" in refusal(tmp_path / "clear")
    folders(tmp_path / "deep")
    picture(tmp_path / "deep" / "ant" / "9.png", mode="I;16")
    assert "of mode I;16" in refusal(tmp_path / "deep")


def test_other_directories_say_what_is_expected(tmp_path):
    (tmp_path / "empty").mkdir()
    assert "a folder a class" in refusal(tmp_path / "empty")
    folders(tmp_path / "outer" / "inner")
    assert f"did you mean {tmp_path / 'outer' / 'inner'}?" in refusal(tmp_path / "outer")
    picture(tmp_path / "flat" / "1.png")
    assert "a folder a class" in refusal(tmp_path / "flat")
    for name in ("a", "b"):
        (tmp_path / "bare" / name).mkdir(parents=True)
    assert "no picture in any folder" in refusal(tmp_path / "bare")
    folders(tmp_path / "odd" / "train")
    picture(tmp_path / "odd" / "test" / "ants" / "1.png")
    assert "did you mean ant?" in refusal(tmp_path / "odd")


def test_huge_pictures_are_refused_by_their_headers(tmp_path, monkeypatch):
    folders(tmp_path)
    monkeypatch.setattr(data.memory, "limit", lambda: 100)
    assert "GiB of images and labels" in refusal(tmp_path)


def test_a_folder_of_prepared_data_hides_no_name(tmp_path, monkeypatch):
    (tmp_path / "kmnist" / "3.0.1").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    assert not data.local_files.is_local("kmnist")
    folders(tmp_path / "kmnist")
    assert data.local_files.is_local("kmnist")
