"""Flags of proofs: numbers from below."""

import dataclasses
from typing import Any

from robust_keras.errors import InputError
from robust_keras.settings import values
from robust_keras.settings.field import flag

BOUNDS, SMOOTHING = "bounds", "smoothing"


@dataclasses.dataclass(frozen=True)
class CertifyFlags:
    """Proofs that no change within epsilon alters an answer."""

    certify: tuple[str, ...] = flag(
        ("none",),
        values.Choices(("none", BOUNDS, SMOOTHING)),
        "What to prove, comma separated. bounds: images whose class no change within epsilon "
        "alters (linf), for Keras models and exports of train.py; what is proved is not attacked. "
        "smoothing: l2 distances within which the most frequent answer under noise stays.",
    )
    smoothing_sigma: float = flag(
        0.25,
        values.Number(minimum=1e-6, maximum=100.0),
        "Standard deviation of the noise of --certify=smoothing; the model should know such noise.",
    )
    smoothing_samples: int = flag(
        1000,
        values.Whole(1, 10_000_000),
        "Noisy copies of each image that --certify=smoothing counts; published: 100000.",
    )
    smoothing_alpha: float = flag(
        0.001,
        values.Number(minimum=1e-12, below=1.0),
        "Probability that an image's proof by --certify=smoothing is wrong, at most.",
    )

    def check_together(self: Any) -> None:
        """Raises InputError where a proof is not of the norm, or none stands beside others."""
        if "none" in self.certify and self.certify != ("none",):
            raise InputError.expected("--certify", "none alone", ",".join(self.certify))
        if BOUNDS in self.certify and self.norm != "linf":
            raise InputError.expected(
                "--certify", "smoothing with --norm=l2 (bounds are for linf)", BOUNDS
            )
