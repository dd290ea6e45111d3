"""Flags of a denoiser in front of a frozen classifier."""

import dataclasses
import pathlib
from typing import Any

from robust_keras.errors import InputError
from robust_keras.settings import values
from robust_keras.settings.field import flag, optional_path, switch

DENOISER_GUIDES = ("logits", "features")
# What is read where a denoiser is trained. Anything else shapes a classifier or how it is trained,
# which is done already: it is refused, whatever topic it comes from.
_READ = {
    *("denoiser", "classifier", "denoiser_guide", "denoiser_epsilon", "trusted_operations"),
    *("dataset", "data_dir", "augment", "validation_fraction", "train_examples"),
    *("output_dir", "epochs", "batch_size", "seed", "distribute", "precision", "layer_log"),
    *("optimizer", "learning_rate", "learning_rate_schedule", "weight_decay", "clip_norm"),
    *("ema_momentum", "serving_temperature", "model", "activation"),
}


@dataclasses.dataclass(frozen=True)
class DenoiserFlags:
    """A denoiser in front of a frozen classifier."""

    denoiser: bool = switch(
        "Train a small U-Net in front of the classifier of --classifier, which stays as it is, and "
        "export both as one model; --model is not used, nor is --activation but to choose how the "
        "exported model computes its confidence."
    )
    classifier: str | None = optional_path(
        "The trained classifier behind the denoiser, a .keras file.",
        needs="denoiser",
    )
    denoiser_guide: str = flag(
        "logits",
        values.Choice(DENOISER_GUIDES),
        "What the denoiser shall restore: the classifier's logits, or features, the input of its "
        "last layer.",
    )
    denoiser_epsilon: float = flag(
        0.0,
        values.PIXEL_CHANGE,
        "Largest change of a pixel in the images to denoise, such as 0.3 or 16/255.",
        needs="denoiser",
    )

    def check_together(self: Any) -> None:
        """Raises InputError for the first value that does not fit --denoiser."""
        if not self.denoiser:
            return
        if self.classifier is None or pathlib.Path(self.classifier).suffix != ".keras":
            raise InputError.expected(
                "--classifier", "a .keras file with --denoiser", self.classifier or "none"
            )
        if self.distribute != "none":
            self.refuse("distribute", "none with --denoiser")
        if not self.denoiser_epsilon:
            self.refuse("denoiser_epsilon", "a number above 0 with --denoiser")
        if self.layer_log == "always":
            self.refuse("layer_log", "auto or never with --denoiser")
        for field in dataclasses.fields(self):
            if field.name not in _READ and getattr(self, field.name) != field.default:
                default = self.typed(field.name, field.default)
                expected = f"{default} with --denoiser, whose classifier is trained already"
                self.refuse(field.name, expected)
