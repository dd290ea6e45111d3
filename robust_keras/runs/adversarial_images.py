"""Somebody else's adversarial images: which of them may count, and the attack that tries them."""

import hashlib

import numpy as np

from robust_keras.attacks import ThreatModel
from robust_keras.attacks.attack import Attack
from robust_keras.attacks.given_examples import recognised, within
from robust_keras.data import adversarial_file
from robust_keras.settings.config import EvaluateConfig


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
        "digest": hashlib.sha256(index.tobytes() + examples.tobytes()).hexdigest()[:16],
    }
    attack = recognised(index[allowed], examples[allowed], images, **counted)
    return (attack,), (_told(attack, threat_model),)


def _told(attack, threat_model):
    """What became of the file, in a sentence."""
    sentence = f"--adversarial_images: {attack.given} examples of {len(attack.by_image)} images"
    low, high = threat_model.bounds
    if attack.refused:
        sentence += (
            f"; {attack.refused} refused: further than {threat_model.epsilons[-1]:g} "
            f"({threat_model.norm}) from their image, or outside [{low:g}, {high:g}]"
        )
    if attack.elsewhere:
        sentence += f"; {attack.elsewhere} of images that are not attacked"
    return sentence
