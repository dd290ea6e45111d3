"""Pictures as text: base64 of their bytes, row by row."""

import base64

import numpy as np


def encoded(pixels: np.ndarray) -> str:
    """The text of a uint8 array."""
    return base64.b64encode(np.ascontiguousarray(pixels).tobytes()).decode("ascii")


def decoded(name: str, text: str | None, shape: tuple[int, ...]) -> np.ndarray:
    """The uint8 array of a shape that a text stands for.

    Raises:
        ValueError: it is no base64, or of another number of bytes.
    """
    try:
        content = base64.b64decode(text or "", validate=True)
    except (TypeError, ValueError) as error:
        raise ValueError(f"`{name}` must be base64. Received: {error}") from error
    count = int(np.prod(shape, dtype=object))
    if len(content) != count:
        raise ValueError(f"`{name}` must hold {count} bytes. Received: {len(content)}")
    return np.frombuffer(content, np.uint8).reshape(shape)
