"""A small U-Net that takes adversarial noise out of images, in front of a classifier."""

from collections.abc import Sequence
from typing import Any

import keras

from robust_keras.errors import InputError

_WIDTHS = (16, 32, 64)


def unet(image_shape: tuple[int, ...], *, widths: Sequence[int] = _WIDTHS) -> keras.Model:
    """A denoiser `D(x) = x + U(x)`, the identity at the start.

    U is a U-Net: two convolutions (3x3, batch normalisation, ReLU) a stage, each stage but the
    first at half the resolution of the one before; on the way back bilinear enlargement, the skip
    and two convolutions; at last a 1x1 convolution that starts at zero. The published one has five
    stages of 64 to 256 channels; this one is for small images and small machines.

    Liao et al., Defense against Adversarial Attacks Using High-Level Representation Guided
    Denoiser, 2017, arXiv 1712.02976.

    Args:
        image_shape: (height, width, channels).
        widths: channels of each stage, at least two.

    Returns:
        A `keras.Model` named "denoiser" from images to images of the same shape, of Keras' own
        layers.

    Raises:
        ValueError: fewer than two stages.
    """
    if len(widths) < 2:
        raise ValueError(f"`widths` must hold at least two stages. Received: widths={widths}")
    images = keras.Input(image_shape, name="images")
    x, skips = images, []
    for stage, width in enumerate(widths):
        x = _convolutions(x, width, f"down{stage}", strides=2 if stage else 1)
        skips.append(x)
    for stage in reversed(range(len(widths) - 1)):
        skip = skips[stage]
        # By itself it takes training for true, and Keras hands that on to the layers behind it:
        # called or exported without the argument, they would normalise by the batch.
        enlarge = keras.layers.Resizing(*skip.shape[1:3], name=f"enlarged{stage}")
        x = enlarge(x, training=False)
        x = keras.layers.Concatenate(name=f"skip{stage}")([x, skip])
        x = _convolutions(x, widths[stage], f"up{stage}")
    change = keras.layers.Conv2D(
        image_shape[-1],
        1,
        use_bias=False,
        kernel_initializer="zeros",
        dtype="float32",
        name="change",
    )(x)
    denoised = keras.layers.Add(dtype="float32", name="denoised")([images, change])
    return keras.Model(images, denoised, name="denoiser")


def _convolutions(x, width, name, strides=1):
    for number in (1, 2):
        x = keras.layers.Conv2D(
            width,
            3,
            strides=strides if number == 1 else 1,
            padding="same",
            use_bias=False,
            kernel_initializer="he_normal",
            name=f"{name}_conv{number}",
        )(x)
        x = keras.layers.BatchNormalization(momentum=0.9, name=f"{name}_norm{number}")(x)
        x = keras.layers.ReLU(name=f"{name}_relu{number}")(x)
    return x


def behind_denoiser(classifier: keras.Model, **settings: Any) -> keras.Model:
    """A model of a new denoiser and a classifier behind it, which is frozen.

    Args:
        classifier: a built keras.Model from images to logits or probabilities. It is set not to
            train, and always runs in inference mode, its batch normalisation included.
        **settings: of `unet`.

    Returns:
        A functional `keras.Model` from images to logits, to be trained by `DenoiserTraining`.

    Raises:
        InputError: the classifier was never called on images of one fixed size.
    """
    classifier.trainable = False
    image_shape = _image_shape(classifier)
    images = keras.Input(image_shape, dtype="float32", name="images")
    denoised = unet(image_shape, **settings)(images)
    return keras.Model(images, classifier(denoised, training=False), name="denoised")


def _image_shape(classifier):
    """(height, width, channels) that a model was built for, a subclassed one too."""
    try:
        shape = classifier.input_shape
    except AttributeError:
        shape = (classifier.get_build_config() or {}).get("input_shape")
    if not isinstance(shape, tuple | list) or len(shape) != 4 or None in shape[1:]:
        raise InputError.expected(
            f"model '{classifier.name}'",
            "images (height, width, channels) of one fixed size (call the model once before)",
            f"input shape {shape}",
        )
    return tuple(shape[1:])
