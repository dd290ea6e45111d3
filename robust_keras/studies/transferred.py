"""What the survey's networks make of each other's examples, as claims and tables ask for it."""

import itertools

import numpy as np

from robust_keras.studies import answers
from robust_keras.studies.study import Value
from robust_keras.studies.transfer_table import TOPS

MODELS = ("plain", "twin", "elu", "fc5", "adversarial", "ensemble", "penalty")
# The survey's on ImageNet, and one that does something to digits.
IMAGENET, EPSILON = 0.0625, 0.3
EPSILONS = (IMAGENET, EPSILON)
# Networks without a defence: an attacker from outside has such ones.
LONG_SOURCES = ("plain", "twin", "elu", "fc5")


def step_ll(source: str, target: str, epsilon: float = EPSILON, top: int = 1) -> Value:
    """Accuracy of one network on Step-LL's examples made on another: its `top` classes count."""
    return _of("transfer", source, target, epsilon, top)


def pgd(source: str, target: str) -> Value:
    """The same on PGD's examples at 0.3."""
    return _of("long", source, target, EPSILON, 1)


def own_beyond_others(epsilon: float, top: int = 1) -> Value:
    """Errors by a network's own examples beyond those by another's, the mean over all pairs."""
    pairs = list(itertools.permutations(MODELS, 2))

    def value(of):
        gains = [
            step_ll(source, target, epsilon, top)(of) - step_ll(target, target, epsilon, top)(of)
            for source, target in pairs
        ]
        return np.mean(gains, axis=0)

    return value


def from_outside(target: str) -> Value:
    """Whether an image holds out against Step-LL and PGD made on each network but the target."""
    sources = [source for source in LONG_SOURCES if source != target]

    def value(of):
        rows = [each(source, target)(of) for source in sources for each in (step_ll, pgd)]
        return np.min(rows, axis=0)

    return value


def _of(name, source, target, epsilon, top):
    def value(of):
        texts = of.made(name)[str(epsilon)][source][target]
        return answers.array(texts[TOPS.index(top)])

    return value
