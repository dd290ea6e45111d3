"""What is taken from tensorflow_model_optimization: its schedules and its mask rule.

This is the only file that imports that package. `robust_keras.legacy_keras_guard` keeps the import
from changing `tf.keras`, and the package's own wrappers, which refuse Keras 3, are not used.
"""

from collections.abc import Callable
from typing import Any

import tensorflow as tf
from tensorflow_model_optimization.python.core.sparsity.keras import (
    pruning_impl,
    pruning_schedule,
)

from robust_keras import arguments
from robust_keras.training.pruning_pattern import PruningPattern


def polynomial_decay(
    initial_sparsity: float,
    final_sparsity: float,
    begin_step: int,
    end_step: int,
    frequency: int = 100,
    power: float = 3,
) -> Any:
    """Sparsity that rises fast at first and slowly at the end.

    s(t) = s_f + (s_i - s_f) (1 - (t - t_0) / (t_1 - t_0))^power, for t in [t_0, t_1].

    Zhu and Gupta, "To prune, or not to prune", 2017, arXiv 1710.01878.

    Args:
        initial_sparsity: s_i, the fraction of zeros at `begin_step`, in [0, 1).
        final_sparsity: s_f, the fraction of zeros at `end_step`, in [0, 1).
        begin_step: t_0, a step, at least 0. The first training step is step 1.
        end_step: t_1, a step after `begin_step`.
        frequency: steps between two updates, at least 1.
        power: exponent, above 0; 3 in the paper.

    Returns:
        tensorflow_model_optimization's `PolynomialDecay`: step -> (should_prune, sparsity).

    Raises:
        ValueError: an argument is out of its range.

    Example:
        `polynomial_decay(0.0, 0.8, begin_step=100, end_step=1000)(550)` is about 0.7 sparse.
    """
    _check_fraction("initial_sparsity", initial_sparsity)
    _check_fraction("final_sparsity", final_sparsity)
    _check_steps(begin_step, frequency)
    _check_whole("end_step", end_step, f"above begin_step={begin_step}", begin_step + 1)
    arguments.real("power", power, "above 0", above=0)
    return pruning_schedule.PolynomialDecay(
        float(initial_sparsity),
        float(final_sparsity),
        begin_step,
        end_step,
        power=power,
        frequency=frequency,
    )


def constant_sparsity(
    target_sparsity: float, begin_step: int, end_step: int = -1, frequency: int = 100
) -> Any:
    """The same sparsity at every update.

    Args:
        target_sparsity: fraction of zeros, in [0, 1).
        begin_step: a step, at least 0. The first training step is step 1.
        end_step: the last step that may update masks, at least `begin_step`; -1 for no end.
        frequency: steps between two updates, at least 1.

    Returns:
        tensorflow_model_optimization's `ConstantSparsity`: step -> (should_prune, sparsity).

    Raises:
        ValueError: an argument is out of its range.

    Example:
        `constant_sparsity(0.5, begin_step=0, frequency=10)(10)` is (True, 0.5).
    """
    _check_fraction("target_sparsity", target_sparsity)
    _check_steps(begin_step, frequency)
    if end_step != -1:
        _check_whole("end_step", end_step, f"-1 or at least begin_step={begin_step}", begin_step)
    return pruning_schedule.ConstantSparsity(
        float(target_sparsity), begin_step, end_step=end_step, frequency=frequency
    )


def is_original(schedule: Any) -> bool:
    """Whether the schedule is one of the package's two, which accept steps as tensors."""
    return type(schedule) in (
        pruning_schedule.PolynomialDecay,
        pruning_schedule.ConstantSparsity,
    )


def looked_ahead(schedule: Any, window: int = 1024) -> Callable:
    """The same schedule for one whole step after the other, without its cost at every step.

    One answer of the package's schedules takes longer than masking a small network, and so do
    the answers to a thousand steps at once. Any other callable is returned as it is.
    """
    if not is_original(schedule):
        return schedule
    answers: dict[int, Any] = {}

    def evaluate(step):
        if step not in answers:
            answers.clear()
            steps = tf.range(step, step + window, dtype=tf.int64)
            should_prune, sparsity = schedule(steps)
            sparsity = tf.broadcast_to(sparsity, steps.shape)
            pairs = zip(should_prune.numpy().tolist(), sparsity.numpy().tolist(), strict=True)
            answers.update(zip(steps.numpy().tolist(), pairs, strict=True))
        return answers[step]

    return evaluate


def new_mask(weights: tf.Tensor, schedule: Any, step: int, pattern: PruningPattern) -> tf.Tensor:
    """The package's mask for one kernel: True where a weight is kept.

    Of n weights, the k = max(round(n (1 - sparsity)), 1) of largest magnitude are kept, and with
    them whatever ties with the smallest of these; a pattern of m by n takes no sparsity.

    Args:
        weights: tensor, the kernel.
        schedule: step -> (should_prune, sparsity), of which the sparsity is used.
        step: scalar int64 tensor.
        pattern: a `PruningPattern` that fits the kernel.

    Returns:
        A boolean tensor of the kernel's shape.
    """
    rule = pruning_impl.Pruning(
        training_step_fn=lambda: step,
        pruning_vars=[],
        pruning_schedule=schedule,
        block_size=pattern.block_size,
        block_pooling_type=pattern.block_pooling,
        sparsity_m_by_n=pattern.m_by_n,
    )
    # The public methods assign to tf_keras variables; this one is the rule and nothing else.
    _, mask = rule._maybe_update_block_mask(weights)
    return tf.cast(mask, tf.bool)


def _check_fraction(name, value):
    arguments.real(name, value, "in [0, 1)", least=0, below=1)


def _check_steps(begin_step, frequency):
    _check_whole("begin_step", begin_step, "at least 0", 0)
    _check_whole("frequency", frequency, "at least 1", 1)


def _check_whole(name, value, expected, minimum):
    expected = f"a whole number, {expected}"
    value = arguments.real(name, value, expected, least=minimum, most=arguments.MOST_TRAINED_STEPS)
    if value != int(value):
        arguments.refuse(name, expected, value)
