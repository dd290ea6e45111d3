"""Flags of proofs: numbers from below."""

import dataclasses
from typing import Any

from robust_keras.errors import InputError
from robust_keras.settings import values
from robust_keras.settings.field import flag

BOUNDS, COMPLETE, LIPSCHITZ, SMOOTHING = "bounds", "complete", "lipschitz", "smoothing"
_OTHER = {BOUNDS: LIPSCHITZ, COMPLETE: LIPSCHITZ, LIPSCHITZ: BOUNDS}


@dataclasses.dataclass(frozen=True)
class CertifyFlags:
    """Proofs that no change within epsilon alters an answer."""

    certify: tuple[str, ...] = flag(
        ("none",),
        values.Choices(("none", BOUNDS, COMPLETE, LIPSCHITZ, SMOOTHING)),
        "What to prove, comma separated. bounds: images whose class no change within epsilon "
        "alters (linf), for Keras models and exports of train.py; what is proved is not attacked. "
        "complete: the same, and a search, of up to a minute an image, decides what bounds leave "
        "open, for chains of a few hundred ReLUs; what it breaks counts. "
        "lipschitz: the same for l2, by how far the label's logit leads and how fast logits can "
        "change. smoothing: l2 distances within which the most frequent answer under noise stays.",
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
        """Raises InputError where a proof is not of the norm."""
        for proof, other in _OTHER.items():
            norm = "l2" if proof == LIPSCHITZ else "linf"
            if proof in self.certify and self.norm != norm:
                raise InputError.expected(
                    "--certify",
                    f"{other} or smoothing with --norm={self.norm} ({proof} is for {norm})",
                    proof,
                )
