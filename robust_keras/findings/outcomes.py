"""What happened to every image, as text: one byte an image, in base64."""

from typing import Any

import numpy as np

from robust_keras.findings import byte_text

# More do not fit into a byte.
MOST_EPSILONS = 254


def encoded(clean_correct: np.ndarray, robust: np.ndarray) -> str | None:
    """Gives the text, or None beyond `MOST_EPSILONS`.

    Args:
        clean_correct: bool array (images,): classified correctly without attack.
        robust: bool array (epsilons, images): survived every attack; never rising with epsilon.
    """
    if len(robust) > MOST_EPSILONS:
        return None
    levels = np.where(clean_correct, 1 + robust.sum(axis=0), 0)
    return byte_text.encoded(levels.astype(np.uint8))


def survived(model: Any, examples: int) -> np.ndarray | None:
    """Gives which images survived every attack, if it is known.

    Args:
        model: `ModelReport`.
        examples: number of images.

    Returns:
        bool array (epsilons, images), or None.

    Raises:
        ValueError: the text is not of so many images.
    """
    if model.outcomes is None:
        return None
    levels = byte_text.decoded("outcomes", model.outcomes, (examples,))
    return np.arange(len(model.worst_case.epsilons))[:, None] + 1 < levels[None]
