"""Somebody else's adversarial images: which of them may count, and the attack that tries them."""

import dataclasses
import hashlib
import typing
from collections.abc import Sequence
from typing import Any

import numpy as np

from robust_keras.attacks import ThreatModel
from robust_keras.attacks.attack import Attack
from robust_keras.attacks.given_examples import GivenExamples, recognised, within
from robust_keras.data import adversarial_file
from robust_keras.engine.results import PerImage
from robust_keras.settings.config import EvaluateConfig


def of_other_models(images: np.ndarray, tables: Sequence[PerImage]) -> GivenExamples | None:
    """The attack that tries what fooled other models, or None where nothing was kept of that.

    Args:
        images: float32 array (images, height, width, channels), those attacked.
        tables: what was found out about every image, one `PerImage` a model.
    """
    pairs = [pair for table in tables for pair in (table.adversarial or {}).items()]
    if not pairs:
        return None
    index, examples = np.array([pair[0] for pair in pairs]), np.stack([pair[1] for pair in pairs])
    return all_of(GivenExamples, index, examples, images)


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Counterexamples(GivenExamples):
    """What a complete search found, tried on the model that is served."""

    name: typing.ClassVar[str] = "complete_search"


def counterexamples(images: np.ndarray, examples: np.ndarray) -> Counterexamples | None:
    """The attack that tries what a complete search found, or None where that is nothing.

    Args:
        images: float32 array (examples, height, width, channels), of which each is one.
        examples: float32 array of the same shape.
    """
    if not len(images):
        return None
    return all_of(Counterexamples, np.arange(len(images)), examples, images)


def all_of(attack: type, index: np.ndarray, examples: np.ndarray, images: np.ndarray) -> Any:
    """The attack, of a class like `GivenExamples`, that tries all examples; see `recognised`."""
    counted = {"given": len(index), "refused": 0, "elsewhere": 0}
    digest = _digest(index, examples)
    return recognised(index, examples, images, attack, **counted, digest=digest)


def given_examples(
    config: EvaluateConfig, images: np.ndarray, threat_model: ThreatModel
) -> tuple[tuple[Attack, ...], tuple[str, ...]]:
    """The attack that tries the images of the file that a config names.

    Args:
        config: an `EvaluateConfig`.
        images: float32 array (images, height, width, channels), those attacked.
        threat_model: `ThreatModel`.

    Returns:
        `(attacks, notes)`: the `GivenExamples` and a sentence on what was refused, or twice nothing
        where no file is named.

    Raises:
        InputError: the file cannot be used.
    """
    if config.adversarial_images is None:
        return (), ()
    index, examples = adversarial_file.load(config.adversarial_images, images.shape[1:])
    here = index < len(images)
    allowed, largest = here.copy(), threat_model.epsilons[-1]
    allowed[here] = within(images[index[here]], examples[here], threat_model, largest)
    counted = {
        "given": len(index),
        "refused": int((here & ~allowed).sum()),
        "elsewhere": int((~here).sum()),
        "digest": _digest(index, examples),
    }
    attack = recognised(index[allowed], examples[allowed], images, **counted)
    return (attack,), (_told(attack, threat_model),)


def _digest(index, examples):
    """What tells these examples from others."""
    return hashlib.sha256(index.tobytes() + examples.tobytes()).hexdigest()[:16]


def _told(attack, threat_model):
    """What became of the file, in a sentence."""
    sentence = f"--adversarial_images: {attack.given} examples of {len(attack.by_image)} images"
    low, high = threat_model.bounds
    if attack.refused:
        sentence += (
            f"; {attack.refused} refused: further than {threat_model.epsilons[-1]:g} "
            f"({threat_model.norm}) from their image, outside [{low:g}, {high:g}], or not finite"
        )
    if attack.elsewhere:
        sentence += f"; {attack.elsewhere} of images that are not attacked"
    return sentence
