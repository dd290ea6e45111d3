"""Which of several processes this one is, as TF_CONFIG says."""

import json
import os

from robust_keras.errors import InputError


def cluster() -> tuple[list[str], int]:
    """The addresses of the workers in TF_CONFIG, and which of them, from 0, this process is.

    Raises:
        InputError: there is no such variable, or it describes something else.
    """
    text = os.environ.get("TF_CONFIG", "")
    try:
        described = json.loads(text)
        workers, task = list(described["cluster"]["worker"]), described["task"]
        if task["type"] != "worker" or set(described["cluster"]) != {"worker"}:
            raise ValueError("other tasks than workers")
        return workers, list(range(len(workers)))[int(task["index"])]
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise InputError.expected(
            "--distribute=multi_worker",
            'the environment variable TF_CONFIG={"cluster": {"worker": ["HOST:PORT", ...]}, '
            '"task": {"type": "worker", "index": 0}}, with an index for each process '
            "(docs/cluster.md)",
            f"TF_CONFIG={text} ({error!r})" if text else "none",
        ) from error


def is_chief(name: str) -> bool:
    """Whether this process writes what a run leaves; of several workers the first does.

    Args:
        name: of the distribution.

    Raises:
        InputError: as `cluster`.
    """
    return name != "multi_worker" or cluster()[1] == 0
