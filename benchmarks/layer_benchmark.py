"""What trainable activations cost: time and memory of the layers, and of a ResNet-20's step.

    python benchmarks/layer_benchmark.py

Prints two tables from one run, with quartiles. Memory is measured in a fresh process each: the peak
during three steps above what the process held before them, in units of the input's size.
"""

import os
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

import timing
from absl import app, flags
from tabulate import tabulate

ROUNDS = flags.DEFINE_integer("rounds", 15, "Timed rounds of each table.", lower_bound=2)
BATCH = flags.DEFINE_integer("batch_size", 128, "Images a step.", lower_bound=1)
MEMORY_OF = flags.DEFINE_string("memory_of", None, "Print this layer's extra memory and stop.")

BASELINE, BROADCAST = "relu", "KAF, broadcast"


def steps():
    """Returns name -> function that makes the step."""
    import keras
    from other_forms import BroadcastKAF, RecomputedKAF, SortedWinners

    import layers

    def free_kaf():
        return layers.KernelActivation(trainable_dictionary=True, trainable_bandwidth=True)

    def broadcast():
        return BroadcastKAF(layers.KernelActivation())

    return {
        BASELINE: lambda: step_of(keras.layers.Activation("relu")),
        "silu": lambda: step_of(keras.layers.Activation("silu")),
        BROADCAST: lambda: step_of(broadcast()),
        "KAF, broadcast, compiled by XLA": lambda: step_of(broadcast(), jit_compile=True),
        "KAF, one kernel at a time": lambda: step_of(RecomputedKAF()),
        "KAF, ours": lambda: step_of(layers.KernelActivation()),
        "KAF, ours, dictionary trained": lambda: step_of(free_kaf()),
        "kWTA, partial sort": lambda: step_of(SortedWinners()),
        "kWTA, ours": lambda: step_of(layers.KWinnersTakeAll()),
        "mReLU": lambda: step_of(layers.SymmetricActivation(kind="mrelu")),
        "RBF": lambda: step_of(layers.SymmetricActivation(kind="rbf")),
        "SmoothReLU": lambda: step_of(layers.SmoothReLU()),
    }


def step_of(layer, jit_compile=None, shape=(None, 32, 32, 32)):
    """Returns a compiled forward and backward pass that gives the outputs and all gradients."""
    import tensorflow as tf

    layer.build(shape)

    @tf.function(reduce_retracing=True, jit_compile=jit_compile)
    def step(inputs, upstream):
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            outputs = layer(inputs)
        weights = [weight.value for weight in layer.trainable_weights]
        return outputs, tape.gradient(outputs, [inputs, *weights], upstream)

    return step


def finished(results):
    """Waits for the devices; copying the results out would cost more than some layers do."""
    import tensorflow as tf

    del results
    tf.test.experimental.sync_devices()


def activations(batch):
    """Returns normal inputs and upstream gradients of the shape that the issue measured."""
    import tensorflow as tf

    shape = (batch, 32, 32, 32)
    return tuple(tf.random.stateless_normal(shape, (seed, 0)) for seed in (0, 1))


def layer_table(rounds, batch):
    """Times the layers' steps and measures their memory."""
    inputs = activations(batch)
    made = {name: make() for name, make in steps().items()}
    timed = {name: (lambda step=step: finished(step(*inputs))) for name, step in made.items()}
    seconds = timing.interleaved(timed, rounds)
    against = timing.ratios(seconds, BASELINE)
    faster = timing.ratios(seconds, BROADCAST)
    rows = [
        (
            name,
            timing.milliseconds(values),
            timing.spread(against[name]),
            f"{1 / faster[name][1]:.1f}",
            f"{memory_in_a_fresh_process(name, batch):.1f}",
        )
        for name, values in seconds.items()
    ]
    heads = ("layer", "ms", "times ReLU", "times faster than broadcast", "memory / input")
    return tabulate(rows, heads, tablefmt="github", disable_numparse=True)


def memory_in_a_fresh_process(name, batch):
    """Returns the layer's extra memory in units of the input's size."""
    command = [sys.executable, __file__]
    flagged = [f"--memory_of={name}", f"--batch_size={batch}"]
    # Without these two, memory that was freed is kept, and hides what is taken.
    returning = {"MALLOC_MMAP_THRESHOLD_": "65536", "TF_ENABLE_ONEDNN_OPTS": "0"}
    printed = subprocess.run(
        [*command, *flagged],
        env={**os.environ, **returning},
        capture_output=True,
        text=True,
        check=True,
    )
    return float(printed.stdout)


def extra_memory(name, batch):
    """Returns the peak during three steps above what was held before, over the input's size."""
    step = steps()[name]()
    step(*activations(1))  # libraries and first compilations are not the layer's memory
    inputs = activations(batch)
    before = process_memory("VmRSS")
    with open("/proc/self/clear_refs", "w", encoding="ascii") as file:
        file.write("5")  # forgets the peak so far
    for _ in range(3):
        finished(step(*inputs))
    return (process_memory("VmHWM") - before) / (4 * inputs[0].shape.num_elements())


def process_memory(field):
    """Returns a field of /proc/self/status in bytes (Linux only)."""
    with open("/proc/self/status", encoding="ascii") as file:
        (line,) = (line for line in file if line.startswith(f"{field}:"))
    return 1024 * int(line.split()[1])


def network_step(activation, batch):
    """Returns one step of training a ResNet-20 on images of CIFAR-10's shape."""
    import keras
    import tensorflow as tf

    from robust_keras import models

    keras.utils.set_random_seed(0)
    model = models.build("resnet20", image_shape=(32, 32, 3), num_classes=10, activation=activation)
    model.compile(
        keras.optimizers.SGD(0.01, momentum=0.9),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        jit_compile=False,
    )
    images = tf.random.stateless_uniform((batch, 32, 32, 3), (0, 0))
    labels = tf.random.stateless_uniform((batch,), (1, 0), 0, 10, tf.int32)
    step = tf.function(lambda: model.train_step((images, labels)))
    return lambda: finished(step())


def network_table(rounds, batch):
    """Times a step of training for each activation."""
    names = (BASELINE, "silu", "kaf_elu", "kwta", "smooth_relu", "mrelu", "rbf")
    timed = {name: network_step(name, batch) for name in names}
    seconds = timing.interleaved(timed, rounds)
    against = timing.ratios(seconds, BASELINE)
    rows = [
        (name, timing.milliseconds(values), timing.spread(against[name]))
        for name, values in seconds.items()
    ]
    heads = ("ResNet-20 with", "ms a step", "times ReLU")
    return tabulate(rows, heads, tablefmt="github", disable_numparse=True)


def main(_):
    """Prints both tables, or one layer's memory."""
    if MEMORY_OF.value is not None:
        print(extra_memory(MEMORY_OF.value, BATCH.value))
        return
    for table in (layer_table, network_table):
        print(table(ROUNDS.value, BATCH.value), end="\n\n", flush=True)


if __name__ == "__main__":
    app.run(main)
