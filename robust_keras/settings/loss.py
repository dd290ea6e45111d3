"""Flags of the training loss, and which of them make sense together."""

import dataclasses
import functools
from typing import Any

from robust_keras.settings import names, values
from robust_keras.settings.field import flag, optional_path

_of_hybrid = functools.partial(flag, needs="loss=hybrid")


@dataclasses.dataclass(frozen=True)
class LossFlags:
    """Loss and distillation."""

    loss: str = flag(
        "cross_entropy",
        values.Choice(names.LOSSES),
        "Training loss: cross_entropy, or the hybrid loss of symmetric-activation networks.",
    )
    hybrid_relative: float = _of_hybrid(
        1.0,
        values.Number(minimum=1e-12, maximum=1e6, zero=True),
        "hybrid: weight of log(sum y / y of the label); published for MNIST and CIFAR-10: 1.",
    )
    hybrid_absolute: float = _of_hybrid(
        1.0,
        values.Number(minimum=1e-12, maximum=1e6, zero=True),
        "hybrid: weight of (1 - y of the label)^power; published for MNIST and CIFAR-10: 1.",
    )
    hybrid_others: float = _of_hybrid(
        0.0,
        values.Number(minimum=1e-12, maximum=1e6, zero=True),
        "hybrid: weight of the sum of y^power of the other classes; published: 0 for MNIST, 1/9 "
        "for CIFAR-10.",
    )
    hybrid_power: float = _of_hybrid(
        2.0,
        values.Number(minimum=1.0, maximum=100.0),
        "hybrid: the power; published for MNIST and CIFAR-10: 2.",
    )
    label_smoothing: float = flag(
        0.0,
        values.Number(minimum=0.0, below=1.0),
        "cross_entropy: share of the label's probability that goes to all classes alike.",
    )
    gradient_penalty: float = flag(
        0.0,
        values.Number(minimum=1e-9, maximum=1e6, zero=True),
        "Weight of the mean squared length of the loss' gradient by the pixels of the images that "
        "are trained on; 0 for none.",
    )
    distillation_teacher: str | None = optional_path(
        "Defensive distillation: a trained model (.keras file or SavedModel), whose probabilities "
        "at --temperature are learnt in place of the labels."
    )

    def check_together(self: Any) -> None:
        """Raises InputError for the first value that does not fit --loss or another."""
        if self.loss == "hybrid":
            self._check_hybrid()
        if self.distillation_teacher is not None and self.label_smoothing:
            self.refuse("label_smoothing", "0 with --distillation_teacher, whose labels are soft")

    def _check_hybrid(self):
        if self.activation not in names.SYMMETRIC_ACTIVATIONS:
            expected = "rbf or mrelu with --loss=hybrid, which needs an RBF unit at the end"
            self.refuse("activation", expected)
        if self.temperature != 1.0:
            self.refuse("temperature", "1 with --loss=hybrid, which has no softmax")
        if self.label_smoothing:
            self.refuse("label_smoothing", "0 with --loss=hybrid")
        if self.distillation_teacher is not None:
            self.refuse("distillation_teacher", "none with --loss=hybrid, which has hard labels")
        if not (self.hybrid_relative or self.hybrid_absolute or self.hybrid_others):
            self.refuse("hybrid_relative", "a number above 0, or another weight above 0")
