"""What is known of the terminal. Standard library only."""

import shutil
import sys


def columns() -> int | None:
    """Gives the terminal's width, or None where lines go into a file or to another program."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None
