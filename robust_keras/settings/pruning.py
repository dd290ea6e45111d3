"""Flags of gradual magnitude pruning."""

import dataclasses
from typing import Any

from robust_keras.settings import values
from robust_keras.settings.field import flag

PRUNING_SCHEDULES = ("polynomial", "constant")
PRUNING_LAYERS = ("dense", "conv", "depthwise")
PRUNING_POOLINGS = ("avg", "max")


@dataclasses.dataclass(frozen=True)
class PruningFlags:
    """Gradual magnitude pruning."""

    final_sparsity: float = flag(
        0.0,
        values.Number(minimum=0.0, below=1.0),
        "Fraction of zeros in every pruned kernel at the end of pruning; 0 prunes nothing.",
    )
    initial_sparsity: float = flag(
        0.0,
        values.Number(minimum=0.0, below=1.0),
        "Fraction of zeros when pruning begins.",
        needs="final_sparsity",
    )
    pruning_schedule: str = flag(
        "polynomial",
        values.Choice(PRUNING_SCHEDULES),
        "How sparsity grows: polynomial (cubic, Zhu and Gupta 2017) or constant (all at once).",
    )
    pruning_begin: float = flag(
        0.1,
        values.Number(minimum=0.0, maximum=1.0),
        "Share of all training steps after which pruning begins.",
    )
    pruning_end: float = flag(
        0.7,
        values.Number(minimum=0.0, maximum=1.0),
        "Share of all training steps after which the final sparsity is reached.",
    )
    pruning_frequency: int = flag(
        20, values.Whole(1, 1_000_000), "Steps between two updates of the pruning masks."
    )
    pruning_layers: tuple[str, ...] = flag(
        ("dense", "conv"),
        values.Choices(PRUNING_LAYERS),
        "Layer kinds whose kernels are pruned.",
    )
    pruning_skip: tuple[str, ...] = flag(
        (),
        values.Texts("at least one name of a layer", optional=True),
        "Names of layers that stay dense, comma separated.",
    )
    pruning_block: tuple[int, int] | None = flag(
        None,
        values.Pair("x", optional=True),
        "Rows and columns of dense kernels that are kept or pruned together, such as 2x2; needs "
        "--pruning_layers=dense.",
    )
    pruning_pooling: str = flag(
        "avg",
        values.Choice(PRUNING_POOLINGS),
        "What stands for a block's magnitude: avg or max of its weights'.",
    )
    pruning_m_by_n: tuple[int, int] | None = flag(
        None,
        values.Pair(":", optional=True),
        "Prune m of every n weights along the input channels, such as 2:4, all at the first step, "
        "instead of to --final_sparsity.",
    )

    def check_together(self: Any) -> None:
        """Raises InputError for the first value that does not fit another."""
        if self.pruning_end <= self.pruning_begin:
            self.refuse("pruning_end", f"more than --pruning_begin={self.pruning_begin}")
        if self.initial_sparsity > self.final_sparsity:
            self.refuse("initial_sparsity", f"at most --final_sparsity={self.final_sparsity}")
        if self.pruning_m_by_n is not None:
            self._check_pattern(*self.pruning_m_by_n)
        elif self.pruning_block is not None:
            if not self.final_sparsity:
                self.refuse("pruning_block", "nothing while --final_sparsity is 0")
            if self.pruning_layers != ("dense",):
                self.refuse("pruning_layers", "dense with --pruning_block")

    def _check_pattern(self, m, n):
        beside = f"with --pruning_m_by_n={m}:{n}"
        if m >= n:
            self.refuse("pruning_m_by_n", "m:n with m below n")
        if self.final_sparsity:
            self.refuse("final_sparsity", f"0 {beside}")
        if self.pruning_block is not None:
            self.refuse("pruning_block", f"nothing {beside}")
        if "depthwise" in self.pruning_layers:
            self.refuse("pruning_layers", "dense, conv or both with --pruning_m_by_n")
