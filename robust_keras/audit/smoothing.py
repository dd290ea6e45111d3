"""A counter-attack along gradients that are averaged over the neighbourhood of an image."""

import functools
import math
from collections.abc import Iterator

import tensorflow as tf

from robust_keras.attacks import MarginPGD
from robust_keras.attacks.attack import Attack
from robust_keras.audit.counter_attack import CounterAttack, View, seen

_DRAWS = 16
# Of the largest epsilon: far enough to see over steps, near enough to see the slope.
_WIDTH = 0.25


class Smoothing(CounterAttack):
    """A function of many small steps has a useless gradient; its mean over noise has a good one.

    Formula: `g = 1 / n sum_i grad f(clip(x + u_i))`, u_i normal and a quarter of the largest
    epsilon long a pixel, in l2 over sqrt(d).

    Reference: Smilkov et al., "SmoothGrad", 2017, arXiv 1706.03825; as an attack on rough losses:
    Athalye et al., 2018, arXiv 1802.00420.
    """

    name = "mean over noise"
    trusts_gradients = True

    @property
    def obstacle(self) -> str | None:
        """Gradients that are lost."""
        return self.account.classifier.gradient_error

    def attacks(self, allowed: float) -> Iterator[Attack]:
        """The margin of the mean."""
        yield self.through(MarginPGD(steps=30), self._view)

    @functools.cached_property
    def _view(self) -> View:
        classifier, model = self.account.classifier, self.account.threat_model
        width = _WIDTH * model.epsilons[-1]
        if model.norm == "l2":
            width /= math.sqrt(math.prod(self.account.images.shape[1:]))
        logits, low, high = classifier.logits, *model.bounds

        def mean(images):
            # Another noise at every point, and the same at the same.
            seed = tf.bitcast(tf.reduce_sum(images), tf.int32)
            total = tf.zeros((tf.shape(images)[0], classifier.num_classes))
            for draw in range(_DRAWS):
                noise = tf.random.stateless_normal(tf.shape(images), [draw, seed], stddev=width)
                total += logits(tf.clip_by_value(images + noise, low, high))
            return total / _DRAWS

        return seen(classifier, mean, _DRAWS)
