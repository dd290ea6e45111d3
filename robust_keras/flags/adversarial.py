"""Flags of adversarial training, and which of them make sense together."""

import dataclasses

from robust_keras.errors import InputError
from robust_keras.flags import values
from robust_keras.flags.field import flag

ADVERSARIAL_METHODS = ("none", "pgd", "free", "fast", "trades")

# Flag -> the methods that use it; 0 stands for the published value.
_OF_METHOD = {
    "adversarial_steps": ("pgd", "trades"),
    "replays": ("free",),
    "trades_beta": ("trades",),
}
_OF_ALL = ("train_epsilon", "warm_up_epochs", "epsilon_ramp_epochs")


@dataclasses.dataclass(frozen=True)
class AdversarialFlags:
    """Adversarial training."""

    adversarial: str = flag(
        "none",
        values.Choice(ADVERSARIAL_METHODS),
        "Adversarial training: none, pgd, free, fast or trades.",
    )
    train_epsilon: float = flag(
        0.0,
        values.Number(minimum=0.0, maximum=1.0),
        "Largest change of a pixel in adversarial training, such as 0.3 or 8/255.",
    )
    adversarial_steps: int = flag(
        0,
        values.Whole(minimum=0),
        "Crafting steps of pgd and trades, fewer being larger; 0 for the published 40 (epsilon of "
        "0.1 or more) or 10.",
    )
    replays: int = flag(
        0,
        values.Whole(minimum=0),
        "How often free trains on each batch; 0 for the published 8. Divide --epochs by it.",
    )
    trades_beta: float = flag(
        0.0, values.Number(minimum=0.0), "Weight of trades' divergence; 0 for the published 6."
    )
    warm_up_epochs: int = flag(
        0, values.Whole(minimum=0), "First epochs of adversarial training on clean images."
    )
    epsilon_ramp_epochs: int = flag(
        0,
        values.Whole(minimum=0),
        "Epochs after the warm-up in which epsilon grows in equal parts, before it is full.",
    )

    def check_together(self):
        """Raises InputError for the first value that does not fit --adversarial or another."""
        method = self.adversarial
        if method == "none":
            for name in (*_OF_ALL, *_OF_METHOD):
                if getattr(self, name):
                    _refuse(self, name, "0 while --adversarial is none")
            return
        if not self.train_epsilon:
            _refuse(self, "train_epsilon", f"a number above 0 with --adversarial={method}")
        for name, methods in _OF_METHOD.items():
            if getattr(self, name) and method not in methods:
                _refuse(
                    self,
                    name,
                    f"0 with --adversarial={method} (it belongs to {', '.join(methods)})",
                )
        if self.replays == 1:
            _refuse(self, "replays", "at least 2, or 0 for the published 8")
        if method == "free" and self.distribute != "none":
            _refuse(self, "distribute", "none with --adversarial=free")
        if self.warm_up_epochs + self.epsilon_ramp_epochs >= self.epochs:
            raise InputError.expected(
                "--warm_up_epochs",
                f"fewer, with --epsilon_ramp_epochs, than --epochs={self.epochs}",
                self.warm_up_epochs + self.epsilon_ramp_epochs,
            )


def _refuse(config, name, expected):
    raise InputError.expected(f"--{name}", expected, getattr(config, name))
