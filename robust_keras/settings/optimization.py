"""Flags of how training steps are taken and watched."""

import dataclasses
from typing import Any

from robust_keras.settings import values
from robust_keras.settings.field import flag, switch

LAYER_LOGS = ("auto", "always", "never")
# What works on weights step by step, which a range test's are not kept for.
_UNREAD = ("final_sparsity", "ema_momentum", "kwta_ratio", "kwta_final_ratio", "pruning_m_by_n")


@dataclasses.dataclass(frozen=True)
class OptimizationFlags:
    """Optimization."""

    ema_momentum: float = flag(
        0.0,
        values.Number(minimum=0.0, below=1.0),
        "Share that each step keeps of the moving average of the weights, such as 0.999; the "
        "average is what is validated and exported. 0 for none.",
    )
    learning_rate_range_test: bool = switch(
        "Instead of training, raise the learning rate step by step for an epoch, write "
        "learning_rate_range.csv and .png into the output directory, and suggest a rate."
    )
    layer_log: str = flag(
        "auto",
        values.Choice(LAYER_LOGS),
        "Log every layer's gradient norm and every kernel activation's largest slope each epoch, "
        "to logs/layers.csv and TensorBoard: always, never, or auto (in networks with kernel "
        "activations).",
    )

    def check_together(self: Any) -> None:
        """Raises InputError for what a learning-rate range test does not do."""
        if self.learning_rate_range_test:
            for name in _UNREAD:
                if getattr(self, name):
                    self.refuse(name, "nothing with --learning_rate_range_test")
            if self.distribute == "multi_worker":
                self.refuse("distribute", "none or mirrored with --learning_rate_range_test")
