"""Flags of adversarial training, and which of them make sense together."""

import dataclasses

from robust_keras.errors import InputError
from robust_keras.settings import values
from robust_keras.settings.field import flag

ADVERSARIAL_METHODS = ("none", "pgd", "free", "fast", "trades", "ensemble")
ENSEMBLE_ATTACKS = ("step_ll", "fgsm")

# Flag -> the methods that use it.
_OF_METHOD = {
    "adversarial_steps": ("pgd", "trades"),
    "replays": ("free",),
    "trades_beta": ("trades",),
    "source_models": ("ensemble",),
}
# Which run on one replica only.
_ALONE = ("free", "ensemble")
_OF_ALL = ("train_epsilon", "warm_up_epochs", "epsilon_ramp_epochs")


@dataclasses.dataclass(frozen=True)
class AdversarialFlags:
    """Adversarial training."""

    adversarial: str = flag(
        "none",
        values.Choice(ADVERSARIAL_METHODS),
        "Adversarial training: none, pgd, free, fast, trades or ensemble.",
    )
    train_epsilon: float = flag(
        0.0,
        values.PIXEL_CHANGE,
        "Largest change of a pixel in adversarial training, such as 0.3 or 8/255.",
    )
    adversarial_steps: int | None = flag(
        None,
        values.Whole(1, 10_000, optional=True),
        "Crafting steps of pgd and trades, fewer being larger.",
        unset="40 from a --train_epsilon of 0.1 on, else 10, as published",
    )
    replays: int | None = flag(
        None,
        values.Whole(2, 1000, optional=True),
        "How often free trains on each batch. Divide --epochs by it.",
        unset="8, as published",
    )
    trades_beta: float | None = flag(
        None,
        values.Number(minimum=1e-6, maximum=1e6, optional=True),
        "Weight of trades' divergence.",
        unset="6, as published",
    )
    source_models: tuple[str, ...] = flag(
        (),
        values.Texts("at least one path of a .keras file or SavedModel directory", optional=True),
        "Trained models on which ensemble crafts its examples, besides the model itself; comma "
        "separated .keras files and SavedModel directories.",
    )
    ensemble_attack: str = flag(
        "step_ll",
        values.Choice(ENSEMBLE_ATTACKS),
        "How ensemble crafts: step_ll (one step towards the least likely class) or fgsm (one step "
        "away from the predicted class).",
    )
    warm_up_epochs: int = flag(
        0, values.Whole(0, 1_000_000), "First epochs of adversarial training on clean images."
    )
    epsilon_ramp_epochs: int = flag(
        0,
        values.Whole(0, 1_000_000),
        "Epochs after the warm-up in which epsilon grows in equal parts, before it is full.",
    )

    def check_together(self):
        """Raises InputError for the first value that does not fit --adversarial or another."""
        method = self.adversarial
        if method != "ensemble" and self.ensemble_attack != ENSEMBLE_ATTACKS[0]:
            _refuse(self, "ensemble_attack", f"left out with --adversarial={method}")
        if method == "none":
            for name in (*_OF_ALL, *_OF_METHOD):
                if getattr(self, name):
                    _refuse(self, name, f"{_nothing(self, name)} while --adversarial is none")
            return
        if not self.train_epsilon:
            _refuse(self, "train_epsilon", f"a number above 0 with --adversarial={method}")
        for name, methods in _OF_METHOD.items():
            if getattr(self, name) and method not in methods:
                _refuse(
                    self,
                    name,
                    f"{_nothing(self, name)} with --adversarial={method} "
                    f"(it belongs to {', '.join(methods)})",
                )
        if method in _ALONE and self.distribute != "none":
            _refuse(self, "distribute", f"none with --adversarial={method}")
        if method == "ensemble" and not self.source_models:
            raise InputError.expected(
                "--source_models", "at least one path with --adversarial=ensemble", "none"
            )
        if self.warm_up_epochs + self.epsilon_ramp_epochs >= self.epochs:
            raise InputError.expected(
                "--warm_up_epochs",
                f"fewer, with --epsilon_ramp_epochs, than --epochs={self.epochs}",
                self.warm_up_epochs + self.epsilon_ramp_epochs,
            )


def _nothing(config, name):
    value = getattr(config, name)
    return "none" if isinstance(value, tuple) else "0" if name in _OF_ALL else "nothing"


def _refuse(config, name, expected):
    value = getattr(config, name)
    received = ",".join(value) if isinstance(value, tuple) else value
    raise InputError.expected(f"--{name}", expected, received)
