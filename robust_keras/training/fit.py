"""One training run: compile, callbacks, resume, fit."""

import functools
from collections.abc import Sequence
from typing import Any

import keras

from robust_keras.data import hold_out, pipeline
from robust_keras.data.datasets import ImageSplit
from robust_keras.errors import InputError
from robust_keras.training import low_rank_training, pruning_run, run_callbacks, training_data
from robust_keras.training.adversarial import AdversarialSettings, AdversarialTraining
from robust_keras.training.catastrophic_overfitting import CatastrophicOverfittingGuard
from robust_keras.training.checkpoint import BestCheckpoint, LastCheckpoint
from robust_keras.training.denoising import DenoiserTraining
from robust_keras.training.logs import StopOnNonFiniteLoss, log_callbacks
from robust_keras.training.losses import LOSSES, LabelAccuracy
from robust_keras.training.methods import method_class
from robust_keras.training.nuclear_norm import add_nuclear_norm
from robust_keras.training.schedules import SCHEDULES
from robust_keras.training.source_models import load_source_models
from robust_keras.training.training_progress import TrainingProgress, relative_cost

OPTIMIZERS = {
    "adam": keras.optimizers.Adam,
    "sgd": functools.partial(keras.optimizers.SGD, momentum=0.9),
}
_PROBED_IMAGES = 256


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


def adversarial_training(model: keras.Model, config: Any) -> keras.Model:
    """The model wrapped as the config asks; the model itself for `--adversarial=none`."""
    if config.denoiser:
        return DenoiserTraining(
            model, epsilon=config.denoiser_epsilon, guide=config.denoiser_guide, seed=config.seed
        )
    if config.adversarial == "none":
        return model
    told = config.adversarial_settings()
    sources = told.pop("source_models", ())
    return AdversarialTraining(
        model,
        AdversarialSettings(method=config.adversarial, **told),
        seed=config.seed,
        batch_size=config.batch_size,
        source_models=load_source_models(sources, model, config.trusted_operations),
    )


def _guard(config, split):
    """Probes images from all over a split; nothing where robustness to PGD is no aim."""
    if config.adversarial == "none" or not method_class(config.adversarial).is_probed:
        return []
    probed = split.select(slice(None, None, -(-len(split) // _PROBED_IMAGES)))
    return [
        CatastrophicOverfittingGuard(
            probed.float_images(), probed.labels, epsilon=config.train_epsilon
        )
    ]


def _callbacks(config, directory, guard, pruner, checkpoint, more, initial_epoch, steps):
    changed_until = config.kwta_end if config.kwta_final_ratio else 0.0
    if config.final_sparsity:
        changed_until = max(changed_until, config.pruning_end)
    first_final_epoch = max(-(-round(changed_until * steps * config.epochs) // steps) - 1, 0)
    best = []
    if config.validation_fraction:
        # Clean accuracy would choose an epoch of the warm-up.
        metric = "probe_accuracy" if guard else "val_accuracy"
        best = [BestCheckpoint(directory.best_path, first_epoch=first_final_epoch, metric=metric)]
    return [
        StopOnNonFiniteLoss(),
        *more,
        *guard,
        *([pruner] if pruner is not None else []),
        *low_rank_training.callbacks(config),
        *log_callbacks(directory.csv_path, directory.tensorboard_path, initial_epoch),
        *best,
        checkpoint,
    ]


def _batches(trained, config, initial_epoch, image_shape):
    return pipeline.training_dataset(
        trained,
        batch_size=config.batch_size,
        seed=config.seed,
        epochs=config.epochs,
        initial_epoch=initial_epoch,
        augment=training_data.augment(config, image_shape),
    )


def fit(
    model: keras.Model,
    split: ImageSplit,
    config: Any,
    directory: Any,
    introduction: Sequence[str] = (),
) -> keras.callbacks.History:
    """Compiles and trains a model, from the last checkpoint where there is one.

    Call it in the scope of the strategy in which the model was built.

    Args:
        model: Keras model from images to logits, newly built.
        split: the training `ImageSplit`; a part of it is held out as `config.validation_fraction`
            says.
        config: a `TrainConfig`.
        directory: the run's `TrainingDirectory`.
        introduction: lines to print once all has been looked at and training begins.

    Raises:
        InputError: if the loss stops being finite, or a batch is larger than the training images.
    """
    if config.batch_size > len(split):
        raise InputError.expected(
            "--batch_size", f"at most the {len(split)} training images", config.batch_size
        )
    training, validation = hold_out(split, config.validation_fraction, config.seed)
    trained = training_data.training_set(training, config, model.output_shape[-1])
    steps = pipeline.steps_per_epoch(trained, config.batch_size)
    if config.nuclear_norm:
        add_nuclear_norm(model, config.nuclear_norm)
    model = adversarial_training(model, config)
    total_steps = steps * config.epochs * getattr(model, "updates_per_batch", 1)
    compile_model(model, config, total_steps)
    pruner = pruning_run.pruning_callback(config, steps * config.epochs)
    checkpoint = LastCheckpoint(
        directory.checkpoint_path, lambda: pruner.variables if pruner is not None else ()
    )
    pruning_run.prepare(pruner, model)
    directory.begin()
    for line in introduction:
        print(line)
    initial_epoch = checkpoint.restore(model)
    if initial_epoch:
        print(f"resuming after epoch {initial_epoch} of {config.epochs}")
    held_out = validation and pipeline.evaluation_dataset(validation, batch_size=config.batch_size)
    callbacks = _callbacks(
        config,
        directory,
        _guard(config, validation or training),
        pruner,
        checkpoint,
        [
            *run_callbacks.falling_ratio(config, total_steps),
            *run_callbacks.validate_average(config),
            *run_callbacks.layer_log(config, model, training, directory, initial_epoch),
        ],
        initial_epoch,
        steps,
    )
    with TrainingProgress(
        epochs=config.epochs,
        initial_epoch=initial_epoch,
        steps=steps,
        cost=relative_cost(config),
    ) as progress:
        model.fit(
            _batches(trained, config, initial_epoch, split.image_shape),
            epochs=config.epochs,
            initial_epoch=initial_epoch,
            steps_per_epoch=steps,
            shuffle=False,  # the batches are shuffled already, by a seed of their own
            validation_data=held_out,
            callbacks=[*callbacks, progress],
            verbose=0,
        )
