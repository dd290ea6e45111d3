"""Proofs in l2 from how far the label's logit leads and how fast logits can change at most."""

import math

import keras
import numpy as np

from robust_keras.bounds import Bounds
from robust_keras.errors import InputError
from robust_keras.inside.lipschitz_bound import lipschitz_bound


class LipschitzProof:
    """A model whose logits change by at most L times the change of the image.

    The difference of two logits then changes by at most `sqrt(2) L |d|`: no change d of an l2
    length below `lead / (sqrt(2) L)` alters an answer (Tsuzuku, Sato and Sugiyama,
    "Lipschitz-Margin Training", 2018, arXiv 1802.04034). The lead is a lower bound, and as much as
    that lies below the model's own is taken off once more, for float32 at the changed image.

    Args:
        model: as `robust_keras.bounds.certify` takes it.

    Raises:
        InputError: a layer whose largest slope is not known, or is infinite.

    Example:
        >>> model = keras.Sequential([keras.Input((1, 2, 1)), keras.layers.Flatten()])
        >>> proof, image = LipschitzProof(model), np.reshape([1.0, 0.0], (1, 1, 2, 1))
        >>> proof.certify(image, [0], 0.70)[0], proof.certify(image, [0], 0.71)[0]
        (np.True_, np.False_)
    """

    def __init__(self, model: keras.Model):
        self._bounds, bound = Bounds(model), lipschitz_bound(model)
        for layer in bound.layers:
            if not math.isfinite(layer.total):
                raise InputError.expected(
                    f"layer '{layer.name}'", "a layer with a largest slope", layer.kind
                )
        self._constant = bound.l2

    def certify(
        self, images: np.ndarray, labels: np.ndarray, epsilon: float, *, batch_size: int = 50
    ) -> np.ndarray:
        """Whether each label is proved to be the answer to every image within epsilon.

        Args:
            images: float array (images, height, width, channels) in [0, 1].
            labels: int array (images,).
            epsilon: l2 distance, at least 0.
            batch_size: images a pass.

        Returns:
            bool array (images,).
        """
        lead = self._bounds.leads(images, labels, batch_size=batch_size)
        return lead - math.sqrt(2.0) * self._constant * epsilon > self._bounds.least
