"""Flags of what kernels are held to: low ranks, a Lipschitz constant."""

import dataclasses
from typing import Any

from robust_keras.settings import names, values
from robust_keras.settings.field import flag

LOW_RANK_METHODS = ("layers", "constraint")
# What a limit on slopes cannot follow.
_MOVING = ("kaf_paired", "kaf_trainable_dictionary", "kaf_trainable_bandwidth")


@dataclasses.dataclass(frozen=True)
class StructureFlags:
    """Low-rank kernels, and orthogonal ones."""

    nuclear_norm: float = flag(
        0.0,
        values.Number(minimum=1e-12, maximum=1e6, zero=True),
        "Weight of the sum of all singular values of the dense and convolution kernels in the "
        "training loss; 0 for none.",
    )
    low_rank: float = flag(
        0.0,
        values.Number(minimum=1e-6, maximum=1e6, zero=True),
        "Rank of every convolution as a vertical and a horizontal one: below 1 the share of its "
        "full rank, from 1 on the rank itself; 0 leaves convolutions as they are.",
    )
    low_rank_method: str = flag(
        "layers",
        values.Choice(LOW_RANK_METHODS),
        "layers: the pair of convolutions is trained. constraint: the whole kernel is trained, put "
        "back to that rank every few steps, and split at the end.",
        needs="low_rank",
    )

    lipschitz: float = flag(
        0.0,
        values.Number(minimum=1e-3, maximum=1e6, zero=True),
        "Largest Lipschitz constant of the logits by the pixels, in l2, for "
        f"--model={', '.join(names.LIPSCHITZ_MODELS)}: kernels are kept orthogonal, activations no "
        "steeper than 1, and --normalise takes the mean alone; 0 for none. A --temperature below 1 "
        "makes it learn, --certify=lipschitz proves.",
    )

    def check_together(self: Any) -> None:
        """Raises InputError for the first value that does not fit another."""
        if self.low_rank >= 1 and self.low_rank != int(self.low_rank):
            self.refuse("low_rank", "a whole number, or a share below 1")
        if self.low_rank_method == "constraint" and self.final_sparsity:
            expected = "0 with --low_rank_method=constraint, which fills the zeros again"
            self.refuse("final_sparsity", expected)
        if self.lipschitz:
            self._check_lipschitz()

    def _check_lipschitz(self):
        for name, allowed in (
            ("model", names.LIPSCHITZ_MODELS),
            ("activation", names.LIPSCHITZ_ACTIVATIONS),
            ("kaf_kernel", ("gaussian",)),
            *((name, (False,)) for name in ("batch_normalization", *_MOVING)),
            *((name, (0.0,)) for name in ("low_rank", "final_sparsity")),
        ):
            if getattr(self, name) not in allowed:
                told = " or ".join(self.typed(name, value) for value in allowed)
                self.refuse(name, f"{told} with --lipschitz={self.typed('', self.lipschitz)}")
