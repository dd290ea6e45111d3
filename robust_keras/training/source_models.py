"""Trained models whose gradients craft examples for another: those of ensemble training."""

import functools
from collections.abc import Callable, Sequence

import keras
import tensorflow as tf

from robust_keras.data.datasets import ImageSplit
from robust_keras.serving import Classifier
from robust_keras.training.head import find_head
from robust_keras.training.other_models import load_fitting

_OPEN_SIDE = 32  # pixels, where a model takes images of any size


def load_source_models(
    paths: Sequence[str],
    split: ImageSplit,
    num_classes: int,
    trusted_operations: Sequence[str] = (),
) -> list[Classifier]:
    """Loads the static models of ensemble adversarial training; arguments as `load_fitting`.

    Raises:
        InputError: one of them is missing, no classifier of such images and classes, or has no
            gradients.
    """
    return [
        load_fitting(
            path,
            split,
            num_classes,
            wanted="a source model",
            differentiable=True,
            trusted_operations=trusted_operations,
        )
        for path in paths
    ]


def logits_functions(
    source_models: Sequence, image_shape: tuple[int, ...], classes: int
) -> tuple[Callable, ...]:
    """The source models as functions from images to logits (batch, classes).

    Functions, so that the Keras model that holds them does not take them for layers of its own,
    and train and save them.

    Args:
        source_models: keras.Models, or functions, from images to logits or probabilities; one
            column is two classes.
        image_shape: shape of one image.
        classes: number of the classifier's classes.

    Raises:
        ValueError: there is none, or one of them tells other classes.
    """
    if not source_models:
        raise ValueError(
            "`source_models` must hold at least one trained model where method='ensemble'. "
            f"Received: source_models={source_models!r}"
        )
    return tuple(_logits_function(source, image_shape, classes) for source in source_models)


def _logits_function(source, image_shape, classes):
    call = functools.partial(source, training=False) if isinstance(source, keras.Model) else source
    sides = [_OPEN_SIDE if side is None else side for side in image_shape]
    shape = tuple(call(tf.zeros((1, *sides))).shape)
    if shape != (1, classes) and (shape, classes) != ((1, 1), 2):
        raise ValueError(
            f"`source_models` must give logits of shape (batch, {classes}). "
            f"Received: one that gives {shape} for one image"
        )
    head = find_head(source, image_shape)
    return lambda images: head.class_logits(call(images))


def label_free_loss(attack: str, logits: tf.Tensor) -> tf.Tensor:
    """What one step of an attack that sees no label climbs, of shape (batch,).

    Formula: `L(z, argmax z)` for "fgsm", `-L(z, argmin z)` for "step_ll", L the cross-entropy.

    Args:
        attack: "fgsm" or "step_ll".
        logits: z, float tensor (batch, classes).
    """
    away = attack == "fgsm"
    classes = tf.argmax(logits, axis=-1) if away else tf.argmin(logits, axis=-1)
    loss = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=classes, logits=logits)
    return loss if away else -loss
