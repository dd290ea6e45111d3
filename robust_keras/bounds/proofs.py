"""At which of several epsilons each image is proved to keep its class."""

from collections.abc import Callable, Sequence
from typing import Protocol

import keras
import numpy as np

from robust_keras.bounds.certify import Bounds


class Prover(Protocol):
    """What proves answers, such as `Bounds`."""

    def certify(
        self, images: np.ndarray, labels: np.ndarray, epsilon: float, *, batch_size: int = 50
    ) -> np.ndarray:
        """Whether each label is proved to be the answer to every image within epsilon."""
        ...


def prove(
    model: keras.Model | Prover,
    images: np.ndarray,
    labels: np.ndarray,
    epsilons: Sequence[float],
    *,
    batch_size: int = 50,
    progress: Callable[[int, int], None] | None = None,
) -> np.ndarray:
    """Proves images at the smallest epsilon first; what fails there is not tried at a larger one.

    Args:
        model: as for `certify`, or its `Bounds`, or another `Prover`.
        images: float array (images, height, width, channels) in [0, 1].
        labels: int array (images,).
        epsilons: rising, each as for `certify`.
        batch_size: images a pass.
        progress: called as `progress(done, total)` after each batch, in images times epsilons.

    Returns:
        bool array (epsilons, images), never rising with epsilon: True where the label is proved to
        be the answer to every image within epsilon (l-infinity, or the prover's norm).

    Raises:
        InputError: a layer for which no bounds are known, or a subclassed model.

    Example:
        >>> model = keras.Sequential([keras.Input((2, 2, 1)), keras.layers.Flatten()])
        >>> image = np.reshape([1.0, 0.5, 0.0, 0.0], (1, 2, 2, 1))
        >>> prove(model, image, np.array([0]), (0.2, 0.3))[:, 0].tolist()
        [True, False]
    """
    bounds = Bounds(model) if isinstance(model, keras.Model) else model
    proved = np.zeros((len(epsilons), len(images)), bool)
    wanted = np.arange(len(images))
    total = len(epsilons) * len(images)
    for row, epsilon in enumerate(epsilons):
        held = []
        for first in range(0, len(wanted), batch_size):
            part = wanted[first : first + batch_size]
            kept = bounds.certify(images[part], labels[part], epsilon, batch_size=batch_size)
            held.append(part[kept])
            if progress is not None:
                progress(row * len(images) + first + len(part), total)
        wanted = np.concatenate(held) if held else wanted
        proved[row, wanted] = True
    if progress is not None:
        progress(total, total)
    return proved
