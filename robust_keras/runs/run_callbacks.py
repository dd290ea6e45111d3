"""The callbacks that a run's flags ask for, beside those that every run has."""

from typing import Any

import keras

from robust_keras.data.datasets import ImageSplit
from robust_keras.layers import KernelActivation, keras_private
from robust_keras.training.averaging import ValidateAverage
from robust_keras.training.layer_log import LayerLog
from robust_keras.training.winner_ratio import FallingRatio

_LOGGED_IMAGES = 128
_DEFAULT_RATIO = 0.2


def falling_ratio(config: Any, total_steps: int) -> list:
    """[FallingRatio] where the config sets a ratio of k-winners-take-all, else []."""
    if not (config.kwta_ratio or config.kwta_final_ratio):
        return []
    initial = config.kwta_ratio or _DEFAULT_RATIO
    begin = round(config.kwta_begin * total_steps)
    end = max(round(config.kwta_end * total_steps), begin + 1)
    return [FallingRatio(initial, config.kwta_final_ratio or initial, begin, end)]


def validate_average(config: Any) -> list:
    """[ValidateAverage] where the config averages weights, else []."""
    return [ValidateAverage()] if config.ema_momentum else []


def layer_log(
    config: Any, model: keras.Model, split: ImageSplit, directory: Any, initial_epoch: int
) -> list:
    """[LayerLog] on the split's first images where the config or the model asks for it, else []."""
    if config.denoiser:  # whose loss is not the classifier's
        return []
    kernels = any(isinstance(layer, KernelActivation) for layer in keras_private.all_layers(model))
    if config.layer_log == "never" or (config.layer_log == "auto" and not kernels):
        return []
    logged = split.select(slice(0, _LOGGED_IMAGES))
    return [
        LayerLog(
            logged.float_images(),
            logged.labels,
            csv_path=directory.layers_path,
            tensorboard_path=directory.tensorboard_path / "layers",
            initial_epoch=initial_epoch,
        )
    ]
