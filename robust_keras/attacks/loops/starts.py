"""Random images, one of which a model is likely to take for something else."""

from collections.abc import Sequence

import numpy as np


def starting_points(
    images: np.ndarray,
    attempt: int,
    generators: Sequence[np.random.Generator],
    bounds: tuple[float, float],
) -> np.ndarray:
    """One image for every image that has little to do with it.

    Formula: attempt 0: uniform noise; 1, 2: all pixels lowest, highest; 3: `low + high - x`; from 4
    on noise of grains of 1, 2, 4, ... pixels, in turn uniform and of extreme values only. A model
    that takes fine noise always for the same class rarely does so with every grain.

    Args:
        images: float32 array (rows, height, width, channels).
        attempt: number of the try, >= 0.
        generators: one `numpy.random.Generator` a row.
        bounds: smallest and largest pixel value.

    Returns:
        float32 array of the same shape.
    """
    low, high = bounds
    if attempt in (1, 2):
        return np.full_like(images, bounds[attempt - 1])
    if attempt == 3:
        return np.clip(low + high - images, low, high).astype(np.float32)
    shape = images.shape[1:]
    grains = 1 + int(np.log2(max(1, min(shape[:2]) // 2)))
    number = max(attempt - 4, 0)
    grain, extreme = 2 ** (number // 2 % grains), attempt > 0 and number % 2 == 1
    noise = np.stack([_grainy(generator, shape, grain) for generator in generators])
    noise = np.round(noise) if extreme else noise
    return np.clip(low + (high - low) * noise, low, high).astype(np.float32)


def _grainy(generator, shape, grain):
    """Squares of one random colour each, in [0, 1)."""
    height, width, channels = shape
    coarse = generator.random((-(-height // grain), -(-width // grain), channels))
    return coarse.repeat(grain, axis=0).repeat(grain, axis=1)[:height, :width]
