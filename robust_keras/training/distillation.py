"""Defensive distillation: a student learns a teacher's probabilities at a temperature."""

import pathlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from robust_keras import arguments, serving
from robust_keras.data.datasets import ImageSplit, to_float
from robust_keras.errors import InputError
from robust_keras.training.other_models import load_fitting


def soft_labels(
    teacher: Any, images: np.ndarray, *, temperature: float, batch_size: int = 256
) -> np.ndarray:
    """The teacher's probabilities, softmax(z / T), for every image.

    Train teacher and student with `TemperatureCrossEntropy(T)`, the student on these labels, and
    use the student at T = 1. An attacker's gradients then vanish by saturation; that is masking,
    not robustness (Carlini and Wagner, 2016, arXiv 1608.04644), and the audit says so.

    Args:
        teacher: built `keras.Model` of logits or probabilities, or a `serving.Classifier`.
        images: array (n, height, width, channels), floats or uint8.
        temperature: T > 0, the one that the teacher was trained at.
        batch_size: images a forward pass.

    Returns:
        float32 array (n, classes); every row sums to one.

    Raises:
        ValueError: the temperature is not from 1e-6 to 1e6, or the batch is none.
        InputError: the teacher is no image classifier.

    Reference: Papernot et al., Distillation as a Defense to Adversarial Perturbations, 2015,
    arXiv 1511.04508.

    Example:
        labels = soft_labels(teacher, images, temperature=20.0)
        student.compile("adam", TemperatureCrossEntropy(20.0), metrics=[LabelAccuracy()])
        student.fit(images, labels, epochs=10)
    """
    temperature = arguments.temperature("temperature", temperature)
    batch_size = arguments.whole("batch_size", batch_size, least=1, most=10**6)
    if not isinstance(teacher, serving.Classifier):
        teacher = serving.from_keras(teacher)
    rows = []
    for start in range(0, len(images), batch_size):
        logits = teacher.logits(tf.constant(to_float(images[start : start + batch_size])))
        rows.append(tf.nn.softmax(logits / temperature).numpy())
    return np.concatenate(rows)


def load_teacher(
    path: str | pathlib.Path,
    split: ImageSplit,
    num_classes: int,
    trusted_operations: Sequence[str] = (),
) -> serving.Classifier:
    """The teacher at a path, if it fits the student; arguments as `load_fitting`.

    Raises:
        InputError: nothing there, no image classifier, or one of other images or classes.
    """
    try:
        return load_fitting(
            path,
            split,
            num_classes,
            wanted="a teacher",
            trusted_operations=trusted_operations,
        )
    except InputError as error:
        raise InputError(f"--distillation_teacher: {error}") from error
