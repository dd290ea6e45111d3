"""FGSM on half of each batch, as the symmetric-activation study trains (2016, arXiv 1603.05145)."""

from typing import Any, ClassVar

import tensorflow as tf

from robust_keras.training.methods.method import Method


class HalfFgsm(Method):
    """Minimises L over a batch whose first half is clean and whose second half FGSM has moved.

    x' = x + epsilon sign(gradient) of the label's loss: Goodfellow et al., 2014, arXiv 1412.6572.
    """

    starts_at_random: ClassVar[bool] = False
    # It aims at single steps: what it has against PGD comes and goes.
    is_probed: ClassVar[bool] = False

    def craft(self, images: tf.Tensor, labels: tf.Tensor, epsilon: Any, seed: Any) -> tf.Tensor:
        """The batch with its second half moved; that is the larger one where halves differ."""
        labels = tf.convert_to_tensor(labels)
        half = tf.shape(images)[0] // 2
        moved = super().craft(images[half:], labels[half:], epsilon, seed)
        return tf.ensure_shape(tf.concat([images[:half], moved], 0), images.shape)
