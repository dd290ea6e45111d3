"""Attacks trained classifiers and reports: `python evaluate.py --help`.

An installation has the same program as `robust-keras-evaluate`.
"""

from robust_keras.programs.evaluate import main, run

__all__ = ["main", "run"]

if __name__ == "__main__":
    run()
