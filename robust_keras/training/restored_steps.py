"""Notices that a callback has restored a model and its optimizer, and nothing else."""

import keras

from robust_keras.training.averaging import read_variable
from robust_keras.training.kernel_masks import KernelMasks


class RestoredSteps:
    """Steps that the optimizer has gained between `set_model` and the first epoch.

    `keras.callbacks.BackupAndRestore` loads weights and the optimizer as training begins; what
    other callbacks keep begins anew. Whoever keeps its own with them has nothing to take over.

    Args:
        model: a compiled `keras.Model`.
        masks: the `KernelMasks` of its kernels.
    """

    def __init__(self, model: keras.Model, masks: KernelMasks):
        self._model, self._masks = model, masks
        self._before = self._now()

    def take_over(self) -> None:
        """Resumes the masks from the restored weights, once."""
        steps, own_steps = (b - a for a, b in zip(self._before, self._now(), strict=True))
        if steps > 0 and own_steps == 0:
            self._masks.resume(steps)
        self._before = self._now()

    def _now(self):
        """The batches that the optimizer has seen, and those that were counted here."""
        return _batches(self._model), int(self._masks.step.numpy())


def _batches(model):
    optimizer = getattr(model.optimizer, "inner_optimizer", model.optimizer)
    if optimizer is None:
        return 0
    iterations = int(read_variable(optimizer.iterations))
    per_update = getattr(optimizer, "gradient_accumulation_steps", None) or 1
    return iterations * per_update // getattr(model, "updates_per_batch", 1)
