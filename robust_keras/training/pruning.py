"""Gradual magnitude pruning of Keras 3 models inside a plain `model.fit`."""

import warnings
from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from robust_keras import arguments
from robust_keras.training import tfmot_pruning
from robust_keras.training.averaging import moving_averages
from robust_keras.training.callback_order import BestEpochs, running_callbacks
from robust_keras.training.kernel_masks import KernelMasks
from robust_keras.training.prunable_kernels import (
    DEFAULT_LAYER_KINDS,
    LAYER_KINDS,
    layer_sparsities,
    prunable_kernels,
    sparsity,
)
from robust_keras.training.pruning_pattern import PruningPattern
from robust_keras.training.restored_steps import RestoredSteps
from robust_keras.training.tfmot_pruning import constant_sparsity, polynomial_decay

__all__ = [
    "LAYER_KINDS",
    "PruneLowMagnitude",
    "constant_sparsity",
    "layer_sparsities",
    "polynomial_decay",
    "sparsity",
]


class PruneLowMagnitude(keras.callbacks.Callback):
    """Sets the smallest weights of every prunable kernel to zero while the model trains.

    At training step t = 1, 2, ... the schedule is asked before the step: where it says so, each
    kernel's mask is recomputed from its dense weights, which are what the optimizer's last step
    made of them. Weights are multiplied by their masks after every step, so that the model that
    other callbacks see, save or evaluate is always a pruned one, and nothing is left to strip
    before export. That is `prune_low_magnitude` with `UpdatePruningStep` of
    tensorflow_model_optimization, step for step, but for the schedule's `end_step`: it always
    updates the masks, also where (end_step - begin_step) is no multiple of the frequency, so the
    final sparsity is reached.

    Zhu and Gupta, "To prune, or not to prune", 2017, arXiv 1710.01878.

    Args:
        schedule: `polynomial_decay(...)`, `constant_sparsity(...)` or any callable
            step -> (should_prune, sparsity), sparsity in [0, 1); if it has an `end_step`, a whole
            number of at least 0, the masks are always updated then.
        layer_kinds: kinds of layers whose kernels are pruned, frozen ones included; keys of
            `LAYER_KINDS`.
        skip_layers: names of layers that stay dense, with all layers inside them.
        skip_last: whether the last prunable layer stays dense too.
        block_size: (rows, columns) of a dense kernel that are kept or pruned together.
        block_pooling: "AVG" or "MAX", what stands for a block's magnitude.
        sparsity_m_by_n: (m, n) for m zeros in every n weights along the input channels, such as
            (2, 4). The pattern is chosen once, at the first step; the schedule is not asked.
        initial_step: steps already trained. Above 0, masks begin as the kernels' zeros, which
            continues a pruned model for which nothing but its weights was kept.
        on_incomplete: "warn", "raise" or "ignore", when training ends before the schedule's
            `end_step` or before any weight was pruned.

    Raises:
        ValueError: an argument is out of its range; when training begins: nothing is prunable, a
            kernel does not fit the pattern, or `steps_per_execution` is above 1.

    Note:
        Its place among the callbacks does not matter. Until the schedule has ended,
        `EarlyStopping(restore_best_weights=True)` and `ModelCheckpoint(save_best_only=True)` are
        made to forget the epochs so far, whose models are less sparse; moving averages of the
        optimizer (`SwapEMAWeights`) are masked, too. `BackupAndRestore` brings no masks: the zeros
        that it restores stay zero. Whatever else puts other weights back has them masked, and a
        warning says so. `variables`, saved when an epoch ends and restored into those that
        `set_model(model)` creates, continue an interrupted run to the same weights.

    Example:
        ```python
        schedule = polynomial_decay(0.0, 0.8, begin_step=100, end_step=1000, frequency=50)
        model.fit(images, labels, epochs=5, callbacks=[PruneLowMagnitude(schedule)])
        sparsity(model)  # 0.8
        ```
    """

    def __init__(
        self,
        schedule: Any,
        *,
        layer_kinds: Sequence[str] = DEFAULT_LAYER_KINDS,
        skip_layers: Sequence[str] = (),
        skip_last: bool = False,
        block_size: tuple[int, int] = (1, 1),
        block_pooling: str = "AVG",
        sparsity_m_by_n: tuple[int, int] | None = None,
        initial_step: int = 0,
        on_incomplete: str = "warn",
    ):
        super().__init__()
        if not callable(schedule) and sparsity_m_by_n is None:
            arguments.refuse("schedule", "a callable step -> (should_prune, sparsity)", schedule)
        initial_step = arguments.whole(
            "initial_step", initial_step, least=0, most=arguments.MOST_TRAINED_STEPS
        )
        if isinstance(skip_layers, str):
            arguments.refuse("skip_layers", "several names, such as ('logits',)", skip_layers)
        if on_incomplete not in ("warn", "raise", "ignore"):
            arguments.refuse("on_incomplete", '"warn", "raise" or "ignore"', on_incomplete)
        self.schedule = schedule
        self.layer_kinds = layer_kinds
        self.skip_layers = skip_layers
        self.skip_last = skip_last
        self.pattern = PruningPattern(block_size, block_pooling, sparsity_m_by_n)
        self.initial_step = initial_step
        self.on_incomplete = on_incomplete
        self._ask_schedule = tfmot_pruning.looked_ahead(schedule)
        self._masked_model = None
        self._masks: Any = None  # `KernelMasks` and `RestoredSteps`, once there is a model.
        self._restored: Any = None

    @property
    def variables(self) -> list:
        """The number of steps trained, then a boolean mask a kernel; empty before `set_model`."""
        return [self._masks.step, *self._masks.masks] if self._masks else []

    def set_model(self, model: keras.Model) -> None:
        """Finds the kernels and creates `variables`, unless that was done; `fit` calls it too.

        Args:
            model: a built keras.Model, the one that is going to be trained.

        Raises:
            ValueError: nothing is prunable, or a kernel does not fit the pattern.
        """
        super().set_model(model)
        if self._masked_model is not model:
            self._make_masks(model)
        self._restored = RestoredSteps(model, self._masks)

    def _make_masks(self, model):
        kernels = prunable_kernels(model, self.layer_kinds, self.skip_layers, self.skip_last)
        if not kernels:
            raise ValueError(
                f"Model '{model.name}' must hold at least one kernel of the layer kinds "
                f"{self.layer_kinds} that is not skipped. Received: a model of "
                f"{sorted({type(layer).__name__ for layer in model.layers})}"
            )
        for kernel in kernels:
            self.pattern.check(kernel.layer_name, kernel.variable.shape)
        strategy = model.distribute_strategy
        self._masks = KernelMasks(strategy, kernels, self.pattern, self.schedule, self.initial_step)
        self._masked_model = model

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        """Refuses several steps an execution; sees to the callbacks that keep a best epoch."""
        if self.model.steps_per_execution != 1:
            raise ValueError(
                "Pruning masks weights after every step, so `steps_per_execution` must be 1. "
                f"Received: steps_per_execution={self.model.steps_per_execution}"
            )
        if not self.model.optimizer.built:  # which is when it makes its averages
            self.model.optimizer.build(self.model.trainable_variables)
        self._masks.follow(moving_averages(self.model))
        callbacks = running_callbacks()
        if callbacks is not None:
            callbacks.callbacks.append(_LastWord(self, callbacks.callbacks))

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Masks the weights; reads the step here, so that any callback may have restored it."""
        self._restored.take_over()
        self._steps_done = int(self._masks.step.numpy())
        self._due = self._sparsity_due(self._steps_done + 1)
        self._dense = None
        self._masks.apply(0)

    def on_train_batch_begin(self, batch: Any, logs: dict[str, float] | None = None) -> None:
        """Updates the masks if the schedule asks for it at the step to come."""
        if self._due is not None:
            dense = self._masks.read_weights() if self._dense is None else self._dense
            step = tf.constant(self._steps_done + 1, tf.int64)
            self._masks.update(step, tf.constant(self._due, tf.float32), dense)
            self._dense = None

    def on_train_batch_end(self, batch: Any, logs: dict[str, float] | None = None) -> None:
        """Masks what the optimizer has just changed, keeping the dense weights if due for use."""
        self._steps_done += 1
        self._due = self._sparsity_due(self._steps_done + 1)
        self._dense = self._masks.read_weights() if self._due is not None else None
        self._masks.apply(1)

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Masks the weights. Like in the original, an epoch's first update sees masked weights."""
        self._dense = None
        self._masks.apply(0)

    def on_train_end(self, logs: dict[str, float] | None = None) -> None:
        """Masks the weights once more (averaged ones may have come), says if pruning is unfinished.

        Raises:
            RuntimeError: it is unfinished and `on_incomplete` is "raise".
        """
        self.mask_restored_weights()
        problem = self._incomplete()
        if problem and self.on_incomplete == "raise":
            raise RuntimeError(problem)
        if problem and self.on_incomplete == "warn":
            warnings.warn(problem, stacklevel=2)

    def mask_restored_weights(self) -> None:
        """Masks the weights again, and warns where a callback has put back less sparse ones."""
        kept = self._masks.are_kept()
        self._masks.apply(0)
        if not kept:
            warnings.warn(
                "a callback put back weights that are less sparse than the pruned ones; they were "
                f"masked again to a sparsity of {self._masks.sparsity():.4f}. Evaluate the model "
                "anew, or restore weights of epochs after the schedule's end only",
                stacklevel=2,
            )

    @property
    def has_final_masks(self) -> bool:
        """Whether the schedule changes no mask any more, as far as it tells its end."""
        end = self._end_step()
        if end is None:
            return self._masks.sparsity() > 0
        return int(self._masks.step.numpy()) >= end

    def _incomplete(self):
        """What is unfinished about the pruning now, in words, or None."""
        steps, end = int(self._masks.step.numpy()), self._end_step()
        reached = self._masks.sparsity()
        ended = f"Training ended at step {steps} with a sparsity of {reached:.4f}"
        if end is not None and steps < end:
            return f"{ended}, before the schedule's end_step={end}"
        if reached == 0 and (self.pattern.m_by_n or float(self._ask_schedule(steps)[1]) > 0):
            return f"{ended}, before the schedule asked for any update"
        return None

    def _end_step(self):
        end = getattr(self.schedule, "end_step", None)
        return None if self.pattern.m_by_n or end is None or end < 0 else max(int(end), 1)

    def _sparsity_due(self, step):
        """The sparsity that masks must be updated to before this step, or None."""
        if self.pattern.m_by_n:
            return 0.0 if step == self.initial_step + 1 else None
        should_prune, fraction = self._ask_schedule(step)
        if not bool(should_prune) and step != self._end_step():
            return None
        fraction = float(fraction)
        if not 0.0 <= fraction < 1.0:
            raise ValueError(
                f"`schedule` must return a sparsity in [0, 1). Received: {fraction} at step {step}"
            )
        return fraction


class _LastWord(keras.callbacks.Callback):
    """Comes after all other callbacks of a `fit`, for the pruning."""

    def __init__(self, pruning, callbacks):
        super().__init__()
        self._pruning, self._callbacks = pruning, callbacks
        self._best = BestEpochs(callbacks)

    def on_epoch_end(self, epoch, logs=None):
        """Lets no epoch be the best that was not pruned to the end."""
        if not self._pruning.has_final_masks:
            self._best.forget()

    def on_train_end(self, logs=None):
        """Masks what another callback has put back."""
        self._pruning.mask_restored_weights()
        self._callbacks.remove(self)
