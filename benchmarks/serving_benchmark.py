"""How long an export takes for an answer, beside the Keras model that it was made of.

    python benchmarks/serving_benchmark.py [--processor]

Rounds take turns; the ratio is taken within each round. Median and quartiles. On a machine that
computes other things meanwhile, --processor takes seconds of this process' processor, which
they do not lengthen. Give it one thread then: OMP_NUM_THREADS=1 TF_NUM_INTRAOP_THREADS=1.
"""

import argparse
import pathlib
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

import numpy as np
import tabulate
import timing

from robust_keras import models, serving
from robust_keras.quiet_start import start_tensorflow

start_tensorflow()

import tensorflow as tf

ROUNDS = 201
MODELS = {"lenet5, ReLU": ("lenet5", "relu"), "lenet5, KAF": ("lenet5", "kaf_elu")}
BATCHES = (1, 128)


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--processor", action="store_true")
    now = time.process_time if parser.parse_args().processor else time.perf_counter
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
                rows.append([name, batch, *compared(functions, now)])
    headers = ["model", "batch", "Keras, ms", "export, ms", "export / Keras"]
    print(tabulate.tabulate(rows, headers, tablefmt="github"))


def compared(functions, now):
    """Milliseconds of both, and the ratio to Keras, each with quartiles."""
    seconds = timing.interleaved(functions, ROUNDS, now)
    shown = [timing.milliseconds(seconds[name]) for name in functions]
    return [*shown, timing.spread(timing.ratios(seconds, "keras")["export"])]


if __name__ == "__main__":
    main()
