"""One training run: compile, callbacks, resume, fit."""

from collections.abc import Sequence
from typing import Any

import keras

from robust_keras.data import hold_out, pipeline
from robust_keras.data.datasets import ImageSplit
from robust_keras.errors import InputError
from robust_keras.runs import compiling, low_rank_run, pruning_run, run_callbacks, training_data
from robust_keras.training import workers
from robust_keras.training.catastrophic_overfitting import CatastrophicOverfittingGuard
from robust_keras.training.checkpoint import BestCheckpoint, LastCheckpoint
from robust_keras.training.logs import StopOnNonFiniteLoss, log_callbacks
from robust_keras.training.methods import method_class
from robust_keras.training.nuclear_norm import add_nuclear_norm
from robust_keras.training.training_progress import TrainingProgress

_PROBED_IMAGES = 256


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


def _best(config, directory, guarded, steps):
    """[BestCheckpoint] of the epochs in which nothing of the network changes any more, or []."""
    if not config.validation_fraction:
        return []
    changed_until = config.kwta_end if config.kwta_final_ratio else 0.0
    if config.final_sparsity:
        changed_until = max(changed_until, config.pruning_end)
    first = max(-(-round(changed_until * steps * config.epochs) // steps) - 1, 0)
    # Clean accuracy would choose an epoch of the warm-up.
    metric = "probe_accuracy" if guarded else "val_accuracy"
    return [BestCheckpoint(directory.best_path, first_epoch=first, metric=metric)]


def _batches(trained, config, initial_epoch, image_shape, share):
    return pipeline.training_dataset(
        trained,
        batch_size=config.batch_size,
        seed=config.seed,
        epochs=config.epochs,
        initial_epoch=initial_epoch,
        augment=training_data.augment(config, image_shape),
        share=share,
    )


def fit(
    model: keras.Model,
    split: ImageSplit,
    config: Any,
    directory: Any,
    introduction: Sequence[str] = (),
) -> None:
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
    model, total_steps = _compiled(model, config, training, steps)
    pruner = pruning_run.pruning_callback(config, steps * config.epochs)
    pruning_run.prepare(pruner, model)
    checkpoint = LastCheckpoint(
        directory.checkpoint_path, lambda: pruner.variables if pruner is not None else ()
    )
    initial_epoch = _begin(model, config, directory, checkpoint, introduction)
    guard = _guard(config, validation or training)
    callbacks = [
        *workers.prepare(model, split.image_shape),
        StopOnNonFiniteLoss(),
        *run_callbacks.falling_ratio(config, total_steps),
        *run_callbacks.validate_average(config),
        *run_callbacks.layer_log(config, model, training, directory, initial_epoch),
        *guard,
        *([pruner] if pruner is not None else []),
        *low_rank_run.callbacks(config),
        *log_callbacks(directory.csv_path, directory.tensorboard_path, initial_epoch),
        *_best(config, directory, bool(guard), steps),
        checkpoint,
    ]
    share = workers.share(model)
    batches = _batches(trained, config, initial_epoch, split.image_shape, share)
    held_out = validation and pipeline.evaluation_dataset(
        validation, batch_size=config.batch_size, share=share
    )
    _fit(model, batches, held_out, callbacks, config, initial_epoch, steps)


def _compiled(model, config, split, steps):
    """The model as it is trained, and how many steps its optimizer will take."""
    if config.nuclear_norm:
        add_nuclear_norm(model, config.nuclear_norm)
    model = compiling.adversarial_training(model, config, split)
    total_steps = steps * config.epochs * getattr(model, "updates_per_batch", 1)
    compiling.compile_model(model, config, total_steps)
    return model, total_steps


def _begin(model, config, directory, checkpoint, introduction):
    """Claims the directory, restores what is in it; the epoch to go on with."""
    directory.begin()
    for line in introduction:
        print(line)
    initial_epoch = workers.shared_start(
        model, checkpoint.variables(model), checkpoint.restore(model)
    )
    if initial_epoch:
        print(f"resuming after epoch {initial_epoch} of {config.epochs}")
    return initial_epoch


def _fit(model, batches, held_out, callbacks, config, initial_epoch, steps):
    cost = compiling.relative_cost(config)
    with TrainingProgress(
        epochs=config.epochs, initial_epoch=initial_epoch, steps=steps, cost=cost
    ) as progress:
        model.fit(
            batches,
            epochs=config.epochs,
            initial_epoch=initial_epoch,
            steps_per_epoch=steps,
            shuffle=False,  # the batches are shuffled already, by a seed of their own
            validation_data=held_out,
            callbacks=[*callbacks, progress],
            verbose=0,
        )
