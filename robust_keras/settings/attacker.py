"""Flags of what an attacker knows and does beyond the attacks themselves."""

import dataclasses
from typing import Any

from robust_keras.errors import InputError
from robust_keras.settings import names, values
from robust_keras.settings.field import flag, switch


@dataclasses.dataclass(frozen=True)
class AttackerFlags:
    """Adaptive and transfer attacks."""

    attacker_temperature: float | str = flag(
        1.0,
        values.Number(minimum=1e-3, maximum=1e6, word="removed"),
        "The attacker divides logits by this: for a model trained at a --temperature, that one for "
        "an attacker who knows it, 1 for one who does not. removed: each image's logits are "
        "divided by their standard deviation, so that no scale of them matters.",
    )
    expectation_samples: int = flag(
        1,
        values.Whole(1, 10_000),
        "Passes whose logits are averaged for every answer of a model that is random, in the "
        "attack and when it is checked; others take one.",
    )
    transfer: bool = switch(
        "Also make adversarial examples on each model and try them on all others."
    )
    transfer_attack: str = flag(
        "pgd",
        values.Choice(names.ATTACKS, others=True),
        "Attack that makes the examples of --transfer; no cascade.",
        needs="transfer",
    )
    substitute: bool = switch(
        "With --transfer: also make them on a substitute for each model, trained on nothing but "
        "the classes that the model predicts.",
        needs="transfer",
    )
    substitute_images: int = flag(
        150,
        values.Whole(1, 1_000_000),
        "Images that --substitute begins with, from the split that is not attacked; the model is "
        "asked 32 times as many questions.",
        needs="substitute",
    )

    def check_together(self: Any) -> None:
        """Raises InputError for the first value that does not fit another."""
        if self.transfer and len(self.models) < 2 and not self.substitute:
            raise InputError.expected(
                "--transfer", "two or more --models, or --substitute", "one model"
            )
