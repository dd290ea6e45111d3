"""How long an export takes for an answer, beside the Keras model that it was made of.

    python benchmarks/serving_benchmark.py

Rounds take turns; the ratio is taken within each round. Median and quartiles.
"""

import pathlib
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

import numpy as np
import tabulate
import timing

from robust_keras import models, serving
from robust_keras.quiet_start import start_tensorflow

start_tensorflow()

import tensorflow as tf

ROUNDS = 51
MODELS = {"lenet5, ReLU": ("lenet5", "relu"), "lenet5, KAF": ("lenet5", "kaf_elu")}
BATCHES = (1, 128)


def main():
    rows = []
    for name, (network, activation) in MODELS.items():
        model = models.build(
            network, image_shape=(28, 28, 1), num_classes=10, activation=activation
        )
        with tempfile.TemporaryDirectory() as directory:
            path = serving.export(model, directory)
            served = tf.saved_model.load(str(path)).signatures["logits"]
            call = tf.function(lambda images, model=model: model(images, training=False))
            for batch in BATCHES:
                images = tf.constant(np.random.default_rng(0).random((batch, 28, 28, 1), "float32"))
                functions = {
                    "keras": lambda images=images, call=call: call(images).numpy(),
                    "export": lambda images=images, served=served: served(images=images)[
                        "logits"
                    ].numpy(),
                }
                rows.append([name, batch, *compared(functions)])
    headers = ["model", "batch", "Keras, ms", "export, ms", "export / Keras"]
    print(tabulate.tabulate(rows, headers, tablefmt="github"))


def compared(functions):
    """Milliseconds of both, and the ratio to Keras, each with quartiles."""
    seconds = timing.interleaved(functions, ROUNDS)
    shown = [timing.milliseconds(seconds[name]) for name in functions]
    return [*shown, timing.spread(timing.ratios(seconds, "keras")["export"])]


if __name__ == "__main__":
    main()
