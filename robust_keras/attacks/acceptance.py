"""Attacks that aim at what a rejection rule lets through."""

import dataclasses
import math
import typing

import tensorflow as tf

from robust_keras import compiled
from robust_keras.attackable import Attackable, told, unscaled
from robust_keras.attacks.apgd import APGD
from robust_keras.attacks.loops.proposal import Proposal
from robust_keras.attacks.loops.task import Task


@dataclasses.dataclass(frozen=True, kw_only=True)
class APGDAccepted(APGD):
    """APGD towards wrong answers that the model's rejection rule accepts.

    Other attacks stop where the class changes, at answers of little confidence or of nonsense,
    which a rule rejects. This one goes on until the answer is wrong, means something, and is as
    confident as the rule asks. Without a rule it climbs the margin between logarithms of
    probabilities.

    Formula: the loss is `max_{k != y} l_k - max(l_y, r)`, l the logarithms of the confidences in
    the classes that mean something, y the label, and r the largest of those in nonsense and of the
    rule's threshold. It is above 0 where the model is wrong and the rule accepts it.

    See `APGD` for the method and the settings steps, restarts and rho.

    Example:
        >>> APGDAccepted(restarts=3).settings()
        {'steps': 100, 'restarts': 3, 'rho': 0.75}
    """

    name: typing.ClassVar[str] = "apgd_accepted"
    loss: typing.ClassVar[str] = "accepted_margin"
    aims_at_rule: typing.ClassVar[bool] = True
    aims: typing.ClassVar[bool] = False

    def attack(self, task: Task) -> Proposal:
        """Moves the images up the loss; see `Attack.propose`."""
        model = task.classifier
        view = compiled.once(model, AcceptedAnswers, lambda: AcceptedAnswers(model))
        return super().attack(dataclasses.replace(task, classifier=view))


class AcceptedAnswers:
    """A classifier with its rejection rule as one more class, the last: no answer.

    Args:
        classifier: `serving.Classifier`, or anything with `logits`, `num_classes` and
            `image_shape`.

    Attributes:
        num_classes: one more than mean something.
        logits: function from images to logarithms of confidences, of which the largest is the
            last exactly where the rule rejects.
    """

    def __init__(self, classifier: Attackable):
        rule = told(classifier, "rejection")
        nonsense, threshold = (rule.nonsense_classes, rule.threshold) if rule else (0, 0.0)
        confidence = told(classifier, "confidence")
        # An attacker's temperature is no part of the rule. The classifier itself must not be kept.
        raw = unscaled(classifier).logits
        classes = classifier.num_classes - nonsense
        least = math.log(threshold) if threshold else tf.float32.min

        def logits(images):
            scores = raw(images)
            values = confidence.logarithms(scores) if confidence else tf.nn.log_softmax(scores)
            declined = tf.fill((tf.shape(values)[0], 1), tf.constant(least, tf.float32))
            declined = tf.concat([declined, values[:, classes:]], axis=1)
            declined = tf.reduce_max(declined, axis=1, keepdims=True)
            return tf.concat([values[:, :classes], declined], axis=1)

        self.num_classes = classes + 1
        self.image_shape = classifier.image_shape
        self.logits = logits
