"""Other processes of this machine that take over some of the work of one."""

import contextlib
import os
import pickle
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from typing import Any

from robust_keras.programs.packages import CHECKOUT
from robust_keras.settings.config import EvaluateConfig

# TensorFlow, a few models and their compiled attacks.
_MEMORY_EACH = 4 * 2**30
# Whoever sets it has decided how much of the processors is taken.
_THREADS = "TF_NUM_INTRAOP_THREADS"


def processes(config: EvaluateConfig) -> int:
    """Among how many processes the models are shared; to be asked before TensorFlow computes."""
    # What follows the models is done by one process, which would have but a part of the processors.
    if config.distribute != "none" or config.transfer:
        return 1
    return affordable(config.processes, len(config.models))


def affordable(asked: int | str, most: int) -> int:
    """How many processes there are, by a flag `--processes`.

    Args:
        asked: how many, or "auto": one a processor, at most one for each 4 GiB of free memory, and
            one where there is a GPU or a choice of threads.
        most: how many can work at the same time.
    """
    import psutil
    import tensorflow as tf

    from robust_keras.runs import company, provenance

    if not company.POSSIBLE:
        return 1
    if asked != "auto":
        return max(min(int(asked), most), 1)
    if _THREADS in os.environ or tf.config.list_physical_devices("GPU"):
        return 1
    memory = int(psutil.virtual_memory().available // _MEMORY_EACH)
    return max(min(most, provenance.cores(), memory), 1)


def memory_held() -> int:
    """Bytes of memory that this process holds."""
    import psutil

    return psutil.Process().memory_info().rss


@contextlib.contextmanager
def share_of(count: int) -> Iterator[None]:
    """Inside, TensorFlow takes a part of the processors, here and in processes that are started.

    It reads that when it computes first; of a process that has computed before, it stays as it was.
    """
    if _THREADS in os.environ:
        yield
        return
    os.environ[_THREADS] = str(_share(count))
    try:
        yield
    finally:
        del os.environ[_THREADS]


def use_share(count: int) -> None:
    """Takes a part of the processors, before TensorFlow computes anything."""
    import tensorflow as tf

    if count == 1 or _THREADS in os.environ:
        return
    # Of a process that has computed before, it stays as it is.
    with contextlib.suppress(RuntimeError):
        tf.config.threading.set_intra_op_parallelism_threads(_share(count))


def _share(count):
    """How many threads each of so many processes has."""
    from robust_keras.runs import provenance

    return max(provenance.cores() // count, 1)


@contextlib.contextmanager
def company_of(config: EvaluateConfig, directory: Any) -> Iterator[Any]:
    """The `Company` of this process, which leads, and of those that it starts; or `Alone`.

    They end with this process, however it ends, and say nothing: what one of them cannot do, this
    process tries by itself.

    Args:
        config: an `EvaluateConfig`.
        directory: `ReportDirectory`, whose journal they write; it is begun before they do.
    """
    from robust_keras.runs.company import Alone, Company

    count = processes(config)
    use_share(count)
    if count == 1:
        yield Alone()
        return
    with contextlib.ExitStack() as stack:
        marks = stack.enter_context(tempfile.TemporaryDirectory(prefix="robust_keras-turns-"))
        task = {"marks": marks, "journal": str(directory.journal_path), "processes": count}
        name = "robust_keras.programs.assistant"
        others = [stack.enter_context(Assistant(name, (config, task))) for _ in range(count - 1)]

        def tell(agreed):
            directory.begin()
            for other in others:
                other.tell(agreed)
            return agreed

        yield Company(marks, count, True, tell)


class Assistant:
    """A process that has nothing but its stdin: when that ends, it ends.

    Args:
        module: that it runs; it begins with `assistant.listen`.
        task: what it is told first.
        output: file for what it says; None for nowhere.
    """

    def __init__(self, module: str, task: Any, output: Any = None):
        # It shall find the same packages, wherever this process has them from.
        paths = [str(CHECKOUT), *(path for path in sys.path if path)]
        self._process = subprocess.Popen(
            [sys.executable, "-m", module],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL if output is None else output,
            stderr=subprocess.DEVNULL if output is None else subprocess.STDOUT,
            # Ctrl-C is for the one that leads.
            start_new_session=True,
        )
        self._stdin: Any = self._process.stdin
        self.tell(task)

    def tell(self, value: Any) -> None:
        """Sends what can be pickled."""
        # One that has died is missed by nobody.
        with contextlib.suppress(OSError):
            self._stdin.write(pickle.dumps(value))
            self._stdin.flush()

    def wait(self) -> int:
        """Its exit status, once it has ended."""
        return self._process.wait()

    def end(self) -> None:
        """Ends it, whatever it is at."""
        self._process.kill()
        with contextlib.suppress(OSError):
            self._stdin.close()
        self._process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()
