"""Attacks trained classifiers and reports: `python evaluate.py --help`.

An installation has the same program as `robust-keras-evaluate`.
"""

# What `signal` is made of; `signal` itself imports enough for Ctrl-C to come in between.
import _signal

if __name__ == "__main__" and _signal.getsignal(_signal.SIGINT) is _signal.default_int_handler:
    # Ctrl-C while the first files are read shall end the program without a traceback, too.
    _signal.signal(_signal.SIGINT, _signal.SIG_DFL)

from robust_keras.programs.evaluate import main, run  # noqa: E402

__all__ = ["main", "run"]

if __name__ == "__main__":
    run()
