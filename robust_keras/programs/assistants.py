"""Other processes of this machine that take over some models of an evaluation."""

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
    import psutil
    import tensorflow as tf

    from robust_keras.runs import company, provenance

    # What follows the models is done by one process, which would have but a part of the processors.
    if not company.POSSIBLE or config.distribute != "none" or config.transfer:
        return 1
    if config.processes != "auto":
        return min(int(config.processes), len(config.models))
    if _THREADS in os.environ or tf.config.list_physical_devices("GPU"):
        return 1
    memory = int(psutil.virtual_memory().available // _MEMORY_EACH)
    return max(min(len(config.models), provenance.cores(), memory), 1)


def use_share(count: int) -> None:
    """Takes a part of the processors, before TensorFlow computes anything."""
    import tensorflow as tf

    from robust_keras.runs import provenance

    if count == 1 or _THREADS in os.environ:
        return
    # Of a process that has computed before, it stays as it is.
    with contextlib.suppress(RuntimeError):
        tf.config.threading.set_intra_op_parallelism_threads(max(provenance.cores() // count, 1))


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
        others = [stack.enter_context(_Assistant(config, task)) for _ in range(count - 1)]

        def tell(agreed):
            directory.begin()
            for other in others:
                other.tell(agreed)
            return agreed

        yield Company(marks, count, True, tell)


class _Assistant:
    """A process that has nothing but its stdin: when that ends, it ends."""

    def __init__(self, config, task):
        # It shall find the same packages, wherever this process has them from.
        paths = [str(CHECKOUT), *(path for path in sys.path if path)]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "robust_keras.programs.assistant"],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            # Ctrl-C is for the one that leads.
            start_new_session=True,
        )
        self.tell((config, task))

    def tell(self, value):
        # One that has died is missed by nobody.
        with contextlib.suppress(OSError):
            self._process.stdin.write(pickle.dumps(value))
            self._process.stdin.flush()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._process.kill()
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        self._process.wait()
