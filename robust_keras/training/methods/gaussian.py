"""Training under Gaussian noise, for randomised smoothing. Cohen et al., 2019, arXiv 1902.02918."""

from typing import Any, ClassVar

import tensorflow as tf

from robust_keras.training.methods.method import Method


class Gaussian(Method):
    """Minimises `L(f(x + epsilon n), y)`, n standard normal: epsilon is a standard deviation.

    Pixels with noise are not cut off at 0 and 1, as those of `--certify=smoothing` are not.
    """

    # No ball is trained for.
    is_probed: ClassVar[bool] = False

    @classmethod
    def cost(cls, steps: int | None, replays: int | None) -> int:
        """No gradient is needed to draw noise."""
        return 1

    def craft(self, images: tf.Tensor, labels: tf.Tensor, epsilon: Any, seed: Any) -> tf.Tensor:
        """The images and noise."""
        unit = self.pixels.to_unit(images)
        noise = tf.random.stateless_normal(tf.shape(unit), seed, alg="philox")
        return self.pixels.from_unit(unit + epsilon * noise)
