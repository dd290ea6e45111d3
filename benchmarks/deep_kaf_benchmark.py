"""Trains ResNet-56 on CIFAR-10 with ReLU, with KAFs, and with KAFs started as in Peconi's thesis.

    python benchmarks/deep_kaf_benchmark.py --data_dir=PATH

The same batches, seed and optimizer (SGD, momentum 0.9, learning rate 0.1) for all three; every
step's gradients are looked at. Prints a Markdown table and a line of JSON a network. Needs CIFAR-10
as TensorFlow Datasets keeps it.
"""

import argparse
import functools
import json
import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))

from robust_keras.quiet_start import start_tensorflow

start_tensorflow()

import keras
import numpy as np
import tensorflow as tf

from robust_keras import data, training
from robust_keras.data import pipeline
from robust_keras.layers import KernelActivation
from robust_keras.models import ACTIVATIONS, MODELS, blocks
from robust_keras.models.activations import Activation

HALF_PRECISION_LIMIT = float(np.finfo(np.float16).max)
LAST = 20  # steps whose mean loss is the final loss


def _thesis_kernels(rank, name):
    return KernelActivation(
        boundary=3.0, initializer=keras.initializers.RandomNormal(stddev=0.05), name=name
    )


NETWORKS = {
    "ReLU": ACTIVATIONS["relu"],
    "KAF (kaf_elu)": ACTIVATIONS["kaf_elu"],
    "KAF, initialised as in the thesis": Activation(_thesis_kernels, normalised=True),
}


def network(activation, depth, dataset, seed):
    """ResNet-56 (or a shallower one) with an activation that need not have a name."""
    keras.utils.set_random_seed(seed)
    mean, variance = data.channel_statistics(dataset.train)
    images = keras.Input(dataset.image_shape, name="images")
    x = keras.layers.Normalization(mean=list(mean), variance=list(variance))(images)
    x = MODELS[depth].layers(x, activation)
    return keras.Model(images, blocks.classifier(x, dataset.num_classes, activation))


def train(model, batches, learning_rate):
    """Losses, global gradient norms and first-layer gradient norms, one a step; and seconds."""
    optimizer = keras.optimizers.SGD(learning_rate, momentum=0.9)
    optimizer.build(model.trainable_variables)
    loss_of = keras.losses.SparseCategoricalCrossentropy(from_logits=True)

    @tf.function
    def step(images, labels):
        with tf.GradientTape() as tape:
            loss = loss_of(labels, model(images, training=True))
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply(gradients, model.trainable_variables)
        return loss, tf.linalg.global_norm(gradients), tf.norm(gradients[0])

    began, rows = time.monotonic(), []
    for images, labels in batches:
        rows.append([float(value) for value in step(images, labels)])
    return np.array(rows), time.monotonic() - began


def summary(rows, seconds):
    """What the table shows of one network."""
    losses, norms, first = rows.T
    return {
        "final_loss": float(losses[-LAST:].mean()),
        "first_gradient_norm": float(norms[0]),
        "first_layer_gradient_norm": float(first[0]),
        "largest_gradient_norm": float(norms.max()),
        "non_finite_steps": int(np.sum(~np.isfinite(rows).all(axis=1))),
        "steps_beyond_half_precision": int(np.sum(~(norms <= HALF_PRECISION_LIMIT))),
        "seconds": seconds,
    }


def table(results):
    """The results as Markdown."""
    relu = results["ReLU"]["final_loss"]
    lines = [
        "| network | final training loss | / ReLU | gradient norm, first step | largest "
        "| non-finite steps | steps beyond float16 |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for name, found in results.items():
        lines.append(
            f"| {name} | {found['final_loss']:.3f} | {found['final_loss'] / relu:.2f} "
            f"| {found['first_gradient_norm']:.3g} | {found['largest_gradient_norm']:.3g} "
            f"| {found['non_finite_steps']} | {found['steps_beyond_half_precision']} |"
        )
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data_dir", default=None)
    parser.add_argument("--model", default="resnet56", choices=("resnet20", "resnet56"))
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--batch_size", type=int, default=64)
    parser.add_argument("--learning_rate", type=float, default=0.1)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    dataset = data.load("cifar10", arguments.data_dir)
    batches = functools.partial(
        pipeline.training_dataset,
        dataset.train,
        batch_size=arguments.batch_size,
        seed=arguments.seed,
        epochs=1,
    )
    training.make_reproducible(arguments.seed)
    results = {}
    for name, activation in NETWORKS.items():
        model = network(activation, arguments.model, dataset, arguments.seed)
        rows, seconds = train(model, batches().take(arguments.steps), arguments.learning_rate)
        results[name] = summary(rows, seconds)
        print(json.dumps({name: results[name]}), flush=True)
    print(table(results))


if __name__ == "__main__":
    main()
