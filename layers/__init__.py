"""The layers under a short name: `from layers import KernelActivation`.

They live in `robust_keras.layers`, so that a folder called `layers` in a user's own project hides
this front and nothing else.
"""

from robust_keras.layers import *  # noqa: F403
from robust_keras.layers import __all__  # noqa: F401
