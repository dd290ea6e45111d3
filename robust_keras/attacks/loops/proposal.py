"""What an attack made of a batch of images, and what that took."""

import dataclasses

import numpy as np


@dataclasses.dataclass(frozen=True)
class Proposal:
    """What an attack made of a batch of images, and what that took.

    Args:
        images: array (batch, height, width, channels).
        gradient_evaluations: int array (batch,), forward and backward passes of each image.
        forward_evaluations: int array (batch,), forward passes alone of each image.
    """

    images: np.ndarray
    gradient_evaluations: np.ndarray
    forward_evaluations: np.ndarray
