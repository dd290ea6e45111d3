"""Image classifiers by name: normalisation inside, any activation, logits out."""

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

import keras

from robust_keras import layers
from robust_keras.errors import InputError
from robust_keras.models import blocks, lipschitz_limit
from robust_keras.models.activations import ACTIVATIONS, confidence_rule, with_settings
from robust_keras.models.alexnet import ALEXNET
from robust_keras.models.architecture import Architecture
from robust_keras.models.cifar_quick import CIFAR_QUICK
from robust_keras.models.conv_small import CONV_SMALL
from robust_keras.models.fc5 import FC5
from robust_keras.models.lenet5 import LENET5
from robust_keras.models.resnet import RESNET18, RESNET18_NARROW, RESNET20, RESNET56
from robust_keras.models.vgg import VGG
from robust_keras.settings import names

__all__ = ["ACTIVATIONS", "MODELS", "build", "confidence_rule"]

MODELS: dict[str, Architecture] = names.table(
    names.MODELS,
    {
        "fc5": FC5,
        "lenet5": LENET5,
        "conv_small": CONV_SMALL,
        "cifar_quick": CIFAR_QUICK,
        "alexnet": ALEXNET,
        "vgg": VGG,
        "resnet18": RESNET18,
        "resnet18_narrow": RESNET18_NARROW,
        "resnet20": RESNET20,
        "resnet56": RESNET56,
    },
)

# What a model without a last layer for it does: rejects nothing, and is as sure as its softmax.
_UNSAID = (0, None, "softmax", 1.0)


def build(
    name: str,
    *,
    image_shape: tuple[int, ...],
    num_classes: int,
    activation: str = "relu",
    kernel_settings: Mapping[str, Any] | None = None,
    mean: tuple[float, ...] | None = None,
    variance: tuple[float, ...] | None = None,
    kernel_initializer: str = "he",
    kernel_scale: float = 1.0,
    batch_normalization: bool = False,
    lipschitz: float = 0.0,
    nonsense_classes: int = 0,
    rejection_threshold: float = 0.0,
    temperature: float = 1.0,
) -> keras.Model:
    """Builds a classifier of images in [0, 1].

    The first layer computes (images - mean) / sqrt(variance), so that an epsilon outside the model
    always means pixels.

    Args:
        name: a key of `MODELS`.
        image_shape: (height, width, channels).
        num_classes: number of classes that mean something, at least 2.
        activation: a key of `ACTIVATIONS`.
        kernel_settings: arguments of every `layers.KernelActivation`, where the activation is one;
            `initializer` follows from its name.
        mean: of every channel, one value a channel; None (with `variance`) to leave the pixels.
        variance: of every channel, at least 0.
        kernel_initializer: "he", or "ibp" for hidden kernels drawn from N(0, 2 pi / n^2), n inputs
            each, which keep the width of interval bounds from layer to layer (Shi et al., "Fast
            Certified Robust Training with Short Warmup", 2021, arXiv 2103.17268).
        kernel_scale: factor on all kernels at the start, above 0. Small ones (0.1) make networks
            without batch normalisation learn their features anew: single-step adversarial training
            then masks its gradients less.
        batch_normalization: whether it comes before every activation, also where neither network
            nor activation ask for it.
        lipschitz: largest Lipschitz constant of the logits by the pixels, in l2; 0 for any. Kernels
            are then kept orthogonal (`layers.OrthogonalKernel`), kernel activations no steeper than
            1 (`layers.SlopeLimit`) and without batch normalisation; pixels are shifted by `mean`
            and not scaled.
        nonsense_classes: how many more logits there are, at the end, for nonsense.
        rejection_threshold: lowest confidence that the model accepts, in [0, 1); 0 for no rule.
        temperature: of the softmax that tells how sure the model is, above 0. Where the model has
            nonsense classes, a threshold, another temperature than 1 or an RBF unit at its end, it
            ends in a `layers.RejectionRule` that says so.

    Returns:
        A functional `keras.Model` called `name`, from float32 `images` (batch, height, width,
        channels) to float32 logits (batch, num_classes + nonsense_classes).

    Raises:
        InputError: an unknown name, an image too small for the network, fewer than 2 classes, a
            layer that `lipschitz` cannot hold.

    Example:
        model = build("lenet5", image_shape=(28, 28, 1), num_classes=10, activation="kaf_elu")
    """
    _check(name, image_shape, num_classes, activation)
    if kernel_initializer not in INITIALIZERS:
        raise InputError.expected(
            "kernel_initializer", "one of " + ", ".join(INITIALIZERS), kernel_initializer
        )
    kind = with_settings(activation, kernel_settings or {})
    kind = dataclasses.replace(
        kind, normalised=batch_normalization or (kind.normalised and not lipschitz)
    )
    if lipschitz and mean is not None:
        variance = (1.0,) * len(mean)
    images = keras.Input(tuple(image_shape), dtype="float32", name="images")
    x = _normalised(images, mean, variance)
    x = MODELS[name].layers(x, kind)
    logits = blocks.classifier(x, num_classes + nonsense_classes, kind)
    rejects = bool(nonsense_classes or rejection_threshold)
    threshold = rejection_threshold if rejects else None
    rule = nonsense_classes, threshold, confidence_rule(activation), temperature
    if rule != _UNSAID:
        called = "rejection_rule" if rejects else "confidence_rule"
        logits = layers.RejectionRule(*rule, dtype="float32", name=called)(logits)
    model = keras.Model(images, logits, name=name)
    if lipschitz:
        model = lipschitz_limit.limited(model, lipschitz)
    INITIALIZERS[kernel_initializer](model)
    _scale_kernels(model, kernel_scale)
    if lipschitz:
        lipschitz_limit.settle(model)
    return model


def _scale_kernels(model, factor):
    if not factor > 0:
        raise ValueError(f"`kernel_scale` must be above 0. Received: kernel_scale={factor}")
    if factor == 1.0:
        return
    for layer in model.layers:
        if isinstance(layer, (keras.layers.Conv2D, keras.layers.Dense)):
            layer.kernel.assign(factor * layer.kernel)


def _keep_bounds(model):
    """Draws hidden kernels anew such that intervals stay as wide as they are, after a ReLU."""
    for layer in model.layers[:-1]:
        if isinstance(layer, (keras.layers.Conv2D, keras.layers.Dense)):
            inputs = math.prod(layer.kernel.shape[:-1])
            deviation = math.sqrt(2.0 * math.pi) / inputs
            layer.kernel.assign(keras.random.normal(layer.kernel.shape, stddev=deviation))


INITIALIZERS = names.table(names.INITIALIZERS, {"he": lambda model: None, "ibp": _keep_bounds})


def _normalised(images, mean, variance):
    if mean is None and variance is None:
        return images
    channels = images.shape[-1]
    for argument, values in (("mean", mean), ("variance", variance)):
        if values is None or len(values) != channels:
            raise ValueError(
                f"`{argument}` must have one value for each of the {channels} channels. "
                f"Received: {argument}={values}"
            )
    if min(variance) < 0:
        raise ValueError(f"`variance` must be at least 0. Received: variance={variance}")
    return keras.layers.Normalization(
        mean=list(mean), variance=list(variance), dtype="float32", name="normalization"
    )(images)


def _check(name, image_shape, num_classes, activation):
    if name not in MODELS:
        raise InputError.expected("--model", "one of " + ", ".join(MODELS), name)
    if activation not in ACTIVATIONS:
        raise InputError.expected("--activation", "one of " + ", ".join(ACTIVATIONS), activation)
    if len(image_shape) != 3 or not all(isinstance(n, int) and n > 0 for n in image_shape):
        raise InputError.expected(
            f"--model={name}", "images of shape (height, width, channels)", tuple(image_shape)
        )
    smallest = MODELS[name].minimum_size
    if min(image_shape[:2]) < smallest:
        size = f"{image_shape[0]}x{image_shape[1]}"
        raise InputError.expected(
            f"--model={name}", f"images of at least {smallest}x{smallest} pixels", size
        )
    if num_classes < 2:
        raise InputError.expected(f"--model={name}", "at least 2 classes", num_classes)
