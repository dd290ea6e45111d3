"""Other processes of this machine that take over some steps of a study."""

import contextlib
import pathlib
import tempfile
from collections.abc import Iterator

from robust_keras.programs import assistants
from robust_keras.settings.study import StudyConfig
from robust_keras.studies.turns import Turns


@contextlib.contextmanager
def turns(asked: StudyConfig, directory: pathlib.Path, most: int) -> Iterator[Turns]:
    """The `Turns` of this process, which leads, and of those that it starts.

    They end with this process, however it ends. What they say is in `process-2.log` and so on.

    Args:
        asked: a `StudyConfig`.
        directory: of the study.
        most: how many steps could begin now.
    """
    count = assistants.affordable(asked.processes, most)
    if count == 1:
        yield Turns()
        return
    print(f"processes  {count}; what the others say is in {directory}/process-*.log", flush=True)
    with contextlib.ExitStack() as stack:
        marks = stack.enter_context(tempfile.TemporaryDirectory(prefix="robust_keras-turns-"))
        stack.enter_context(assistants.share_of(count))
        for number in range(2, count + 1):
            log = stack.enter_context((directory / f"process-{number}.log").open("ab"))
            started = assistants.Assistant("robust_keras.studies.assistant", (asked, marks), log)
            stack.enter_context(started)
        yield Turns(marks)
