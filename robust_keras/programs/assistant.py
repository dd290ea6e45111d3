"""One process of an evaluation that another one leads, see `assistants`."""

import os
import pickle
import queue
import sys
import threading
from typing import Any

from robust_keras.programs import assistants
from robust_keras.quiet_start import start_tensorflow


def main() -> None:
    """Does what its stdin says until that ends."""
    told = listen()
    config, task = told.get()
    start_tensorflow()
    assistants.use_share(task["processes"])
    from robust_keras.engine import Journal
    from robust_keras.runs import evaluation
    from robust_keras.runs.company import Company

    journal = Journal(task["journal"], lambda: None)
    company = Company(task["marks"], task["processes"], False, lambda _: told.get())
    evaluation.assist(config, journal, company)


def listen() -> queue.Queue[Any]:
    """What stdin says from now on, in its order; this process ends when stdin does."""
    told: queue.Queue[Any] = queue.Queue()
    threading.Thread(target=_listen, args=(told,), daemon=True).start()
    return told


def _listen(told):
    try:
        while True:
            told.put(pickle.load(sys.stdin.buffer))
    finally:
        # The one that leads has ended; nothing here is worth a word of its own.
        os._exit(0)


if __name__ == "__main__":
    main()
