"""Flags of a denoiser in front of a frozen classifier."""

import dataclasses
import pathlib

from robust_keras.errors import InputError
from robust_keras.settings import values
from robust_keras.settings.field import flag

DENOISER_GUIDES = ("logits", "features")
# What shapes a classifier or how it is trained, which is done already: flag -> its default.
_OF_CLASSIFIERS = {
    "adversarial": "none",
    "loss": "cross_entropy",
    "label_smoothing": 0.0,
    "distillation_teacher": None,
    "kernel_scale": 1.0,
    "normalise": True,
    "noise_training": False,
    "mean_training": False,
    "rejection_threshold": 0.0,
    "nuclear_norm": 0.0,
    "low_rank": 0.0,
    "final_sparsity": 0.0,
    "pruning_m_by_n": None,
    "kwta_ratio": None,
    "kwta_final_ratio": None,
    "learning_rate_range_test": False,
    "temperature": 1.0,
}


@dataclasses.dataclass(frozen=True)
class DenoiserFlags:
    """A denoiser in front of a frozen classifier."""

    denoiser: bool = flag(
        False,
        values.Truth(),
        "Train a small U-Net in front of the classifier of --classifier, which stays as it is, and "
        "export both as one model; --model is not used, nor is --activation but to choose how the "
        "exported model computes its confidence.",
    )
    classifier: str | None = flag(
        None,
        values.Text(optional=True),
        "The trained classifier behind the denoiser, a .keras file.",
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
    )

    def check_together(self):
        """Raises InputError for the first value that does not fit --denoiser."""
        if not self.denoiser:
            for name in ("classifier", "denoiser_epsilon"):
                if getattr(self, name):
                    raise InputError.expected(
                        f"--{name}", "nothing without --denoiser", getattr(self, name)
                    )
            return
        if self.classifier is None or pathlib.Path(self.classifier).suffix != ".keras":
            raise InputError.expected(
                "--classifier", "a .keras file with --denoiser", self.classifier or "none"
            )
        if self.distribute != "none":
            raise InputError.expected("--distribute", "none with --denoiser", self.distribute)
        if not self.denoiser_epsilon:
            raise InputError.expected("--denoiser_epsilon", "a number above 0 with --denoiser", 0)
        if self.layer_log == "always":
            raise InputError.expected("--layer_log", "auto or never with --denoiser", "always")
        for name, default in _OF_CLASSIFIERS.items():
            if getattr(self, name) != default:
                received = getattr(self, name)
                raise InputError.expected(
                    f"--{name}",
                    f"{_default(default)} with --denoiser, whose classifier is trained already",
                    ":".join(map(str, received)) if isinstance(received, tuple) else received,
                )


def _default(value):
    return "nothing" if value is None else str(value).lower()
