"""The adversarial examples that are shown, at the epsilon that the headline is about."""

import collections
import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from robust_keras import engine
from robust_keras.attackable import Attackable
from robust_keras.attacks.attack import Attack
from robust_keras.attacks.threat_model import ThreatModel
from robust_keras.engine.results import AdversarialExample


def at_epsilon(
    examples: Sequence[AdversarialExample],
    classifier: Attackable,
    attacks: Sequence[Attack],
    threat_model: ThreatModel,
    **settings: Any,
) -> tuple[AdversarialExample, ...]:
    """The examples found anew at the largest epsilon, where that finds them.

    An image is not attacked again at a larger epsilon than that at which it fell, so that the
    examples of an evaluation show the smallest changes, whatever the number beside them is about.

    Args:
        examples: `AdversarialExample`s of an evaluation.
        classifier: the attacked one.
        attacks: the `Attack`s of the evaluation.
        threat_model: `ThreatModel` of the evaluation.
        **settings: `batch_size`, `seed` and `journal` of `engine.evaluate`.

    Returns:
        Tuple of `AdversarialExample`s of the same images in the same order.
    """
    largest = threat_model.epsilons[-1]
    smaller = [example for example in examples if example.epsilon < largest]
    if not smaller:
        return tuple(examples)
    # The attack that found most of them finds them again for the price of one.
    name = collections.Counter(example.attack for example in smaller).most_common(1)[0][0]
    again = engine.evaluate(
        classifier,
        np.stack([example.image for example in smaller]),
        np.array([example.label for example in smaller], np.int64),
        [attack for attack in attacks if attack.name == name],
        dataclasses.replace(threat_model, epsilons=(largest,)),
        **settings,
    )
    anew = {
        smaller[example.index].index: dataclasses.replace(
            example, index=smaller[example.index].index
        )
        for example in again.examples
    }
    return tuple(anew.get(example.index, example) for example in examples)
