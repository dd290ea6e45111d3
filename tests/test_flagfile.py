"""Flag files as people write them, and files that are none: one line each."""

import os

import pytest

from robust_keras.errors import InputError
from robust_keras.programs import command_line
from robust_keras.settings.config import TrainConfig


def parse(*arguments):
    return command_line.parse(TrainConfig, "A program.", ["program", *arguments])


@pytest.mark.parametrize(
    "content",
    [
        b"--epochs=7\n--model=fc5\n",
        b"\xef\xbb\xbf--epochs=7\r\n\r\n  --model=fc5  \r\n",
        b"# a comment\n// another: \xc3\xa9\n--epochs\n7\n-model=fc5",
    ],
    ids=["plain", "byte order mark and CRLF", "comments and values of their own"],
)
def test_flag_files_as_editors_write_them(content, tmp_path):
    (tmp_path / "run.cfg").write_bytes(content)
    made = parse(f"--flagfile={tmp_path}/run.cfg", "--seed=3")
    assert (made.epochs, made.model, made.seed) == (7, "fc5", 3)


def test_a_flag_file_may_name_another_and_flags_after_it_win(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "base.cfg").write_text("--epochs=7\n--model=fc5\n")
    (tmp_path / "run.cfg").write_text("--flagfile=base.cfg\n--epochs=9\n")
    made = parse("--flagfile", "run.cfg", "--model=vgg")
    assert (made.epochs, made.model) == (9, "vgg")


BAD = {
    "latin-1": (b"# caf\xe9\n--epochs=7\n", r"UTF-8 \(save it as UTF-8\); .*byte 0xe9 at 5"),
    "utf-16": ("--epochs=7".encode("utf-16"), "UTF-8"),
    "binary": (b"--epochs=7\n\0\0", "a binary file"),
    "large": (b"--epochs=7\n" * 200_000, "at most 1 MiB"),
    "itself": (b"--flagfile=run.cfg\n", "does not include itself"),
    "again": (b"--flagfile=other.cfg\n" * 200, "at most 100 files"),
    "nothing there": (b"--flagfile=none.cfg\n", r"none.cfg \(No such file"),
    "nothing": (b"--flagfile=\n", "the path of a text file; received none"),
    "unknown flag": (b"--epoch=7\n", r"--epoch: .*did you mean --epochs\?"),
    "no flag": (b"epochs=7\n", "flags only, as --name=value; received epochs=7"),
    "many": (b"--augment\n" * 20_000, "at most 10000 flags"),
}


@pytest.mark.parametrize("name", BAD)
def test_files_that_are_no_flag_files(name, tmp_path, monkeypatch):
    content, text = BAD[name]
    monkeypatch.chdir(tmp_path)
    (tmp_path / "other.cfg").write_text("--epochs=3\n")
    (tmp_path / "run.cfg").write_bytes(content)
    with pytest.raises(InputError, match=text) as caught:
        parse("--flagfile=run.cfg")
    assert "\n" not in str(caught.value)


def test_other_things_than_files(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for name in (tmp_path, tmp_path / "pipe", tmp_path / ("x" * 300), "a\0b", ""):
        with pytest.raises(InputError, match="^--flagfile: expected "):
            parse(f"--flagfile={name}")


@pytest.mark.parametrize("argument", ["", "--", "-", "epochs", "--epochs=3\udcff", "\udcff"])
def test_odd_arguments(argument):
    if argument == "--":
        assert parse(argument) == TrainConfig()
        return
    with pytest.raises(InputError, match="^command line: expected ") as caught:
        parse("--seed=1", argument)
    str(caught.value).encode("utf-8")
