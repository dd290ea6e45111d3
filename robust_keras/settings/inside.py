"""Flag of the inside view."""

import dataclasses

from robust_keras.settings.field import switch


@dataclasses.dataclass(frozen=True)
class InsideFlags:
    """What goes on in a network, beside what it answers."""

    inside: bool = switch(
        "Look inside the models: weights, ranks and norms of each layer, Lipschitz bounds, "
        "activations with and without attack, calibration (docs/inside.md)."
    )
