"""Which of several processes that train together this one is: TF_CONFIG, as TensorFlow reads it."""

import contextlib
import dataclasses
import json
import os
import tempfile
from collections.abc import Iterator

from robust_keras.errors import InputError

_JOBS = ("chief", "worker")
_EXPECTED = (
    'a cluster and a task, such as {"cluster": {"worker": ["10.0.0.1:2222", "10.0.0.2:2222"]}, '
    '"task": {"type": "worker", "index": 0}} (docs/cluster.md)'
)


@dataclasses.dataclass(frozen=True)
class Worker:
    """One process of a cluster.

    Args:
        place: from 0 on; a job "chief" comes before the job "worker".
        count: processes of the cluster, at least 1.
    """

    place: int
    count: int

    @property
    def is_chief(self) -> bool:
        """Whether it is the one that writes and tells."""
        return self.place == 0


def this_worker() -> Worker:
    """This process in the cluster that the environment's TF_CONFIG describes.

    Raises:
        InputError: TF_CONFIG is missing, or describes none.
    """
    text = os.environ.get("TF_CONFIG", "")
    try:
        return _worker(json.loads(text))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError.expected("TF_CONFIG", _EXPECTED, text or "none") from error


def _worker(told):
    jobs = {job: list(told["cluster"].get(job, ())) for job in _JOBS}
    task, index = told["task"]["type"], int(told["task"]["index"])
    if set(told["cluster"]) - set(_JOBS) or not 0 <= index < len(jobs[task]):
        raise ValueError("no such task")
    before = len(jobs["chief"]) if task == "worker" else 0
    return Worker(before + index, sum(map(len, jobs.values())))


def writes(distribute: str) -> bool:
    """Whether this process writes what comes out of a run over `--distribute`."""
    return distribute != "multi_worker" or this_worker().is_chief


@contextlib.contextmanager
def unseen() -> Iterator[str]:
    """A directory for what a process that is not the chief writes, which goes with its words."""
    worker = this_worker()
    print(
        f"worker {worker.place + 1} of {worker.count}; the first one writes and tells", flush=True
    )
    with (
        tempfile.TemporaryDirectory(prefix="robust_keras-worker-") as directory,
        open(os.devnull, "w") as nowhere,
        contextlib.redirect_stdout(nowhere),
    ):
        yield directory
