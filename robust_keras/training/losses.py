"""Losses on logits."""

import keras


@keras.saving.register_keras_serializable(package="robust_keras")
class TemperatureCrossEntropy(keras.losses.Loss):
    """Cross-entropy of softmax(logits / temperature) with whole-number labels.

    `L = -log softmax(z / T)_y`. A high temperature makes the network grow its logits about T-fold;
    what that does to an attacker's gradients is masking, not robustness, and the audit says so.

    Args:
        temperature: T > 0.
        name: of the loss.
        **kwargs: as for `keras.losses.Loss`.

    Raises:
        ValueError: if the temperature is not above 0.

    Reference: Papernot et al., Distillation as a Defense to Adversarial Perturbations, 2016,
    arXiv 1511.04508.

    Example: `model.compile("adam", loss=TemperatureCrossEntropy(temperature=20.0))`.
    """

    def __init__(self, temperature=1.0, name="temperature_cross_entropy", **kwargs):
        super().__init__(name=name, **kwargs)
        if not temperature > 0:
            raise ValueError(f"`temperature` must be above 0. Received: temperature={temperature}")
        self.temperature = temperature

    def call(self, y_true, y_pred):
        """Losses of shape (batch,) for labels (batch,) and logits (batch, classes)."""
        return keras.ops.sparse_categorical_crossentropy(
            y_true, y_pred / self.temperature, from_logits=True
        )

    def get_config(self):
        """The constructor's arguments."""
        return {**super().get_config(), "temperature": self.temperature}
