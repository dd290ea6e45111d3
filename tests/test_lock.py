"""One process at a time in a directory; a dead one's place is taken."""

import json
import os
import platform
import signal
import subprocess
import sys

import pytest

from robust_keras.directories import lock
from robust_keras.errors import InputError

OWNER = """
import sys, time
from robust_keras.directories import lock
lock.acquire(sys.argv[1])
print("owns", flush=True)
time.sleep(60)
"""


@pytest.fixture
def owner(tmp_path):
    """Another process that owns the directory."""
    process = subprocess.Popen(
        [sys.executable, "-c", OWNER, tmp_path], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "owns\n"
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def test_the_second_is_refused_and_follows_when_the_first_is_dead(tmp_path, owner):
    for attempt in (lock.check, lock.acquire):
        with pytest.raises(InputError, match="no other process is using") as caught:
            attempt(tmp_path)
        assert f"by process {owner.pid} on {platform.node()} since 20" in str(caught.value)
    owner.send_signal(signal.SIGKILL)
    owner.wait()
    assert (tmp_path / lock.NAME).exists(), "a killed process cannot clean up"
    lock.check(tmp_path)
    lock.acquire(tmp_path)
    lock.acquire(tmp_path)
    assert json.loads((tmp_path / lock.NAME).read_text())["process"] == os.getpid()
    lock.release(tmp_path)
    assert not (tmp_path / lock.NAME).exists()


def test_where_the_file_system_has_no_locks_the_process_in_the_file_decides(
    tmp_path, owner, monkeypatch
):
    monkeypatch.setattr(lock, "fcntl", None)
    with pytest.raises(InputError, match=f"in use by process {owner.pid}"):
        lock.acquire(tmp_path)
    kept = json.loads((tmp_path / lock.NAME).read_text())
    # Another process has got the number of one that died.
    (tmp_path / lock.NAME).write_text(json.dumps(kept | {"process_started": "1"}))
    lock.acquire(tmp_path)
    lock.release(tmp_path)


def test_another_machine_is_believed_and_the_line_says_what_to_do(tmp_path):
    (tmp_path / lock.NAME).write_text('{"process": 1, "machine": "elsewhere"}')
    with pytest.raises(InputError, match=r"if that process has ended, delete .*lock\); received"):
        lock.acquire(tmp_path)


@pytest.mark.parametrize("content", [b"", b"[]", b"\xff{", b'{"process": "x"}'])
def test_a_file_that_says_nothing_is_no_owner(tmp_path, content):
    (tmp_path / lock.NAME).write_bytes(content)
    lock.acquire(tmp_path)
    lock.release(tmp_path)
