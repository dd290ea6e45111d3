"""The learning-rate range test of a run's own network, data and settings."""

import dataclasses
from typing import Any

import keras

from robust_keras.data import pipeline
from robust_keras.data.datasets import ImageSplit
from robust_keras.errors import InputError
from robust_keras.runs import training_data
from robust_keras.runs.compiling import adversarial_training, compile_model
from robust_keras.training.learning_rate_range import LearningRateRangeTest

_LEAST_STEPS, _MOST_STEPS = 10, 200


def suggest_learning_rate(
    model: keras.Model, split: ImageSplit, config: Any, directory: Any
) -> None:
    """Runs the test that `--learning_rate_range_test` asks for, and prints what it suggests.

    The model, newly built, is spoilt afterwards.

    Raises:
        InputError: there are too few batches.
    """
    trained = training_data.training_set(split, config, model.output_shape[-1])
    steps = min(pipeline.steps_per_epoch(trained, config.batch_size), _MOST_STEPS)
    if steps < _LEAST_STEPS:
        most = len(trained) // _LEAST_STEPS
        raise InputError.expected(
            "--batch_size", f"at most {most}, for {_LEAST_STEPS} steps", config.batch_size
        )
    model = adversarial_training(model, config, split)
    compile_model(model, dataclasses.replace(config, learning_rate_schedule="constant"), steps)
    test = LearningRateRangeTest(steps=steps)
    batches = pipeline.training_dataset(
        trained, batch_size=config.batch_size, seed=config.seed, epochs=1
    )
    model.fit(batches, shuffle=False, callbacks=[test], verbose=0)
    test.write(directory.path)
    print(f"suggested --learning_rate={test.suggestion:.2g} ({len(test.rates)} steps tried)")
    print(f"figure    {directory.path / 'learning_rate_range.png'}")
