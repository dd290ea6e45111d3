"""The two programs, train and evaluate: the only readers of flags."""

import os
import sys

from robust_keras import interruption

_PROGRAMS = {"train.py", "evaluate.py", "robust-keras-train", "robust-keras-evaluate"}

# Ctrl-C while the program itself is still being imported.
if os.path.basename((getattr(sys, "argv", None) or [""])[0]) in _PROGRAMS:
    interruption.end_the_process()
