"""Pictures of adversarial examples: clean image, amplified change, adversarial image."""

import io
from collections.abc import Sequence
from typing import Any

import numpy as np

from robust_keras.reporting import figures, wording
from robust_keras.reporting.picture_plane import PicturePlane

MOST_SHOWN = 10
FACTORS = (1, 1.5, 2, 3, 5, 10, 20, 50, 100, 200, 500, 1000)
ROWS = ("clean", "change", "adversarial")


def factor(examples: Sequence[Any]) -> float:
    """Gives the largest round factor by which every change still fits around mid grey.

    Args:
        examples: adversarial examples, at least one.

    Returns:
        One of `FACTORS`.
    """
    largest = max(float(np.max(np.abs(_change(example)))) for example in examples)
    fitting = [f for f in FACTORS if f * largest <= 0.5 * (1 + 1e-6)]
    return fitting[-1] if fitting and largest > 0 else FACTORS[0]


def pictures(example: Any, amplification: float) -> tuple[np.ndarray, ...]:
    """Gives the clean image, the change around mid grey, and the adversarial image.

    Args:
        example: adversarial example with `image` and `adversarial`, (h, w, channels) in [0, 1].
        amplification: factor on the change.

    Returns:
        Three uint8 arrays (h, w, 1 or 3). Images that have neither one nor three channels are shown
        as the grey mean of their channels.
    """
    change = 0.5 + amplification * _change(example)
    return tuple(to_bytes(image) for image in (example.image, change, example.adversarial))


def png(pixels: np.ndarray) -> bytes:
    """Gives an array (h, w, 3) of uint8 as the bytes of a PNG file."""
    import matplotlib.image

    stream, metadata = io.BytesIO(), {"Software": None}
    matplotlib.image.imsave(stream, pixels, format="png", metadata=metadata)  # type: ignore[arg-type]
    return stream.getvalue()


def caption(class_index: int, confidence: float, class_names: Sequence[str] = ()) -> str:
    """Writes a class and the confidence in it: `7 99.1 %`, or its name if it has one."""
    return f"{class_name(class_index, class_names)} {wording.percent(confidence)}"


def class_name(class_index: int, class_names: Sequence[str] = ()) -> str:
    """Gives the name of a class, or its number; classes past the data set's own mean nonsense."""
    if not class_names:
        return str(class_index)
    if class_index < len(class_names):
        return wording.visible(class_names[class_index])
    return f"nonsense {class_index}"


def draw(examples: Sequence[Any], *, title: str, class_names: Sequence[str] = ()) -> Any:
    """Draws up to ten examples as columns of three pictures with class and confidence.

    Args:
        examples: `ExampleReport`s that have their pictures, at least one.
        title: text above the figure.
        class_names: nothing, or one name a class.
    """
    amplification = examples[0].amplification
    cell, gap, left, top = 92, 8, 96, 84
    width = left + len(examples) * (cell + gap)
    # A title needs its room even where there is a single example.
    width = max(width, 420)
    height = top + 3 * cell + 2 * gap + 48
    figure = figures.blank(width, height)
    plane = PicturePlane(figure)
    figures.write(figure, 8, 24, title, fontsize=13)
    names = (ROWS[0], f"change\n×{amplification:g}", ROWS[2])
    lines = tuple(top + row * (cell + gap) for row in range(3))
    for name, line in zip(names, lines, strict=True):
        figures.write(figure, 8, line + cell / 2, name, verticalalignment="center", fontsize=11)
    for column, example in enumerate(examples):
        x = left + column * (cell + gap)
        for line, picture in zip(lines, example.arrays, strict=True):
            plane.put(picture, x, line, cell, framed=False)
        captions = (
            (lines[0] - 6, "bottom", example.clean_class, example.clean_confidence),
            (lines[2] + cell + 5, "top", example.adversarial_class, example.adversarial_confidence),
        )
        for y, side, label, confidence in captions:
            text = wording.shortened(caption(label, confidence, class_names), 18).replace(
                " ", "\n", 1
            )
            style = {"horizontalalignment": "center", "verticalalignment": side, "fontsize": 11}
            figures.write(figure, x + cell / 2, y, text, **style)
    return figure


def _change(example):
    return np.asarray(example.adversarial, float) - np.asarray(example.image, float)


def to_bytes(image: np.ndarray) -> np.ndarray:
    """Gives an image (h, w, channels) in [0, 1] as uint8 (h, w, 1 or 3).

    One that has neither one nor three channels is shown as the grey mean of its channels.
    """
    image = np.asarray(image, float)
    if image.shape[-1] not in (1, 3):
        image = image.mean(axis=-1, keepdims=True)
    return np.clip(np.rint(image * 255.0), 0, 255).astype(np.uint8)


def rgb(image: np.ndarray) -> np.ndarray:
    """Gives the same with three channels."""
    shown = to_bytes(image)
    return np.broadcast_to(shown, (*shown.shape[:2], 3))
