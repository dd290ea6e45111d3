"""Notices answers and gradients that are no numbers, as where a model divides by a deviation."""

import numpy as np
import tensorflow as tf

from robust_keras.serving.classifier import Classifier


def with_missing_answers(classifier: Classifier, images: np.ndarray) -> Classifier:
    """The classifier, whose notes say for which images its answer, or its gradient, is no number.

    Args:
        classifier: `Classifier`.
        images: float32 array (images, height, width, channels), of the data set if it is known.
    """
    flat = np.stack([np.full(images.shape[1:], shade, np.float32) for shade in (0.0, 0.5, 1.0)])
    kinds = {"images that it was tried on": images, "images of one colour": flat}
    found = {kind: _missing(classifier, some) for kind, some in kinds.items()}
    sentences = []
    for place, text in enumerate(
        (
            "It answers {} with NaN or infinity, which is no answer.",
            "Its gradient is NaN or infinite at {}: no attack can follow it there.",
        )
    ):
        shown = [
            f"{counts[place]} of {len(kinds[kind])} {kind}"
            for kind, counts in found.items()
            if counts[place]
        ]
        if shown:
            sentences.append(text.format(" and ".join(shown)))
    return classifier.with_notes(*sentences)


def _missing(classifier, images):
    """How many images have an answer that is no number, and how many such a gradient alone."""
    images = tf.constant(images)
    finite = np.isfinite(classifier.logits(images)).all(axis=-1)
    if classifier.gradient_error is not None:
        return int((~finite).sum()), 0
    with tf.GradientTape() as tape:
        tape.watch(images)
        logits = classifier.logits(images)
    steep = ~np.isfinite(tape.gradient(logits, images)).all(axis=(1, 2, 3))
    return int((~finite).sum()), int((finite & steep).sum())
