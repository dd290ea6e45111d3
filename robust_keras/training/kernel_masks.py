"""The masks of a model's kernels, and the compiled functions that update and apply them."""

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from robust_keras.training import tfmot_pruning
from robust_keras.training.prunable_kernels import PrunableKernel
from robust_keras.training.pruning_pattern import PruningPattern


class KernelMasks:
    """One boolean mask a kernel and the number of steps trained, under the model's strategy.

    All kernels are masked by one compiled call. Every replica masks its own copy, so nothing
    travels between devices but on a mask update, where one replica's masks become everybody's.

    * `apply(more_steps)` masks the weights and counts that many steps.
    * `read_weights()` returns the weights, a list of tensors.
    * `update(step, sparsity, dense)` makes new masks from dense weights, and masks those.
    * `follow(pairs)` masks the moving averages of the kernels, too, from now on.
    * `resume(more_steps)` makes masks of the kernels' zeros, where only weights were restored.

    Args:
        strategy: the model's tf.distribute strategy.
        kernels: the `PrunableKernel`s.
        pattern: the `PruningPattern`.
        schedule: step -> (should_prune, sparsity).
        initial_step: steps already trained; above 0, masks begin as the kernels' zeros.
    """

    def __init__(
        self,
        strategy: tf.distribute.Strategy,
        kernels: Sequence[PrunableKernel],
        pattern: PruningPattern,
        schedule: Any,
        initial_step: int,
    ):
        self._strategy = strategy
        self._pattern = pattern
        self._schedule = schedule
        self._kernels = [kernel.variable for kernel in kernels]
        self._weights = [kernel.variable.value for kernel in kernels]
        self._averages: list = []
        with strategy.scope():
            self.step = _variable(tf.constant(initial_step, tf.int64), "pruning_step")
            self.masks = [
                _variable(
                    tf.not_equal(weight, 0) if initial_step else tf.ones(weight.shape, tf.bool),
                    f"{kernel.path}/pruning_mask",
                )
                for kernel, weight in zip(kernels, self._weights, strict=True)
            ]
        # Nothing in them branches on a tensor: having AutoGraph rewrite the package's code and this
        # would take longer than pruning a small network.
        self.apply = tf.function(self._apply, autograph=False)
        self.read_weights = tf.function(self._read_weights, autograph=False)
        self.update = tf.function(self._update, autograph=False)

    def follow(self, pairs: Any) -> None:
        """Masks averages as their kernels; pairs of a variable and its average."""
        masks = {id(kernel): mask for kernel, mask in zip(self._kernels, self.masks, strict=True)}
        self._averages = [
            (average.value, masks[id(variable)])
            for variable, average in pairs
            if id(variable) in masks
        ]
        self.apply = tf.function(self._apply, autograph=False)

    def resume(self, more_steps: int) -> None:
        """Takes the kernels' zeros for what was pruned, and counts that many steps."""
        for mask, weight in zip(self.masks, self._weights, strict=True):
            mask.assign(tf.not_equal(weight, 0))
        self.step.assign_add(more_steps)

    def are_kept(self) -> bool:
        """Whether every weight that is masked is zero."""
        return all(
            not bool(tf.reduce_any((weight != 0) & ~tf.convert_to_tensor(mask)))
            for weight, mask in zip(self.read_weights(), self.masks, strict=True)
        )

    def sparsity(self) -> float:
        """The fraction of weights that the masks set to zero."""
        kept = sum(int(tf.math.count_nonzero(mask)) for mask in self.masks)
        return 1.0 - kept / sum(mask.shape.num_elements() for mask in self.masks)

    def _apply(self, more_steps):
        # A scope that is entered while tracing costs nothing when the graph runs.
        with self._strategy.scope():
            kernels = zip(self._weights, self.masks, strict=True)
            for weight, mask in (*kernels, *self._averages):
                self._strategy.extended.update(weight, _mask_weight, args=(mask,))
            self.step.assign_add(more_steps)
            # TensorFlow does not optimise the graph of a function that returns nothing.
            return tf.identity(self.step)

    def _read_weights(self):
        with self._strategy.scope():
            return [tf.identity(weight) for weight in self._weights]

    def _update(self, step, sparsity, dense):
        # The package's schedules are evaluated here once more, in one graph with the rule, as in
        # the original: the graph optimiser regroups n (1 - s), which decides about exact halves.
        original = tfmot_pruning.is_original(self._schedule)
        schedule = self._schedule if original else lambda step: (True, sparsity)
        new_masks = [
            tfmot_pruning.new_mask(values, schedule, step, self._pattern) for values in dense
        ]
        with self._strategy.scope():
            for weight, mask, new_mask, values in zip(
                self._weights, self.masks, new_masks, dense, strict=True
            ):
                mask.assign(new_mask)
                weight.assign(tf.where(new_mask, values, tf.zeros_like(values)))
        return new_masks


def _variable(value, name):
    # Without an aggregation, a variable cannot be assigned to from inside a replica.
    return tf.Variable(
        value,
        trainable=False,
        name=name,
        aggregation=tf.VariableAggregation.ONLY_FIRST_REPLICA,
    )


def _mask_weight(weight, mask):
    # Selected, not multiplied: 0 * inf is no zero, and a negative weight times 0 is -0.0.
    weight.assign(tf.where(mask, weight, tf.zeros_like(weight)))
