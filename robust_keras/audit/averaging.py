"""A model of chance, asked so often that its answers are steady."""

import dataclasses

from robust_keras.attackable import Attackable
from robust_keras.audit.counter_attack import seen
from robust_keras.serving.classifier import Classifier
from robust_keras.serving.views.attacker import averaged, mean_of

PASSES = 20


def steady(classifier: Attackable) -> Attackable:
    """The same model with the mean logits of 20 passes for one answer.

    What a model of chance answers has no single truth. The audit's own attacks take the mean, which
    also decides whether an image is fooled: no lucky draw does, and gradients lead somewhere.

    Args:
        classifier: one that is random.

    Reference: Athalye et al., "Synthesizing Robust Adversarial Examples", 2018, arXiv 1707.07397.
    """
    if isinstance(classifier, Classifier):
        # One that is not random stays as it is.
        return averaged(classifier, PASSES)
    function = mean_of(classifier.logits, PASSES, classifier.num_classes)
    view = seen(classifier, function, PASSES)
    return dataclasses.replace(view, gradient_error=classifier.gradient_error)
