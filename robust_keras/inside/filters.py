"""The first layer's kernels, and the pixels that answers hang on, as pictures."""

import keras
import numpy as np
import tensorflow as tf

from robust_keras.findings import FiltersReport, SaliencyReport
from robust_keras.findings.byte_text import encoded
from robust_keras.inside.graph import seen
from robust_keras.inside.subject import Subject
from robust_keras.layers import keras_private

_MOST_FILTERS, _MOST_IMAGES = 24, 5


def filters(subject: Subject) -> FiltersReport | None:
    """The first kernels that meet the image; of a dense layer in the image's shape.

    Returns:
        A `FiltersReport`, or None where no kernel fits the image.
    """
    name, kernel = _first_kernel(subject)
    if kernel is None or not np.isfinite(kernel).all() or not kernel.any():
        return None
    shown = np.moveaxis(kernel, -1, 0)[:_MOST_FILTERS].astype(np.float64)
    largest = float(np.abs(kernel).max())
    peaks = np.abs(shown).max(axis=(1, 2, 3))
    scaled = shown / np.maximum(peaks, 1e-30)[:, None, None, None]
    return FiltersReport(
        layer=name,
        shape=tuple(shown.shape[1:]),
        largest=largest,
        filters=tuple(encoded(np.rint(127.5 + 127.5 * one).astype(np.uint8)) for one in scaled),
        strengths=tuple(np.minimum(peaks / largest, 1.0)),
    )


def _first_kernel(subject):
    """Name and kernel (height, width, channels, filters) of the first layer, or (None, None)."""
    shape = subject.images.shape[1:]
    if subject.model is None:
        found = [(kernel.name, kernel.weights) for kernel in seen(subject.classifier).kernels[:1]]
    else:
        found = [
            (layer.name, np.asarray(layer.kernel))
            for layer in keras_private.all_layers(subject.model)
            if isinstance(layer, (keras.layers.Conv2D, keras.layers.Dense))
        ][:1]
    for name, kernel in found:
        if kernel.ndim == 2 and len(kernel) == np.prod(shape):
            return name, kernel.reshape(*shape, -1)
        if kernel.ndim == 4 and kernel.shape[2] == shape[2]:
            return name, kernel
    return None, None


def saliency(subject: Subject) -> list[SaliencyReport]:
    """The gradient of the answer's lead by the pixels, of the first images.

    Formula: `max_channel |d (z_y - max_{k != y} z_k) / d x|` with y the answer (Simonyan, Vedaldi
    and Zisserman, 2013, arXiv 1312.6034, with the lead in place of the score).
    """
    if subject.classifier.gradient_error is not None:
        return []
    images = subject.images[:_MOST_IMAGES]
    answers = subject.clean_logits[:_MOST_IMAGES].argmax(axis=1)
    inputs = tf.constant(images)
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        logits = subject.classifier.logits(inputs)
        hot = tf.one_hot(answers, logits.shape[-1])
        lead = tf.reduce_sum(hot * logits, 1) - tf.reduce_max(logits - 1e9 * hot, 1)
    gradients = tape.gradient(lead, inputs, unconnected_gradients="zero").numpy()
    found = zip(range(len(images)), images, answers, gradients, strict=True)
    return [_salient(subject, *each) for each in found if np.isfinite(each[-1]).all()]


def _salient(subject, index, image, answer, gradient):
    shown = np.abs(gradient).max(axis=2, keepdims=True)
    shares = np.sort(np.square(gradient).sum(axis=2).ravel())[::-1]
    total = np.cumsum(shares.astype(np.float64))
    half = (np.searchsorted(total, total[-1] / 2) + 1) / len(total) if total[-1] else 1.0
    scaled = 255.0 * shown / max(float(shown.max()), 1e-30)
    return SaliencyReport(
        index=index,
        label=int(subject.labels[index]),
        answer=int(answer),
        half=float(half),
        shape=image.shape,
        pixels=encoded(np.rint(255.0 * image).astype(np.uint8)),
        saliency=encoded(np.rint(scaled).astype(np.uint8)),
    )
