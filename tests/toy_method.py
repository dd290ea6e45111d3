"""A method of adversarial training as somebody else would write it: all of it in one file."""

import tensorflow as tf

from robust_keras.training.methods import Method, MethodDeclaration, register


class ToyMethod(Method):
    """Climbs the loss in a few steps, and learns from their mean with the clean images."""

    @classmethod
    def published(cls, epsilon, steps):
        return {"steps": 3, "step_ratio": 1 / (steps or 3)}

    @classmethod
    def cost(cls, steps, replays):
        return (steps or 3) + 2

    def training_loss(self, training, moved, labels, sample_weight, clean):
        outputs = training(moved, training=True)
        both = tf.concat([outputs, training(clean, training=True)], 0)
        twice = None if sample_weight is None else tf.tile(sample_weight, [2])
        labels = tf.concat([labels, labels], 0)
        images = tf.concat([moved, clean], 0)
        return training.compute_loss(images, labels, both, twice, training=True), outputs


register(MethodDeclaration(name="toy", code=f"{__name__}:ToyMethod", settings=("steps",)))
