"""What a model must offer to be attacked, and what is assumed of one that says no more."""

from collections.abc import Callable
from typing import Any, Protocol, runtime_checkable


@runtime_checkable
class Attackable(Protocol):
    """All that attacks and engine ask of a model; `serving.Classifier` is one, and tells more.

    Attributes:
        logits: function from float32 images (batch, height, width, channels) in [0, 1] to float32
            (batch, num_classes), always the same object, traced once, differentiable.
        image_shape: (height, width, channels); None where the model leaves it open.
        num_classes: number of columns of the logits.
        gradient_error: None, or a sentence that says why gradients cannot be had.
    """

    logits: Callable
    image_shape: tuple[int | None, ...]
    num_classes: int
    gradient_error: str | None


# What a model may tell besides: where it came from, what pixels it is shown, its rule of rejection
# and of confidence, its last classes that mean nonsense, the passes it takes for one answer.
_ASSUMED = {
    "path": "",
    "pixels": "",
    "rejection": None,
    "confidence": None,
    "nonsense_classes": 0,
    "passes": 1,
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
