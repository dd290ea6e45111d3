"""Pictures of which class can be made of which: a row a class, a column an answer."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from robust_keras.attackable import unscaled
from robust_keras.attacks.loops.prediction import predict
from robust_keras.engine.gallery import confidence
from robust_keras.findings import TargetPictureReport
from robust_keras.findings.byte_text import encoded
from robust_keras.findings.targets import MOST_PICTURED
from robust_keras.reporting.grid import to_bytes


def target_pictures(
    classifier: Any,
    images: np.ndarray,
    labels: np.ndarray,
    correct: np.ndarray,
    moved: Mapping[tuple[int, int], np.ndarray],
) -> tuple[TargetPictureReport, ...]:
    """One image of each class, the first that is right, and what it was turned into.

    Nothing is chosen by what the attacks came to, so a gap shows an image that they did not move.

    Args:
        classifier: the attacked one; what it answers is asked of the model itself.
        images: float32 array (images, height, width, channels).
        labels: int array (images,).
        correct: bool array (images,): right without attack.
        moved: from an image's number and the class that was wanted to what the image became.

    Returns:
        `TargetPictureReport`s, row by row.
    """
    rows = [np.flatnonzero(correct & (labels == source))[:1] for source in range(MOST_PICTURED)]
    shown = [
        (index, target, images[index] if source == target else moved.get((index, target)))
        for source, row in enumerate(rows)
        for index in row.tolist()
        for target in range(MOST_PICTURED)
    ]
    known = [(index, wanted, image) for index, wanted, image in shown if image is not None]
    if not known:
        return ()
    logits = predict(unscaled(classifier), np.stack([image for _, _, image in known]), len(known))
    return tuple(
        _picture(index, int(labels[index]), image, row)
        for (index, wanted, image), row in zip(known, logits, strict=True)
        # Where two classes are as good as level, another batch may tip the answer.
        if np.argmax(row) == wanted
    )


def _picture(index, label, image, logits):
    pixels = to_bytes(image)
    return TargetPictureReport(
        index=index,
        source=label,
        answer=int(np.argmax(logits)),
        confidence=confidence(logits),
        shape=pixels.shape,
        pixels=encoded(pixels),
    )
