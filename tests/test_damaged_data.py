"""Files that are damaged, hostile or too large: one line, before memory is used."""

import io
import random
import resource
import warnings
import zipfile

import numpy as np
import pytest

from robust_keras import data
from robust_keras.errors import InputError

GIB = 2**30


def whole(save=np.savez, labels=None):
    pixels = np.random.RandomState(0).randint(0, 256, (12, 5, 5, 1)).astype(np.uint8)
    labels = np.arange(12) % 3 if labels is None else labels
    stream = io.BytesIO()
    save(stream, x_train=pixels, y_train=labels, x_test=pixels / 255, y_test=labels)
    return stream.getvalue()


def damaged(content, generator):
    """The content with a few bytes flipped, overwritten, left out or put in, or cut short."""
    content = bytearray(content)
    for _ in range(generator.choice((1, 1, 2, 8))):
        place, length = generator.randrange(len(content)), generator.randrange(1, 20)
        kind = generator.choice(("flip", "set", "cut", "out", "in", "header"))
        if kind == "flip":
            content[place] ^= 1 << generator.randrange(8)
        elif kind == "set":
            content[place] = generator.randrange(256)
        elif kind == "cut":
            del content[max(place, 1) :]
        elif kind == "out":
            del content[place : min(place + length, len(content) - 1)]
        elif kind == "in":
            content[place:place] = generator.randbytes(length)
        else:
            start = max(content.find(b"{'descr'"), 0) + generator.randrange(60)
            content[start : start + 1] = generator.choice((b"9", b"(", b"'", b"O", b"-", b"99999"))
    return bytes(content)


def damaged_member(content, generator):
    """An intact archive of which one array is damaged."""
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(stream, "w") as new:
        chosen = generator.choice(old.namelist())
        for name in old.namelist():
            member = old.read(name)
            new.writestr(name, damaged(member, generator) if name == chosen else member)
    return stream.getvalue()


def test_a_damaged_file_is_read_or_refused_in_one_line(tmp_path):
    generator = random.Random(0)
    names = np.array(["ant", "bee", "cat"] * 4)
    forms = [whole(), whole(np.savez_compressed), whole(labels=names)]
    path, refused = tmp_path / "set.npz", 0
    for trial in range(150):
        damage = damaged_member if trial % 2 else damaged
        path.write_bytes(damage(generator.choice(forms), generator))
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            try:
                data.load(str(path))
            except InputError as error:
                assert "\n" not in str(error) and len(str(error)) < 800
                refused += 1
    assert refused > 50


def test_damaged_characters_are_no_names(tmp_path):
    letters = np.array(["ant", "bee"])
    letters.view(np.uint32)[0] = 0x7FFFFFFF
    np.savez(tmp_path / "set.npz", x_test=np.zeros((2, 4, 4)), y_test=letters)
    with pytest.raises(InputError, match="y_test: expected names in Unicode"):
        data.load(str(tmp_path / "set.npz"))


def claim(path, shape, content=b"", *, descr="|u1", compression=zipfile.ZIP_STORED):
    """A file whose header of `x_test` claims a shape."""
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header, {"descr": descr, "fortran_order": False, "shape": shape}
    )
    labels = io.BytesIO()
    np.save(labels, np.zeros(4, np.int64))
    with zipfile.ZipFile(path, "w", compression) as archive:
        with archive.open("x_test.npy", "w", force_zip64=True) as member:
            member.write(header.getvalue())
            for piece in content:
                member.write(piece)
        archive.writestr("y_test.npy", labels.getvalue())


def test_a_header_of_a_million_million_images_is_refused(tmp_path):
    claim(tmp_path / "set.npz", (10**12, 28, 28, 1), [bytes(100)])
    with pytest.raises(InputError, match="as many bytes as each array's header tells.*in 100$"):
        data.load(str(tmp_path / "set.npz"))


def test_a_bomb_is_refused_before_it_unfolds(tmp_path, monkeypatch):
    piece = bytes(2**20)
    claim(
        tmp_path / "set.npz",
        (64 * 1024, 32, 32, 1),
        (piece for _ in range(64)),
        compression=zipfile.ZIP_DEFLATED,
    )
    assert (tmp_path / "set.npz").stat().st_size < 2**18
    monkeypatch.setattr(data.memory, "limit", lambda: 32 * 2**20)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(InputError, match="GiB of images and labels.*take fewer"):
        data.load(str(tmp_path / "set.npz"))
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 32 * 2**10


def test_the_limit_is_told_and_below_a_bomb_of_8_gib():
    assert data.memory.limit() <= 4 * GIB
    with pytest.raises(InputError, match="at most .* GiB .*received 8 GiB"):
        data.memory.check_size(8 * GIB, "--dataset=set.npz")


def _forbidden(*args, **kwargs):
    raise PermissionError(13, "Permission denied")


def test_files_that_may_not_be_read(tmp_path, monkeypatch):
    np.savez(tmp_path / "set.npz", x_test=np.zeros((2, 4, 4)), y_test=[0, 1])
    (tmp_path / "folder.npz").mkdir()
    with pytest.raises(InputError, match="a folder a class"):
        data.load(str(tmp_path / "folder.npz"))
    with pytest.raises(InputError, match="that exists"):
        data.load(str(tmp_path / ("long" * 100 + ".npz")))
    monkeypatch.setattr("builtins.open", _forbidden)
    with pytest.raises(InputError, match=r"a file that may be read.*\(Permission denied\)"):
        data.load(str(tmp_path / "set.npz"))
    monkeypatch.setattr("os.listdir", _forbidden)
    with pytest.raises(InputError, match=r"a directory that can be read.*\(Permission denied\)"):
        data.load(str(tmp_path / "folder.npz"))
