"""One process of a study that another one leads, see `assistants`."""

import os
import sys

from robust_keras.programs.assistant import listen
from robust_keras.studies import command
from robust_keras.studies.assistants import HELD_ENOUGH
from robust_keras.studies.turns import Turns


def main() -> None:
    """Does steps of the study that its stdin names until none is left, or it holds enough."""
    asked, marks, enough = listen().get()
    if not command.assist(asked, Turns(marks, leads=False, enough=enough)):
        sys.stdout.flush()
        # At an orderly exit Python waits for stdin, which `listen` holds, and aborts.
        os._exit(HELD_ENOUGH)


if __name__ == "__main__":
    main()
