"""Runs train.py and evaluate.py and kills them where one chooses.

python tests/killed_programs.py '[["train", ["--epochs=1"], ["os.rename", "config.json", 1]], ...]'

Each step is a program, its arguments, and None or its end:

- the kind of a file operation or "any", how its path ends, and the how-manieth of these, right
  before which the process is killed. A fourth word says how: "killed", as without one; "full",
  nothing is killed, but it and all its like fail as on a full disk; "half", in the middle of
  writing; "power", and all below the working directory that had not reached the disk is gone;
- "signal", its name, and after how many seconds of the processor it comes;
- "note" and a file, for the kinds of all its operations, a line each.

TensorFlow is imported once: every step is a fork. Prints a list with each step's exit code and
output.
"""

import atexit
import errno
import io
import json
import os
import pathlib
import signal
import sys
import tempfile
import threading
import time
import traceback
import zipfile

ROOT = pathlib.Path(__file__).parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]
KILLED = 137
KINDS = ("open", "os.fsync", "os.mkdir", "os.remove", "os.rename", "os.rmdir")
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT
# Different in every run by dates and drawn numbers, or because it says where the run is.
_NEVER_THE_SAME = ("config.json", ".pb", ".data-00000-of-00001", "report.html", ".png", ".svg")
_TIMES = {"created", "command", "seconds"}


def watch(see):
    """Calls `see(kind, path)` before each operation that changes something below where we are.

    Writing itself is not seen, only that a file is opened for it and brought to the disk.
    """
    here, fsync = os.getcwd(), os.fsync

    def hook(kind, arguments):
        if kind in KINDS and not (kind == "open" and not (arguments[2] or 0) & _WRITING):
            look(kind, _path(kind, arguments))

    def look(kind, path):
        if os.path.abspath(path).startswith(f"{here}/"):
            see(kind, path)

    def seen_fsync(descriptor):
        look("os.fsync", _of(descriptor))
        fsync(descriptor)

    os.fsync = seen_fsync
    sys.addaudithook(hook)


def _path(kind, arguments):
    # What is renamed is known by its new name.
    path = os.fsdecode(str(arguments[1 if kind == "os.rename" else 0]))
    below = arguments[-1] if kind in ("os.remove", "os.rmdir", "os.mkdir") else -1
    return path if below < 0 else os.path.join(_of(below), path)


def _of(descriptor):
    return os.readlink(f"/proc/self/fd/{descriptor}")


def kill_at(kind, ending, number, how="killed"):
    """Ends this process at a file operation of its own and without it; or lets it fail."""
    seen = []
    disk = disk_here() if how == "power" else None

    def see(name, path):
        if kind in (name, "any") and path.endswith(ending):
            seen.append(path)
            # Not what losing the rest does itself.
            if len(seen) == number or (how == "full" and len(seen) > number):
                _end(how, path, disk)

    watch(see)


def disk_here():
    """The disk under the working directory, told of every fsync from now on."""
    from power_cut import Disk

    disk, fsync = Disk(os.getcwd()), os.fsync

    def told_fsync(descriptor):
        fsync(descriptor)
        disk.synchronised(_of(descriptor))

    os.fsync = told_fsync
    return disk


def _end(how, path, disk):
    if how == "full":
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    if how == "half" and os.path.isfile(path):
        os.truncate(path, os.path.getsize(path) // 2)
    if how == "power":
        disk.lose_the_rest()
    os._exit(KILLED)


def note(path):
    """Keeps the kinds of all operations to come in a file."""
    noted = os.open(path, os.O_WRONLY | os.O_CREAT)
    watch(lambda kind, _: os.write(noted, f"{kind}\n".encode()))


def signal_after(name, seconds):
    """Sends this process a signal once it has used so many seconds of the processor from now."""
    end = time.process_time() + float(seconds)

    def wait():
        while time.process_time() < end:
            time.sleep(0.005)
        os.kill(os.getpid(), signal.Signals[name])

    threading.Thread(target=wait, daemon=True).start()


def run(program, arguments, end):
    """The program's exit code, in this process."""
    sys.argv = [f"{program.__name__.rpartition('.')[2]}.py", *arguments]
    if "--distribute=mirrored" in arguments:
        _two_replicas()
    if end and end[0] == "signal":
        signal_after(*end[1:])
    elif end and end[0] == "note":
        note(end[1])
    elif end:
        kill_at(*end)
    try:
        program.run()
    except SystemExit as stopped:
        return stopped.code or 0
    except BaseException:
        traceback.print_exc()
        return 1
    return 0


def _two_replicas():
    import tensorflow as tf

    (device,) = tf.config.list_physical_devices("CPU")
    two = [tf.config.LogicalDeviceConfiguration()] * 2
    tf.config.set_logical_device_configuration(device, two)


class Step:
    """A program in a child process, from now on.

    Args:
        program: a module with `run()`.
        arguments: of the command line.
        end: see above.
        environment: variables to set in it.
    """

    def __init__(self, program, arguments, end=None, environment=()):
        self._output = tempfile.TemporaryFile()
        self._child = os.fork()
        if not self._child:
            try:
                os.environ.update(environment)
                os.dup2(self._output.fileno(), 1)
                os.dup2(self._output.fileno(), 2)
                code = run(program, arguments, end)
                sys.stdout.flush()
                atexit._run_exitfuncs()
                os._exit(code)
            finally:
                os._exit(1)

    def kill(self):
        """Ends it."""
        os.kill(self._child, signal.SIGKILL)

    def result(self):
        """Its exit code and output, once it has ended."""
        code = os.waitstatus_to_exitcode(os.waitpid(self._child, 0)[1])
        with self._output:
            self._output.seek(0)
            return code, self._output.read().decode(errors="replace")


def programs():
    """The programs by name, with all that they import."""
    from robust_keras.programs import evaluate, train
    from robust_keras.quiet_start import start_tensorflow

    start_tensorflow()
    from robust_keras import reporting  # noqa: F401  (once for all steps)
    from robust_keras.runs import evaluation, training_run  # noqa: F401  (once for all steps)

    return {"train": train, "evaluate": evaluate}


def left(directory):
    """What a finished run has left, by name: equal to the bit where nothing but times differs.

    Killed while it gave its lock back, it leaves that, which nobody holds.
    """
    from robust_keras.directories import lock

    files = [path for path in sorted(pathlib.Path(directory).rglob("*")) if path.is_file()]
    return {
        str(path.relative_to(directory)): _content(path)
        for path in files
        if "tfevents" not in path.name and path.name != lock.NAME
    }


def _content(path):
    if path.name == "report.json":
        return json.dumps(_without_times(json.loads(path.read_text())))
    if path.suffix == ".keras":
        with zipfile.ZipFile(path) as archive:
            return _weights(archive.read("model.weights.h5"))
    if path.name == "variables.index":
        return _checkpoint(path.with_suffix(""))
    if path.suffix == ".npz" or path.name.endswith(_NEVER_THE_SAME):
        return _arrays(path) if path.suffix == ".npz" else ""
    return path.read_bytes().hex()


def _weights(content):
    import h5py

    found = {}

    def add(name, item):
        if isinstance(item, h5py.Dataset):
            found[name] = item[()].tobytes().hex()

    with h5py.File(io.BytesIO(content)) as file:
        file.visititems(add)
    return found


def _checkpoint(path):
    # Without names: an export numbers its variables in any order.
    import tensorflow as tf

    stored = tf.train.load_checkpoint(str(path))
    names = set(stored.get_variable_to_shape_map()) - {"_CHECKPOINTABLE_OBJECT_GRAPH"}
    return sorted(stored.get_tensor(name).tobytes().hex() for name in names)


def _arrays(path):
    import numpy as np

    with np.load(path) as stored:
        return {name: stored[name].tobytes().hex() for name in stored.files}


def _without_times(value):
    if isinstance(value, dict):
        return {name: _without_times(v) for name, v in value.items() if name not in _TIMES}
    return [_without_times(item) for item in value] if isinstance(value, list) else value


def main(steps):
    """All steps, one after the other."""
    known = programs()
    return [Step(known[name], *rest).result() for name, *rest in steps]


if __name__ == "__main__":
    print("\n" + json.dumps(main(json.loads(sys.argv[1]))))
