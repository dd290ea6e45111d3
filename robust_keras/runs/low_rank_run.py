"""What train.py does with its flags of low rank."""

from typing import Any

import keras

from robust_keras.errors import InputError
from robust_keras.training.low_rank import convert, convolutions, full_rank
from robust_keras.training.low_rank_training import KernelRanks, LowRankConstraint


def before_training(model: keras.Model, config: Any) -> keras.Model:
    """The model to train: its convolutions split, where `--low_rank_method=layers` asks for it.

    Raises:
        InputError: `--low_rank` is given and the model has no convolution to split.
    """
    if config.low_rank and not convolutions(model):
        raise InputError.expected(
            "--low_rank", "0 for a model without convolutions larger than 1x1", config.model
        )
    if not config.low_rank or config.low_rank_method != "layers":
        return model
    return convert(model, config.low_rank)[0]


def after_training(model: keras.Model, config: Any) -> keras.Model:
    """The trained model, split now where `--low_rank_method=constraint` kept it of that rank.

    Prints the rank of every convolution that was split.
    """
    if not config.low_rank:
        return model
    if config.low_rank_method == "constraint":
        model = convert(model, config.low_rank)[0]
    for line in _descriptions(model):
        print(line)
    return model


def callbacks(config: Any) -> list[keras.callbacks.Callback]:
    """What `--low_rank` and `--nuclear_norm` need in fit, in this order, before the logs."""
    found = []
    if config.low_rank and config.low_rank_method == "constraint":
        found.append(LowRankConstraint(config.low_rank))
    if config.low_rank or config.nuclear_norm:
        found.append(KernelRanks(separable=bool(config.low_rank)))
    return found


def _descriptions(model):
    """A line on every pair of convolutions that `convert` made."""
    by_name = {layer.name: layer for layer in model.layers}
    for name, vertical in by_name.items():
        horizontal = by_name.get(f"{name.removesuffix('_vertical')}_horizontal")
        if name.endswith("_vertical") and horizontal is not None:
            height, _, channels, _ = vertical.kernel.shape
            _, width, _, filters = horizontal.kernel.shape
            highest = full_rank((height, width, channels, filters))
            yield f"{name.removesuffix('_vertical')}: rank {vertical.filters} of {highest}"
