"""An attack as somebody else would write it: all of it in one file."""

import dataclasses
import typing

import numpy as np
import tensorflow as tf

from robust_keras import attacks


@dataclasses.dataclass(frozen=True, kw_only=True)
class ToyAttack(attacks.Attack):
    """Signed steps up the second largest logit, as many as there are iterations."""

    name: typing.ClassVar[str] = "toy"
    kind: typing.ClassVar[str] = "iterative"
    strength: typing.ClassVar[str] = "strong"

    iterations: int = 3

    @property
    def gradient_evaluations(self):
        return self.iterations

    def propose(self, classifier, images, labels, *, threat_model, epsilon, generators):
        points = tf.constant(images)
        for _ in range(self.iterations):
            with tf.GradientTape() as tape:
                tape.watch(points)
                logits = classifier.logits(points)
                own = tf.gather(logits, tf.constant(labels, tf.int32), batch_dims=1)
                lead = own - tf.reduce_max(logits - 1e9 * tf.one_hot(labels, logits.shape[1]), 1)
            points -= epsilon / self.iterations * tf.sign(tape.gradient(lead, points))
            points = tf.clip_by_value(points, *threat_model.bounds)
        return self.priced(np.asarray(points))
