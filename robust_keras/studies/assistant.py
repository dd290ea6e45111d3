"""One process of a study that another one leads, see `assistants`."""

from robust_keras.programs.assistant import listen
from robust_keras.studies import command
from robust_keras.studies.turns import Turns


def main() -> None:
    """Does steps of the study that its stdin names until none is left."""
    asked, marks = listen().get()
    command.assist(asked, Turns(marks, leads=False))


if __name__ == "__main__":
    main()
