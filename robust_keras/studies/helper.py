"""One process of a study that another one leads, see `helpers`."""

from robust_keras.programs import assistant
from robust_keras.studies import command
from robust_keras.studies.turns import Turns


def main() -> None:
    """Does steps of the study that its stdin names until none is left."""
    asked, marks = assistant.listen().get()
    command.help_with(asked, Turns(marks, leads=False))


if __name__ == "__main__":
    main()
