"""The pruning that a run's flags ask for."""

from typing import Any

import keras

from robust_keras.errors import InputError
from robust_keras.layers import keras_private
from robust_keras.training import pruning
from robust_keras.training.prunable_kernels import prunable_kernels


def pruning_callback(config: Any, total_steps: int) -> Any:
    """The callback that prunes as the config asks, or None where nothing is to be pruned."""
    if not config.final_sparsity and config.pruning_m_by_n is None:
        return None
    return pruning.PruneLowMagnitude(
        None if config.pruning_m_by_n else _schedule(config, total_steps),
        layer_kinds=config.pruning_layers,
        skip_layers=config.pruning_skip,
        block_size=config.pruning_block or (1, 1),
        block_pooling=config.pruning_pooling.upper(),
        sparsity_m_by_n=config.pruning_m_by_n,
    )


def _schedule(config, total_steps):
    begin = round(config.pruning_begin * total_steps)
    end = max(round(config.pruning_end * total_steps), begin + 1)
    if config.pruning_schedule == "constant":
        return pruning.constant_sparsity(
            config.final_sparsity, begin, end, config.pruning_frequency
        )
    return pruning.polynomial_decay(
        config.initial_sparsity, config.final_sparsity, begin, end, config.pruning_frequency
    )


def prepare(pruner: Any, model: keras.Model) -> None:
    """Finds the kernels of a model that is going to be pruned.

    Args:
        pruner: a `PruneLowMagnitude`, or None.
        model: the built `keras.Model`.

    Raises:
        InputError: a layer to skip does not exist, or kernels do not fit the pattern.
    """
    if pruner is None:
        return
    names = [layer.name for layer in keras_private.all_layers(model)]
    missing = [name for name in pruner.skip_layers if name not in names]
    if missing:
        known = prunable_kernels(model, pruner.layer_kinds)
        expected = "names of layers such as " + ", ".join(k.layer_name for k in known)
        raise InputError.expected("--pruning_skip", expected, ",".join(missing))
    kernels = prunable_kernels(model, pruner.layer_kinds, pruner.skip_layers)
    misfits = [kernel for kernel in kernels if not _fits(pruner.pattern, kernel)]
    if misfits:
        m_by_n = pruner.pattern.m_by_n
        sizes = (
            ":".join(map(str, m_by_n)) if m_by_n else "x".join(map(str, pruner.pattern.block_size))
        )
        skipped = ",".join([*pruner.skip_layers, *dict.fromkeys(k.layer_name for k in misfits)])
        first = misfits[0]
        raise InputError.expected(
            "--pruning_m_by_n" if m_by_n else "--pruning_block",
            f"layers large enough for {sizes} (--pruning_skip={skipped} leaves the others dense)",
            f"{first.layer_name} with a kernel of shape {tuple(first.variable.shape)}",
        )
    pruner.set_model(model)


def _fits(pattern, kernel):
    try:
        pattern.check(kernel.layer_name, kernel.variable.shape)
    except ValueError:
        return False
    return True
