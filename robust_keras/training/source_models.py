"""Trained models whose gradients craft examples for another: those of ensemble training."""

import functools

import keras
import tensorflow as tf

from robust_keras import serving
from robust_keras.errors import InputError


def load_source_models(paths, classifier):
    """Loads the static models of ensemble adversarial training.

    Args:
        paths: `.keras` files and SavedModels, ours or anybody's; see `serving.load`.
        classifier: the built keras.Model that is going to be trained.

    Returns:
        A list of functions from images (batch, height, width, channels) to logits.

    Raises:
        InputError: one of them is missing, no classifier of such images and classes, or has no
            gradients.
    """
    image_shape, classes = classifier.input_shape[1:], classifier.output_shape[-1]
    loaded = []
    for path in paths:
        source = serving.load(path)
        expected = f"a source model of {tuple(image_shape)} images and {classes} classes"
        fits = all(a in (None, b) for a, b in zip(source.image_shape, image_shape, strict=True))
        if not fits or source.num_classes != classes:
            received = f"one of {source.image_shape} images and {source.num_classes} classes"
            raise InputError.expected(str(path), expected, received)
        if source.gradient_error is not None:
            raise InputError.expected(
                str(path), "a source model with gradients", source.gradient_error
            )
        loaded.append(source.logits)
    return loaded


def logits_functions(source_models, classifier):
    """The source models as functions from images to logits, each tried once.

    Functions, so that the Keras model that holds them does not take them for layers of its own,
    and train and save them.

    Args:
        source_models: keras.Models, or functions from images to logits.
        classifier: the built keras.Model that is going to be trained.

    Raises:
        ValueError: there is none, or the logits of one have not the shape of the classifier's.
    """
    if not source_models:
        raise ValueError(
            "`source_models` must hold at least one trained model where method='ensemble'. "
            f"Received: source_models={source_models!r}"
        )
    functions = [
        functools.partial(source, training=False) if isinstance(source, keras.Model) else source
        for source in source_models
    ]
    image, classes = tf.zeros((1, *classifier.input_shape[1:])), classifier.output_shape[-1]
    for function in functions:
        shape = tuple(function(image).shape)
        if shape != (1, classes):
            raise ValueError(
                f"`source_models` must give logits of shape (batch, {classes}). "
                f"Received: one that gives {shape} for one image"
            )
    return tuple(functions)


def label_free_loss(attack, logits):
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
