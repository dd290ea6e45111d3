"""Tells which programs there are."""

import sys

_PROGRAMS = """\
The programs of robust_keras, each with --help:

    robust-keras-train      trains a model, prunes it, exports a SavedModel
    robust-keras-evaluate   attacks models and reports how robust they are
    robust-keras-report     joins, rebuilds and converts finished reports
    python -m robust_keras.studies NAME   runs one of the four studies

In a clone train.py and evaluate.py are the first two.
In Python: import robust_keras; help(robust_keras.evaluate)"""

if __name__ == "__main__":
    asked = bool({"-h", "--help"} & set(sys.argv[1:]))
    print(_PROGRAMS, file=sys.stdout if asked else sys.stderr)
    sys.exit(0 if asked else 2)
