"""Flags of how training steps are taken and watched."""

import dataclasses

from robust_keras.errors import InputError
from robust_keras.settings import values
from robust_keras.settings.field import flag

LAYER_LOGS = ("auto", "always", "never")


@dataclasses.dataclass(frozen=True)
class OptimizationFlags:
    """Optimization."""

    ema_momentum: float = flag(
        0.0,
        values.Number(minimum=0.0, below=1.0),
        "Share that each step keeps of the moving average of the weights, such as 0.999; the "
        "average is what is validated and exported. 0 for none.",
    )
    learning_rate_range_test: bool = flag(
        False,
        values.Truth(),
        "Instead of training, raise the learning rate step by step for an epoch, write "
        "learning_rate_range.csv and .png into the output directory, and suggest a rate.",
    )
    layer_log: str = flag(
        "auto",
        values.Choice(LAYER_LOGS),
        "Log every layer's gradient norm and every kernel activation's largest slope each epoch, "
        "to logs/layers.csv and TensorBoard: always, never, or auto (in networks with kernel "
        "activations).",
    )

    def check_together(self):
        """Raises InputError for what a learning-rate range test does not do."""
        if not self.learning_rate_range_test:
            return
        for name in ("final_sparsity", "ema_momentum", "kwta_ratio", "kwta_final_ratio"):
            if getattr(self, name):
                raise InputError.expected(
                    f"--{name}", "nothing with --learning_rate_range_test", getattr(self, name)
                )
        if self.pruning_m_by_n:
            raise InputError.expected(
                "--pruning_m_by_n",
                "nothing with --learning_rate_range_test",
                ":".join(map(str, self.pruning_m_by_n)),
            )
