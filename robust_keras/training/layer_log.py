"""Gradients and slopes layer by layer: what shows a deep network exploding, and where."""

import pathlib

import keras
import numpy as np
import tensorflow as tf

from robust_keras.directories.epoch_table import EpochTable
from robust_keras.notes.slopes import kernel_slopes, layer_of
from robust_keras.training.averaging import read_variable


class LayerLog(keras.callbacks.Callback):
    """Logs every layer's gradient norm and every kernel activation's largest slope each epoch.

    `gradient_norm` is the Euclidean norm of the training loss' gradient by all weights of the
    layer, on one fixed batch in training mode; `largest_slope` is `kernel_slope`'s. The first
    rows, those of epoch -1, show the network before its first step. Both go to a CSV file with the
    columns epoch, layer, gradient_norm, largest_slope (empty where a layer has none), and, as
    `gradient_norm/LAYER` and `largest_slope/LAYER`, to TensorBoard. The model is left as it was:
    moving statistics and the states of random seeds included.

    Args:
        images: the fixed batch (n, height, width, channels) in [0, 1].
        labels: as the loss takes them.
        csv_path: file to append to, or None.
        tensorboard_path: directory of TensorBoard's files, or None.
        initial_epoch: epochs done by the run that this one continues; later rows are dropped.

    Raises:
        ValueError: at the start of training, where the model has no loss.

    Example:
        `model.fit(x, y, callbacks=[LayerLog(x[:128], y[:128], csv_path="layers.csv")])`
    """

    def __init__(
        self,
        images: np.ndarray,
        labels: np.ndarray,
        *,
        csv_path: pathlib.Path | None = None,
        tensorboard_path: pathlib.Path | None = None,
        initial_epoch: int = 0,
    ):
        super().__init__()
        self._images = tf.convert_to_tensor(images, tf.float32)
        self._labels = tf.convert_to_tensor(labels)
        self._csv_path = csv_path and pathlib.Path(csv_path)
        self._tensorboard_path = tensorboard_path
        self._initial_epoch = initial_epoch
        self._writer = None

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        """Logs the network as it begins, unless it goes on."""
        if self.model.loss is None:
            raise ValueError("`model` must be compiled with a loss. Received: no loss")
        self._gradients = tf.function(self._gradients_of_batch, autograph=False)
        if self._csv_path is not None:
            self._csv_path.parent.mkdir(parents=True, exist_ok=True)
            # Epoch -1 too is logged anew where no epoch was done.
            self._table = EpochTable(self._csv_path, self._initial_epoch or -1)
        if self._tensorboard_path is not None:
            self._writer = tf.summary.create_file_writer(str(self._tensorboard_path))
        if not self._initial_epoch:
            self._log(-1)

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Logs the network as it is now."""
        self._log(epoch)

    def on_train_end(self, logs: dict[str, float] | None = None) -> None:
        """Closes TensorBoard's file."""
        if self._writer is not None:
            self._writer.close()

    def gradient_norms(self) -> dict[str, float]:
        """A dict from `slopes.layer_of` each to the norm of the gradient by the layer's weights."""
        kept = [(v, read_variable(v)) for v in self.model.non_trainable_variables]
        gradients = self._gradients()
        for variable, value in kept:
            variable.assign(value)
        squares: dict[str, float] = {}
        for variable, gradient in zip(self.model.trainable_variables, gradients, strict=True):
            if gradient is not None:
                layer = layer_of(variable, self.model)
                square = np.sum(tf.convert_to_tensor(gradient).numpy().astype(np.float64) ** 2)
                squares[layer] = squares.get(layer, 0.0) + square
        return {layer: float(np.sqrt(square)) for layer, square in squares.items()}

    def _gradients_of_batch(self):
        # Mirrored weights have gradients on a replica only; all see the same batch.
        strategy = self.model.distribute_strategy
        gradients = strategy.run(self._gradients_on_replica)
        return [strategy.experimental_local_results(gradient)[0] for gradient in gradients]

    def _gradients_on_replica(self):
        with tf.GradientTape() as tape:
            outputs = self.model(self._images, training=True)
            loss = self.model.compute_loss(self._images, self._labels, outputs, training=True)
            # Keras divides losses by the replicas, whose gradients it adds up.
            loss *= self.model.distribute_strategy.num_replicas_in_sync
        return tape.gradient(loss, self.model.trainable_weights)

    def _log(self, epoch):
        norms, slopes = self.gradient_norms(), kernel_slopes(self.model)
        layers = list(dict.fromkeys([*norms, *slopes]))
        if self._csv_path is not None:
            self._table.add(
                [
                    {
                        "epoch": epoch,
                        "layer": layer,
                        "gradient_norm": norms.get(layer, ""),
                        "largest_slope": slopes.get(layer, ""),
                    }
                    for layer in layers
                ]
            )
        if self._writer is not None:
            with self._writer.as_default():
                for kind, values in (("gradient_norm", norms), ("largest_slope", slopes)):
                    for layer, value in values.items():
                        tf.summary.scalar(f"{kind}/{layer}", value, step=epoch + 1)
            self._writer.flush()
