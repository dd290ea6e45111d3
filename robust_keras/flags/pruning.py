"""Flags of gradual magnitude pruning."""

import dataclasses

from robust_keras.errors import InputError
from robust_keras.flags import values
from robust_keras.flags.field import flag

PRUNING_SCHEDULES = ("polynomial", "constant")
PRUNING_LAYERS = ("dense", "conv", "depthwise")


@dataclasses.dataclass(frozen=True)
class PruningFlags:
    """Gradual magnitude pruning."""

    final_sparsity: float = flag(
        0.0,
        values.Number(minimum=0.0, below=1.0),
        "Fraction of zeros in every pruned kernel at the end of pruning; 0 prunes nothing.",
    )
    initial_sparsity: float = flag(
        0.0, values.Number(minimum=0.0, below=1.0), "Fraction of zeros when pruning begins."
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
        20, values.Whole(minimum=1), "Steps between two updates of the pruning masks."
    )
    pruning_layers: tuple[str, ...] = flag(
        ("dense", "conv"),
        values.Choices(PRUNING_LAYERS),
        "Layer kinds whose kernels are pruned.",
    )

    def check_together(self):
        """Raises InputError for the first value that does not fit another."""
        if self.pruning_end <= self.pruning_begin:
            raise InputError.expected(
                "--pruning_end", f"more than --pruning_begin={self.pruning_begin}", self.pruning_end
            )
        if self.final_sparsity and self.initial_sparsity > self.final_sparsity:
            raise InputError.expected(
                "--initial_sparsity",
                f"at most --final_sparsity={self.final_sparsity}",
                self.initial_sparsity,
            )
        if self.initial_sparsity and not self.final_sparsity:
            raise InputError.expected(
                "--initial_sparsity", "0 while --final_sparsity is 0", self.initial_sparsity
            )
