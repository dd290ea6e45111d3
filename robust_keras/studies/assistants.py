"""Other processes of this machine that take over some steps of a study."""

import contextlib
import pathlib
import tempfile
import threading
from collections.abc import Iterator
from typing import Any

from robust_keras.programs import assistants
from robust_keras.settings.study import StudyConfig
from robust_keras.studies.turns import ENOUGH, Turns

# What an assistant ends with that held enough memory while steps were left.
HELD_ENOUGH = 75
_TERMINAL = 1


@contextlib.contextmanager
def turns(
    asked: StudyConfig, directory: pathlib.Path, most: int, enough: int = ENOUGH
) -> Iterator[Turns]:
    """The `Turns` of this process, which leads, and of those that it starts.

    They end with this process, however it ends. What they say is in `process-2.log` and so on. Each
    that holds much memory after a step is replaced by another, this one, too, which then waits.

    Args:
        asked: a `StudyConfig`.
        directory: of the study.
        most: how many steps could begin now.
        enough: bytes, see `Turns`.
    """
    count = assistants.affordable(asked.processes, most)
    with contextlib.ExitStack() as stack:
        marks = stack.enter_context(tempfile.TemporaryDirectory(prefix="robust_keras-turns-"))
        task = asked, marks, enough
        if count > 1:
            said = f"what the others say is in {directory}/process-*.log"
            print(f"processes  {count}; {said}", flush=True)
            stack.enter_context(assistants.share_of(count))
        for number in range(2, count + 1):
            log = stack.enter_context((directory / f"process-{number}.log").open("ab"))
            stack.enter_context(_Seat(task, log))

        def relief():
            print("memory     this process holds much; another goes on in its place", flush=True)
            return stack.enter_context(_Seat(task, _TERMINAL)).is_taken

        yield Turns(marks, relief=relief, enough=enough)


class _Seat:
    """One place among the processes, taken anew when the one that had it held enough memory."""

    def __init__(self, task: Any, output: Any):
        self._given = "robust_keras.studies.assistant", task, output
        self._lock = threading.Lock()
        self._left = False
        self._assistant = assistants.Assistant(*self._given)
        self._thread = threading.Thread(target=self._keep, daemon=True)
        self._thread.start()

    def is_taken(self) -> bool:
        """Whether a process has it, or soon will."""
        return self._thread.is_alive()

    def _keep(self):
        while self._assistant.wait() == HELD_ENOUGH:
            with self._lock:
                if self._left:
                    return
                self._assistant.end()
                self._assistant = assistants.Assistant(*self._given)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with self._lock:
            self._left = True
            self._assistant.end()
