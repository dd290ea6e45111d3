"""Random numbers that belong to one image and one try, whatever else is attacked."""

import zlib
from collections.abc import Iterable

import numpy as np


def generators(
    seed: int, name: str, epsilon: float, round_: int, indices: Iterable[int]
) -> list[np.random.Generator]:
    """One random generator an image, which depends on nothing but these values.

    So a result depends neither on the batch size nor on which other images are attacked.

    Args:
        seed: whole number >= 0.
        name: of the attack.
        epsilon: radius.
        round_: number of the try.
        indices: of the images.

    Returns:
        List of `numpy.random.Generator`s.
    """
    stream = zlib.crc32(f"{name} {float(epsilon).hex()} {round_}".encode())
    return [np.random.default_rng([seed, stream, int(index)]) for index in indices]
