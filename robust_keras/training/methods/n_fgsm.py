"""N-FGSM. De Jorge et al., 2022, arXiv 2202.01181."""

from typing import Any, ClassVar

import tensorflow as tf

from robust_keras.training import crafting
from robust_keras.training.methods.method import Method

_NOISE = 2.0  # its radius / epsilon


class NFgsm(Method):
    """Minimises `L(f(x'), y)`, where x' is one step from noise twice as large, which is kept."""

    # Noise and step are not projected onto the ball; together they reach no further than this.
    reach: ClassVar[float] = _NOISE + 1.0

    def start(self, images: tf.Tensor, epsilon: Any, seed: Any) -> tf.Tensor:
        """Anywhere within two epsilons."""
        return crafting.uniform_start(images, _NOISE * epsilon, seed)
