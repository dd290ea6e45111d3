"""Trains an image classifier and exports it: `python train.py --help`.

An installation has the same program as `robust-keras-train`.
"""

from robust_keras.programs.train import main, run

__all__ = ["main", "run"]

if __name__ == "__main__":
    run()
