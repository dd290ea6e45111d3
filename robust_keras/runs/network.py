"""The network that a run trains."""

from typing import Any, cast

import keras

from robust_keras import data, models
from robust_keras.data.datasets import ImageDataset
from robust_keras.training.denoising import load_behind_denoiser


def network(config: Any, dataset: ImageDataset) -> keras.Model:
    """Builds what the config asks for: a classifier, or a denoiser in front of a trained one.

    Call it in the scope of the run's strategy.

    Returns:
        A functional `keras.Model` from images to logits.

    Raises:
        InputError: the data set's images do not fit the network, or the trained classifier cannot
            be used.
    """
    if config.denoiser:
        return load_behind_denoiser(config.classifier, dataset)
    mean, variance = None, None
    if config.normalise:
        mean, variance = data.channel_statistics(cast(data.ImageSplit, dataset.train))
    return models.build(
        config.model,
        image_shape=dataset.image_shape,
        num_classes=dataset.num_classes,
        activation=config.activation,
        kernel_settings=config.kernel_settings(),
        mean=mean,
        variance=variance,
        kernel_initializer=config.kernel_initializer,
        batch_normalization=config.batch_normalization,
        kernel_scale=config.kernel_scale,
        lipschitz=config.lipschitz,
        nonsense_classes=config.nonsense_classes,
        rejection_threshold=config.rejection_threshold,
        temperature=config.serving_temperature,
    )
