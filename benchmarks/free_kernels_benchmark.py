"""Kernel activations that train their dictionaries: the sum itself beside tables, by rows.

    python benchmarks/free_kernels_benchmark.py

One forward and backward pass that gives all gradients; rows are images times positions.
"""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

import timing
from absl import app, flags
from layer_benchmark import finished, step_of
from tabulate import tabulate

ROUNDS = flags.DEFINE_integer("free_rounds", 15, "Timed rounds.", lower_bound=2)
CHANNELS, ROWS = 64, (128, 512, 2048, 8192, 32768)
# The shape that a layer is built for decides its form.
BUILT_FOR = {"tables": (None, None, CHANNELS), "sum": (None, CHANNELS)}


def made_for(shape):
    """A compiled pass of a layer built for a shape."""
    import layers

    layer = layers.KernelActivation(
        boundary=3.0, trainable_dictionary=True, trainable_bandwidth=True
    )
    return step_of(layer, shape=shape)


def row_of(made, rows):
    """Times both forms on so many rows, in turns."""
    import tensorflow as tf

    given = tuple(tf.random.stateless_normal((rows, CHANNELS), (seed, 0)) for seed in (0, 1))
    timed = {name: (lambda step=step: finished(step(*given))) for name, step in made.items()}
    seconds = timing.interleaved(timed, ROUNDS.value)
    ratio = timing.ratios(seconds, "sum")["tables"]
    return (rows, *map(timing.milliseconds, seconds.values()), timing.spread(ratio))


def main(_):
    """Prints the table."""
    made = {name: made_for(shape) for name, shape in BUILT_FOR.items()}
    rows = [row_of(made, count) for count in ROWS]
    heads = ("rows", "tables, ms", "sum, ms", "tables / sum")
    print(tabulate(rows, heads, tablefmt="github", disable_numparse=True))


if __name__ == "__main__":
    app.run(main)
