"""What a step of adversarial training costs, in units of a standard step.

    python benchmarks/training_benchmark.py

Rounds of a few steps of each method take turns, so that whatever else the machine does meets all of
them alike. Prints medians over the rounds, and the ratios to the standard step of the same round
with their quartiles, as a Markdown table. Random images: their content costs nothing.
"""

import argparse
import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))

from robust_keras.quiet_start import start_tensorflow

start_tensorflow()

import keras
import numpy as np
import tensorflow as tf

from robust_keras import models
from robust_keras.training.adversarial import AdversarialSettings, AdversarialTraining

# Network -> (image shape, batch size).
NETWORKS = {"lenet5": ((28, 28, 1), 128), "resnet20": ((32, 32, 3), 64)}
METHODS = ("standard", "fast")
LIMIT = 2.2


def trainer(network, method, *, batch_size=None, activation="relu", jit_compile=False):
    """A function that trains a model, made as train.py makes it, on n batches; returns the loss."""
    image_shape, usual = NETWORKS[network]
    batch_size = batch_size or usual
    keras.utils.set_random_seed(0)
    model = models.build(network, image_shape=image_shape, num_classes=10, activation=activation)
    if method != "standard":
        settings = AdversarialSettings(method=method, epsilon=8 / 255)
        model = AdversarialTraining(model, settings, batch_size=batch_size)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    given = {"metrics": ["accuracy"], "jit_compile": jit_compile}
    model.compile(keras.optimizers.SGD(0.01, 0.9), loss, **given)
    random = np.random.default_rng(0)
    images = tf.constant(random.uniform(size=(batch_size, *image_shape)), tf.float32)
    batches = iter(tf.data.Dataset.from_tensors((images, tf.range(batch_size) % 10)).repeat())
    model.make_train_function()

    def train(steps):
        for _ in range(steps):
            logs = model.train_function(batches)
        return float(logs["loss"])  # waits for the last step

    return train


def measure(network, steps, rounds):
    """Seconds a step: an array (rounds, methods)."""
    trainers = [trainer(network, method) for method in METHODS]
    for train in trainers:
        train(3)
    seconds = np.empty((rounds, len(METHODS)))
    for row in range(rounds):
        for column, train in enumerate(trainers):
            began = time.perf_counter()
            train(steps)
            seconds[row, column] = (time.perf_counter() - began) / steps
    return seconds


def rows_of(network, seconds):
    """Lines of the table."""
    ratios = seconds / seconds[:, :1]
    lines = []
    for column, method in enumerate(METHODS):
        low, middle, high = np.percentile(ratios[:, column], [25, 50, 75])
        lines.append(
            f"| {network} | {method} | {1e3 * np.median(seconds[:, column]):.1f} ms "
            f"| {middle:.2f} | {low:.2f} to {high:.2f} |"
        )
    return lines


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=10, help="steps a round")
    parser.add_argument("--rounds", type=int, default=15)
    arguments = parser.parse_args()
    print(f"| network | method | a step | / standard (at most {LIMIT}) | quartiles |")
    print("| --- | --- | --- | --- | --- |")
    for network in NETWORKS:
        seconds = measure(network, arguments.steps, arguments.rounds)
        print("\n".join(rows_of(network, seconds)), flush=True)


if __name__ == "__main__":
    main()
