"""Flags of what a stranger's model may do while it is loaded."""

import dataclasses

from robust_keras.flags import values
from robust_keras.flags.field import flag


@dataclasses.dataclass(frozen=True)
class StrangerFlags:
    """How far a SavedModel is trusted."""

    trusted_operations: tuple[str, ...] = flag(
        (),
        values.Texts("names of TensorFlow operations", optional=True),
        "Operations that a SavedModel may hold although they act outside the model (files, Python, "
        "network) or are not known to be harmless, comma separated. Only for authors you trust.",
    )
    first_passes_seconds: float = flag(
        60.0,
        values.Number(minimum=1e-3, maximum=1e6),
        "Time in which a SavedModel must load and answer its first images; one whose graph goes "
        "round for ever is given up then.",
    )
