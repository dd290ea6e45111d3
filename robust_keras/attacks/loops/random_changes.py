"""Random changes of images, by their size in a norm."""

import math
from collections.abc import Sequence

import numpy as np


def uniform_in_ball(
    generators: Sequence[np.random.Generator], shape: tuple[int, ...], epsilon: float, norm: str
) -> np.ndarray:
    """Independent changes, uniform in the ball of the norm.

    Formula: linf: U(-epsilon, epsilon) a pixel; l2: epsilon u^(1/d) g / norm(g), u ~ U(0, 1),
    g ~ N(0, I_d).

    Args:
        generators: one `numpy.random.Generator` an image.
        shape: (height, width, channels) of an image, d numbers in all.
        epsilon: radius.
        norm: "linf" or "l2".

    Returns:
        float32 array (batch, height, width, channels).
    """
    if norm == "linf":
        changes = [generator.uniform(-epsilon, epsilon, shape) for generator in generators]
    else:
        changes = [_in_l2_ball(generator, shape, epsilon) for generator in generators]
    return np.stack(changes).astype(np.float32)


def _in_l2_ball(generator, shape, epsilon):
    direction = generator.standard_normal(shape)
    radius = epsilon * generator.uniform() ** (1.0 / math.prod(shape))
    return radius * direction / np.linalg.norm(direction)


def on_sphere(
    generator: np.random.Generator, shape: tuple[int, ...], epsilon: float, norm: str
) -> np.ndarray:
    """A random change of norm epsilon.

    Formula: linf: `epsilon u / max|u|`, u ~ U(-1, 1) a pixel; l2: `epsilon g / norm(g)`, g normal.

    Args:
        generator: `numpy.random.Generator`.
        shape: (height, width, channels).
        epsilon: radius.
        norm: "linf" or "l2".

    Returns:
        float64 array.
    """
    if norm == "linf":
        change = generator.uniform(-1.0, 1.0, shape)
        return epsilon * change / np.abs(change).max()
    change = generator.standard_normal(shape)
    return epsilon * change / np.linalg.norm(change)
