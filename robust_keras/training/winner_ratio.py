"""k-winners-take-all whose ratio falls while training."""

from typing import Any

import keras

from robust_keras import arguments
from robust_keras.layers import KWinnersTakeAll, keras_private


class FallingRatio(keras.callbacks.Callback):
    """Lowers the ratio of every `KWinnersTakeAll` layer in a straight line over some of the steps.

    At step t (the optimizer's iterations): `initial` up to `begin_step`, `final` from `end_step`
    on, and `initial + (final - initial) (t - begin) / (end - begin)` between. The step decides, so
    a run resumed with its optimizer goes on where it was. Networks of a small ratio train badly
    from scratch; lowering it little by little keeps most of the accuracy.

    Xiao, Zhong and Zheng, 2019, arXiv 1905.10510 (incremental training; there in steps of 0.005
    every two epochs, see `layers.LowerRatio`). kWTA masks gradients: what seems robust is not.

    Args:
        initial: ratio at the start, in (0, 1].
        final: ratio at the end, in (0, initial].
        begin_step: step at which it begins to fall, at least 0.
        end_step: step at which it has fallen, above `begin_step`.

    Raises:
        ValueError: an argument is out of its range; at the start of training: the model has no
            such layer.

    Example:
        `model.fit(x, y, epochs=10, callbacks=[FallingRatio(0.3, 0.1, 100, 2000)])`
    """

    def __init__(self, initial: float, final: float, begin_step: int, end_step: int):
        super().__init__()
        arguments.real("initial", initial, "in (0, 1]", above=0, most=1)
        arguments.real("final", final, f"in (0, initial={initial}]", above=0, most=initial)
        arguments.real("begin_step", begin_step, "at least 0", least=0)
        arguments.real("end_step", end_step, f"above begin_step={begin_step}", above=begin_step)
        self.initial, self.final = initial, final
        self.begin_step, self.end_step = begin_step, end_step

    def ratio_at(self, step: int) -> float:
        """The ratio of a step, counted from 0."""
        share = (step - self.begin_step) / (self.end_step - self.begin_step)
        share = min(max(share, 0.0), 1.0)
        return self.initial * (1.0 - share) + self.final * share

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        """Finds the layers and sets their ratio."""
        found = keras_private.all_layers(self.model)
        self._layers = [layer for layer in found if isinstance(layer, KWinnersTakeAll)]
        if not self._layers:
            raise ValueError(
                f"Model '{self.model.name}' must hold a KWinnersTakeAll layer. Received: a model "
                f"of {sorted({type(layer).__name__ for layer in self.model.layers})}"
            )
        self._set()

    def on_train_batch_begin(self, batch: Any, logs: dict[str, float] | None = None) -> None:
        """Sets the ratio of the step to come."""
        self._set()

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Sets the ratio before other callbacks save the model."""
        self._set()

    def _set(self):
        ratio = self.ratio_at(int(self.model.optimizer.iterations.numpy()))
        for layer in self._layers:
            if layer.ratio != ratio:
                layer.ratio = ratio
