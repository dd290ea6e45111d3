"""Flags of how a stranger's model is taken."""

import dataclasses

from robust_keras.settings import values
from robust_keras.settings.field import flag, optional_text

MODEL_PIXELS = ("auto", "0..1", "0..255", "-1..1", "caffe")


@dataclasses.dataclass(frozen=True)
class TrustFlags:
    """How far the author of a model is trusted."""

    trusted_operations: tuple[str, ...] = flag(
        (),
        values.Texts("names of TensorFlow operations", optional=True),
        "Operations that a SavedModel may hold although they act outside the model (files, Python, "
        "network) or are not known to be harmless, comma separated. Only for authors you trust.",
    )


@dataclasses.dataclass(frozen=True)
class StrangerFlags(TrustFlags):
    """What a model takes and gives, and how far it is trusted."""

    model_pixels: str = flag(
        "auto",
        values.Choice(MODEL_PIXELS),
        "Pixels that the models take; images and epsilons stay in 0..1. auto tries them on clean "
        "images and takes others than 0..1 only where they are clearly better. caffe: BGR, 0..255, "
        "ImageNet's means off.",
    )
    output: str | None = optional_text(
        "Of models with several outputs, or several signatures, the one to attack (default: the "
        "one that leaves no doubt)."
    )
    first_passes_seconds: float = flag(
        60.0,
        values.Number(minimum=1e-3, maximum=1e6),
        "Time in which a SavedModel must load, and any model answer its first images; one whose "
        "graph goes round for ever is given up then.",
        decides_results=False,
    )
