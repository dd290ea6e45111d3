"""Flags of adversarial training, and which of them make sense together."""

import dataclasses
from typing import Any

from robust_keras.errors import InputError
from robust_keras.settings import values
from robust_keras.settings.adversarial_methods import METHODS, owners
from robust_keras.settings.field import check_value, flag

ENSEMBLE_ATTACKS = ("step_ll", "fgsm")


@dataclasses.dataclass(frozen=True)
class AdversarialFlags:
    """Adversarial training."""

    adversarial: str = flag(
        "none",
        values.Choice(("none", *METHODS), others=True),
        "Adversarial training.",
    )
    train_epsilon: float = flag(
        0.0,
        values.PIXEL_CHANGE,
        "Largest change of a pixel in adversarial training, such as 0.3 or 8/255; of gaussian the "
        "standard deviation of the noise.",
        setting="epsilon",
    )
    adversarial_steps: int | None = flag(
        None,
        values.Whole(1, 10_000, optional=True),
        "Crafting steps of pgd and trades, fewer being larger, and of ibp.",
        unset="40 from a --train_epsilon of 0.1 on, else 10, as published; none for ibp",
        setting="steps",
    )
    replays: int | None = flag(
        None,
        values.Whole(2, 1000, optional=True),
        "How often free trains on each batch. Divide --epochs by it.",
        unset="8, as published",
        setting="replays",
    )
    trades_beta: float | None = flag(
        None,
        values.Number(minimum=1e-6, maximum=1e6, optional=True),
        "Weight of trades' divergence.",
        unset="6, as published",
        setting="beta",
    )
    bound_weight: float | None = flag(
        None,
        values.Number(minimum=1e-6, maximum=1.0, optional=True),
        "Share of the loss on ibp's bounds, once epsilon is full; the rest is the loss on images.",
        unset="0.5, as published",
        setting="bound_weight",
    )
    source_models: tuple[str, ...] = flag(
        (),
        values.Paths("at least one path of a .keras file or SavedModel directory", optional=True),
        "Trained models on which ensemble crafts its examples, besides the model itself; comma "
        "separated .keras files and SavedModel directories.",
        setting="source_models",
    )
    ensemble_attack: str = flag(
        "step_ll",
        values.Choice(ENSEMBLE_ATTACKS),
        "How ensemble crafts: step_ll (one step towards the least likely class) or fgsm (one step "
        "away from the predicted class).",
        setting="ensemble_attack",
    )
    warm_up_epochs: int = flag(
        0,
        values.Whole(0, 1_000_000),
        "First epochs of adversarial training on clean images.",
        setting="warm_up_epochs",
    )
    epsilon_ramp_epochs: int = flag(
        0,
        values.Whole(0, 1_000_000),
        "Epochs after the warm-up in which epsilon grows in equal parts, before it is full.",
        setting="epsilon_ramp_epochs",
    )
    plugins: tuple[str, ...] = flag(
        (),
        values.Paths("paths of Python files", optional=True),
        "Python files with methods of your own, comma separated. They are run, and call "
        "robust_keras.training.methods.register.",
    )

    def adversarial_settings(self) -> dict[str, Any]:
        """What the method of --adversarial is told, by the library's names."""
        reads = METHODS[self.adversarial].reads
        found = {setting: getattr(self, name) for name, setting in _settings().items()}
        return {setting: value for setting, value in found.items() if setting in reads}

    def check_together(self: Any) -> None:
        """Raises InputError for the first value that --adversarial does not read, or lacks."""
        method = METHODS.get(self.adversarial)
        if method is None and self.adversarial != "none":
            if self.plugins:  # which are not loaded yet
                return
            check_value("adversarial", values.Choice(("none", *METHODS)), self.adversarial)
        for name, setting in _settings().items():
            default = AdversarialFlags.__dataclass_fields__[name].default
            if getattr(self, name) != default and setting not in getattr(method, "reads", ()):
                self.refuse(name, f"{self.typed(name, default)} {_beside(method, setting)}")
        if method is not None:
            self._check_method(method)

    def _check_method(self, method):
        beside = f"with --adversarial={method.name}"
        if not self.train_epsilon:
            self.refuse("train_epsilon", f"a number above 0 {beside}")
        if method.one_replica and self.distribute != "none":
            self.refuse("distribute", f"none {beside}")
        if "source_models" in method.settings and not self.source_models:
            self.refuse("source_models", f"at least one path {beside}")
        if self.warm_up_epochs + self.epsilon_ramp_epochs >= self.epochs:
            raise InputError.expected(
                "--warm_up_epochs",
                f"fewer, with --epsilon_ramp_epochs, than --epochs={self.epochs}",
                self.warm_up_epochs + self.epsilon_ramp_epochs,
            )


def _settings():
    """Flag -> the library's name of it."""
    fields = dataclasses.fields(AdversarialFlags)
    return {f.name: f.metadata["setting"] for f in fields if f.metadata["setting"]}


def _beside(method, setting):
    if method is None:
        return "while --adversarial is none"
    belongs = f" (it belongs to {', '.join(owners(setting))})" if owners(setting) else ""
    return f"with --adversarial={method.name}{belongs}"
