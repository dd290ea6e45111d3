"""The batches that a run trains on: the split, and what the config adds to it."""

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from robust_keras.data import augmentation, mean_training, noise_training
from robust_keras.data.datasets import ImageSplit, to_float
from robust_keras.data.training_set import TrainingSet
from robust_keras.errors import InputError
from robust_keras.runs.model_loading import tell_notes
from robust_keras.training.distillation import load_teacher, soft_labels

# Published: how noise was drawn and how large it was, for MNIST and for CIFAR-10.
_GREY_NOISE = ("once", 0.5)
_COLOUR_NOISE = ("batch", 0.15)


def training_set(split: ImageSplit, config: Any, num_outputs: int) -> Any:
    """The images and labels to train on.

    Nonsense images come first, from clean ones; then the teacher's labels, for images without
    noise; then the noise that is drawn once. Where images are crafted from these, whose pixels must
    be in [0, 1], they are clipped.

    Args:
        split: an `ImageSplit`.
        config: a `TrainConfig`.
        num_outputs: classes of the model, the nonsense ones included.

    Returns:
        The split itself where nothing is added to it, else a `TrainingSet`.

    Raises:
        InputError: the teacher cannot be used, or what is added needs all images in memory.
    """
    _check_memory(split, config)
    found: Any = split
    if config.mean_training:
        found = mean_training.with_nonsense(
            split.float_images(),
            split.labels,
            num_outputs - config.nonsense_classes,
            config.seed,
            settings=_nonsense_settings(config, split.image_shape),
        )
    if config.distillation_teacher is not None:
        path, trusted = config.distillation_teacher, config.trusted_operations
        teacher = load_teacher(path, split, num_outputs, trusted)
        tell_notes(path, teacher)
        labels = soft_labels(teacher, found.images, temperature=config.temperature)
        found = TrainingSet(found.images, labels)
    draw, magnitude = _noise(config, split.image_shape)
    if draw == "once":
        real, nonsense = found.images[: len(split)], found.images[len(split) :]
        noisy = noise_training.sign_noise_once(to_float(real), config.seed, magnitude=magnitude)
        found = TrainingSet(np.concatenate([noisy, nonsense]), found.labels)
    if found is not split and _crafts(config):
        found = TrainingSet(np.clip(to_float(found.images), 0.0, 1.0), found.labels)
    return found


def _check_memory(split, config):
    if not split.is_streamed:
        return
    added = {
        "mean_training": config.mean_training,
        "distillation_teacher": config.distillation_teacher is not None,
        "noise_draw": _noise(config, split.image_shape)[0] == "once",
    }
    for name, is_asked in added.items():
        if is_asked:
            expected = "nothing that is made once of all images, where these stay on the disk"
            raise InputError.expected(f"--{name}", expected, getattr(config, name))


def augment(config: Any, image_shape: tuple[int, ...]) -> Callable | None:
    """The function of (images, seed) that changes every batch, or None for none."""
    steps: list[Callable] = [augmentation.crop_and_flip] if config.augment else []
    draw, magnitude = _noise(config, image_shape)
    if draw == "batch":
        steps.append(
            lambda images, seed: noise_training.sign_noise_batch(images, seed, magnitude=magnitude)
        )
        if _crafts(config):
            steps.append(lambda images, seed: tf.clip_by_value(images, 0.0, 1.0))
    if not steps:
        return None

    def changed(images, seed):
        for place, step in enumerate(steps):
            # Seeds of their own: crops and noise shall not depend on each other.
            images = step(images, seed + place)
        return images

    return changed


def _crafts(config):
    return config.adversarial != "none" or config.denoiser


def _noise(config, image_shape):
    """How noise is drawn ("once", "batch" or None) and how large it is."""
    if not config.noise_training:
        return None, 0.0
    draw, magnitude = _GREY_NOISE if image_shape[-1] == 1 else _COLOUR_NOISE
    if config.noise_draw != "published":
        draw = config.noise_draw
    return draw, config.noise_magnitude or magnitude


def _nonsense_settings(config, image_shape):
    published = mean_training.NONSENSE_CIFAR10
    if image_shape[-1] == 1:
        published = mean_training.NONSENSE_MNIST
    return mean_training.NonsenseSettings(
        config.nonsense_share or published.share,
        published.mean_deviation,
        published.noise_deviation,
    )
