"""Runs one of the four studies, or goes on with it, and writes what it has found.

    python -m robust_keras.studies symmetric --data_dir=... --output_dir=runs/s
    python -m robust_keras.studies kernel --data_dir=... --smoke

Studies: kernel, pruning, symmetric, survey. The runs stay in OUTPUT_DIR;
NAME.json, NAME.md, NAME.svg and NAME.runs.jsonl, written anew after every run,
are in --results_dir. The same command goes on where it stopped.
"""

import sys
from typing import Any

from robust_keras.programs import packages
from robust_keras.settings.study import StudyConfig


def main(asked: Any) -> None:
    """See `command.main`, which is imported once the flags are known to be right."""
    from robust_keras.studies import command

    command.main(asked)


if __name__ == "__main__":
    if len(sys.argv) > 1 and not sys.argv[1].startswith("-"):
        sys.argv[1] = f"--study={sys.argv[1]}"
    packages.start(main, StudyConfig, __doc__)
