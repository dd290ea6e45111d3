"""Files appear whole or not at all, a full disk is one line, and only our leftovers are removed."""

import errno
import os

import pytest
from power_cut import Disk

from robust_keras.directories import whole_files
from robust_keras.errors import InputError

FULL = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def failing(error):
    def fail(*_):
        raise error

    return fail


@pytest.mark.parametrize("operation", ["fsync", "replace"])
def test_a_file_that_cannot_be_written_leaves_the_old_one_and_nothing_else(
    tmp_path, monkeypatch, operation
):
    path = tmp_path / "config.json"
    whole_files.write(path, "old")
    monkeypatch.setattr(os, operation, failing(FULL))
    with pytest.raises(
        InputError, match=r"No space left on device: free some space, then the same"
    ):
        whole_files.write(path, "new")
    monkeypatch.undo()
    assert [entry.name for entry in tmp_path.iterdir()] == ["config.json"]
    assert path.read_text() == "old"


@pytest.mark.parametrize(
    "error",
    [
        FULL,
        OSError("[Errno 28] Can't write data (error message = 'No space left on device')"),
        RuntimeError("RESOURCE_EXHAUSTED: variables.data; No space left on device"),
        OSError(errno.EDQUOT, os.strerror(errno.EDQUOT)),
        OSError(errno.EROFS, os.strerror(errno.EROFS)),
    ],
    ids=["python", "h5py", "tensorflow", "quota", "read-only"],
)
def test_whatever_library_finds_the_disk_full_it_is_one_line(tmp_path, error):
    for only_disk in (True, False):
        with pytest.raises(InputError) as caught:
            with whole_files.reasons(tmp_path, only_disk=only_disk):
                raise error
        assert "goes on from here" in str(caught.value)
        assert len(str(caught.value).splitlines()) == 1


def test_what_is_no_error_of_the_disk_passes_as_it_is(tmp_path):
    for error in (ValueError("no"), BrokenPipeError(), FileNotFoundError(2, "gone")):
        with pytest.raises(type(error)) as caught, whole_files.reasons(tmp_path, only_disk=True):
            raise error
        assert not isinstance(caught.value, InputError)
    with pytest.raises(InputError, match="File name too long: choose a shorter path"):
        whole_files.write(tmp_path / ("n" * 300), "text")


def test_a_link_is_replaced_and_not_followed(tmp_path):
    outside = tmp_path / "outside.txt"
    outside.write_text("mine")
    (tmp_path / "report.html").symlink_to(outside)
    whole_files.write(tmp_path / "report.html", "ours")
    assert outside.read_text() == "mine"
    assert not (tmp_path / "report.html").is_symlink()


def test_only_what_a_killed_process_left_is_removed(tmp_path):
    class Killed(BaseException):
        pass

    for name in ("last.npz.part", ".part", ".robust_keras-part-mine", "part-1.keras"):
        (tmp_path / name).write_text("a user's")
    before = sorted(tmp_path.iterdir())
    real = whole_files._remove
    whole_files._remove = lambda path: None
    try:
        for name, suffix in (("last.npz", ""), ("best.keras", ".keras"), ("1", "")):
            with pytest.raises(Killed), whole_files.writing(tmp_path / name, suffix) as temporary:
                if name == "1":
                    temporary.mkdir()
                    (temporary / "saved_model.pb").write_text("half")
                else:
                    temporary.write_text("half")
                raise Killed
    finally:
        whole_files._remove = real
    (tmp_path / ".robust_keras-part-0123456789abcdef").symlink_to(tmp_path / "last.npz.part")
    assert len(list(tmp_path.iterdir())) == len(before) + 4
    whole_files.remove_leftovers(tmp_path)
    whole_files.remove_leftovers(tmp_path / "nowhere")
    assert sorted(tmp_path.iterdir()) == before


def test_a_power_cut_leaves_what_was_written_and_nothing_half(tmp_path, monkeypatch):
    disk, fsync = Disk(tmp_path), os.fsync

    def told(descriptor):
        fsync(descriptor)
        disk.synchronised(os.readlink(f"/proc/self/fd/{descriptor}"))

    monkeypatch.setattr(os, "fsync", told)
    run = tmp_path / "runs" / "mine"
    whole_files.make_directory(run)
    whole_files.write(run / "config.json", "first")
    with whole_files.writing(run / "1") as export:
        export.mkdir()
        (export / "weights").write_text("all")
    (run / "log").write_text("nobody waited for it")
    whole_files.write(run / "config.json", "second")
    disk.lose_the_rest()
    assert sorted(path.name for path in run.iterdir()) == ["1", "config.json", "log"]
    assert (run / "log").read_text() == ""
    assert (run / "config.json").read_text() == "second"
    assert (run / "1" / "weights").read_text() == "all"
