"""The model as a run compiles it: loss, optimizer, and what wraps it to train it robustly."""

import functools
from collections.abc import Callable
from typing import Any

import keras

from robust_keras.data.datasets import ImageSplit
from robust_keras.hybrid_loss import HybridLoss
from robust_keras.runs.model_loading import tell_notes
from robust_keras.settings import names
from robust_keras.training.adversarial import AdversarialSettings, AdversarialTraining
from robust_keras.training.denoising import DenoiserTraining
from robust_keras.training.losses import LabelAccuracy, TemperatureCrossEntropy
from robust_keras.training.methods import method_class
from robust_keras.training.penalised_training import PenalisedTraining
from robust_keras.training.schedules import SCHEDULES
from robust_keras.training.source_models import load_source_models

# Standard steps: the gradient by image, and its own by the weights.
_PENALTY_COST = 2
OPTIMIZERS = names.table(
    names.OPTIMIZERS,
    {
        "adam": keras.optimizers.Adam,
        "sgd": functools.partial(keras.optimizers.SGD, momentum=0.9),
    },
)
LOSSES = names.table(
    names.LOSSES,
    {
        "cross_entropy": lambda config: TemperatureCrossEntropy(
            config.temperature, config.label_smoothing
        ),
        "hybrid": lambda config: HybridLoss(
            config.hybrid_relative,
            config.hybrid_absolute,
            config.hybrid_others,
            config.hybrid_power,
        ),
    },
)


def compile_model(model: keras.Model, config: Any, total_steps: int) -> None:
    """Compiles the model as the config asks, for that many steps of the optimizer.

    XLA stays off: its convolutions on CPU are slower than oneDNN's, and it breaks determinism.
    """
    learning_rate = SCHEDULES[config.learning_rate_schedule](config.learning_rate, total_steps)
    model.compile(
        optimizer=OPTIMIZERS[config.optimizer](
            learning_rate,
            weight_decay=config.weight_decay or None,
            global_clipnorm=config.clip_norm or None,
            use_ema=bool(config.ema_momentum),
            ema_momentum=config.ema_momentum,
        ),
        loss=LOSSES[config.loss](config),
        metrics=[LabelAccuracy()],
        jit_compile=False,
    )
    # A step whose first trace makes the optimizer's variables is traced twice.
    model.optimizer.build(model.trainable_variables)


def adversarial_training(model: keras.Model, config: Any, split: ImageSplit) -> keras.Model:
    """The model wrapped as the config asks; the model itself where it asks for nothing.

    Source models are tried on images of the training split.
    """
    if config.denoiser:
        return DenoiserTraining(
            model, epsilon=config.denoiser_epsilon, guide=config.denoiser_guide, seed=config.seed
        )
    if config.adversarial == "none":
        if config.gradient_penalty:
            return PenalisedTraining(model, gradient_penalty=config.gradient_penalty)
        return model
    told = config.adversarial_settings()
    paths, trusted = told.pop("source_models", ()), config.trusted_operations
    sources = load_source_models(paths, split, model.output_shape[-1], trusted)
    for path, source in zip(paths, sources, strict=True):
        tell_notes(path, source)
    return AdversarialTraining(
        model,
        AdversarialSettings(method=config.adversarial, **told),
        seed=config.seed,
        batch_size=config.batch_size,
        source_models=[source.logits for source in sources],
        gradient_penalty=config.gradient_penalty,
    )


def relative_cost(config: Any) -> Callable:
    """What a step costs in an epoch, in standard steps: a function of the epoch."""
    penalty = _PENALTY_COST if config.gradient_penalty else 0
    full = 1
    if config.adversarial != "none":
        full = method_class(config.adversarial).cost(config.adversarial_steps, config.replays)
    return lambda epoch: float(penalty + (full if epoch >= config.warm_up_epochs else 1))
