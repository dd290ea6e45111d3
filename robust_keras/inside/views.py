"""All that is looked at: one function a field of the report.

Each takes a `Subject` and returns the field's value: a finding, a list of findings, or None.
"""

from collections.abc import Callable
from typing import Any

from robust_keras.inside.activations import activations
from robust_keras.inside.calibration import calibration
from robust_keras.inside.lipschitz import lipschitz
from robust_keras.inside.pictures import pictures
from robust_keras.inside.subject import Subject
from robust_keras.inside.weights import layers

VIEWS: dict[str, Callable[[Subject], Any]] = {
    "layers": layers,
    "lipschitz": lipschitz,
    "activations": activations,
    "calibration": calibration,
    "pictures": pictures,
}
