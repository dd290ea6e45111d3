"""What a model must offer to be attacked, and what is assumed of one that says no more."""

from collections.abc import Callable
from typing import Any, Protocol, runtime_checkable


@runtime_checkable
class Attackable(Protocol):
    """All that attacks and engine ask of a model; `serving.Classifier` is one, and tells more."""

    @property
    def logits(self) -> Callable:
        """Function from float32 images (batch, height, width, channels) in [0, 1] to logits.

        Float32 (batch, num_classes); always the same object, traced once, differentiable.
        """

    @property
    def image_shape(self) -> tuple[int | None, ...]:
        """(height, width, channels); None where the model leaves it open."""

    @property
    def num_classes(self) -> int:
        """Number of columns of the logits."""

    @property
    def gradient_error(self) -> str | None:
        """None, or a sentence that says why gradients cannot be had."""


# What a model may tell besides: where it came from, what pixels it is shown, its rule of rejection
# and of confidence, its last classes that mean nonsense, the passes it takes for one answer,
# the class that an attacker wants of it.
_ASSUMED = {
    "path": "",
    "pixels": "",
    "rejection": None,
    "confidence": None,
    "nonsense_classes": 0,
    "passes": 1,
    "aimed_at": None,
}


def told(model: Attackable, name: str) -> Any:
    """What a model tells of itself besides, or what is assumed where it does not.

    Example:
        >>> told(classifier, "passes"), told(object(), "passes")
        (1, 1)
    """
    return getattr(model, name, _ASSUMED[name])


def unscaled(model: Attackable) -> Attackable:
    """The model itself, of which an attacker may have scaled the logits."""
    return getattr(model, "unscaled", model)
