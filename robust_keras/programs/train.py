"""Trains an image classifier, prunes it if asked, and exports it as a SavedModel.

    python train.py --flagfile=configs/quickstart.cfg
    python train.py --dataset=cifar10 --model=resnet20 --activation=kaf_elu

Writes OUTPUT_DIR/model.keras and OUTPUT_DIR/serving/1 (what evaluate.py attacks
and TensorFlow Serving serves), with config.json, logs and checkpoints beside
them. The same command on an unfinished directory goes on where it stopped.
"""

import time
from typing import Any

from robust_keras import cluster, durations
from robust_keras.directories import whole_files
from robust_keras.programs import next_step, packages
from robust_keras.quiet_start import start_tensorflow
from robust_keras.runs.plugins import load_plugins
from robust_keras.runs.run_directory import TrainingDirectory, training_directory
from robust_keras.settings.config import TrainConfig


def main(config: Any) -> None:
    """One run, from the config to the exported SavedModel."""
    began = time.monotonic()
    if cluster.writes(config.distribute):
        return _run(config, training_directory(config), began)
    with cluster.unseen() as path:
        _run(config, TrainingDirectory(config, path), began)


def _run(config, directory, began):
    with whole_files.reasons(directory.path, only_disk=True):
        start_tensorflow()
        load_plugins(config.plugins)
        config.check()  # once more: now every method is known
        _train(config, directory, began)


def _train(config, directory, began):
    import keras

    from robust_keras import data, distribution, serving, training
    from robust_keras.notes.class_note import class_note
    from robust_keras.notes.layer_facts import layer_notes
    from robust_keras.notes.training_note import accuracy_note
    from robust_keras.runs import low_rank_run, other_formats
    from robust_keras.runs.network import network
    from robust_keras.runs.range_test_run import suggest_learning_rate
    from robust_keras.runs.training_run import fit
    from robust_keras.runs.training_settings import settings_note
    from robust_keras.training import workers

    # Before all else: processes can only join while TensorFlow has done nothing yet.
    strategy = distribution.strategy(config.distribute, batch_size=config.batch_size)
    training.make_reproducible(config.seed)
    keras.mixed_precision.set_dtype_policy(config.precision)
    reading = {"image_size": config.image_size, "stream": config.stream}
    dataset = data.load(config.dataset, config.data_dir, **reading)
    data.check_trainable(dataset)
    dataset = dataset.training_on(config.train_examples)
    with strategy.scope():
        model = network(config, dataset)
        if config.learning_rate_range_test:
            return suggest_learning_rate(model, dataset.train, config, directory)
        model = low_rank_run.before_training(model, config)
    other_formats.check(model, config, dataset.test)
    told = data.description(dataset)
    with strategy.scope():
        fit(model, dataset.train, config, directory, introduction=told)
        model = low_rank_run.after_training(model, config)
    if not cluster.writes(config.distribute):
        return workers.leave_together(strategy)
    training.save_model(model, directory.model_path)
    trained = keras.models.load_model(directory.model_path)
    accuracy = training.accuracy(trained, dataset.test, config.batch_size)
    served = serving.export(
        trained,
        directory.serving_path,
        version=config.serving_version,
        class_names=() if dataset.numbered else dataset.class_names,
        notes={
            **layer_notes(trained, directory.layers_path),
            **accuracy_note(config.dataset, accuracy, len(dataset.test)),
            **class_note(dataset),
            **settings_note(config),
        },
        **other_formats.wanted(config, dataset.test),
    )
    print(f"test accuracy {accuracy:.4f}, sparsity {training.sparsity(trained):.4f}")
    print(f"Keras model   {directory.model_path}")
    print(f"SavedModel    {served}")
    print(f"took          {durations.measured(time.monotonic() - began)}")
    print(f"next          {next_step.after_training(config, directory.serving_path)}")
    workers.leave_together(strategy)


def run() -> None:
    """The program, from the command line to the exit code."""
    packages.start(main, TrainConfig, __doc__)
