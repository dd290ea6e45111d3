"""Whether several processes that train together follow one, step by step.

    python benchmarks/workers_benchmark.py --processes=3

Real processes on this machine, joined by TF_CONFIG: SGD, no dropout, no batch normalisation, twenty
epochs of one step, so that each epoch's loss is that of a step. Tells the largest difference from
the losses of one process, relative to them, and whether all end with the same weights.
"""

import argparse
import hashlib
import json
import os
import pathlib
import socket
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT)]
STEPS, BATCH = 20, 60


def trained(directory, distribute):
    """The loss of each step, and a hash of the weights at the end."""
    from robust_keras.quiet_start import start_tensorflow

    start_tensorflow()
    from robust_keras import distribution

    strategy = distribution.strategy(distribute, batch_size=BATCH)
    from robust_keras import data, models, training
    from robust_keras.runs import training_run
    from robust_keras.runs.run_directory import TrainingDirectory
    from robust_keras.settings.config import TrainConfig
    from robust_keras.training import workers

    config = TrainConfig(
        output_dir=directory,
        optimizer="sgd",
        learning_rate=0.05,
        epochs=STEPS,
        batch_size=BATCH,
        validation_fraction=0.0,
        distribute=distribute,
    )
    training.make_reproducible(0)
    split = data.load("mnist5k").train.take(BATCH, 0)
    with strategy.scope():
        model = models.build("lenet5", image_shape=split.image_shape, num_classes=10)
        training_run.fit(model, split, config, TrainingDirectory(config))
    rows = (pathlib.Path(directory) / "logs" / "training.csv").read_text().splitlines()
    place = rows[0].split(",").index("loss")
    weights = hashlib.sha256(b"".join(w.tobytes() for w in model.get_weights())).hexdigest()
    print(json.dumps([[float(row.split(",")[place]) for row in rows[1:]], weights]), flush=True)
    workers.leave_together(strategy)


def started(directory, name, distribute, task=None):
    environment = dict(os.environ)
    if task is not None:
        environment["TF_CONFIG"] = json.dumps(task)
    command = [sys.executable, __file__, f"--train={directory}/{name}", f"--over={distribute}"]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, env=environment, stdout=pipe, stderr=pipe, text=True)


def found(process):
    output, errors = process.communicate(timeout=900)
    if process.returncode:
        raise SystemExit(errors[-2000:])
    return json.loads(output.splitlines()[-1])


def free_hosts(count):
    opened = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    hosts = [f"127.0.0.1:{each.getsockname()[1]}" for each in opened]
    for each in opened:
        each.close()
    return hosts


def compared(count):
    hosts = free_hosts(count)
    with tempfile.TemporaryDirectory() as directory:
        tasks = [
            {"cluster": {"worker": hosts}, "task": {"type": "worker", "index": index}}
            for index in range(count)
        ]
        running = [
            started(directory, index, "multi_worker", task) for index, task in enumerate(tasks)
        ]
        together = [found(process) for process in running]
        alone, _ = found(started(directory, "alone", "none"))
    losses = together[0][0]
    worst = max(abs(a - b) / abs(b) for a, b in zip(losses, alone, strict=True))
    same = len({weights for _, weights in together}) == 1
    print(f"{count} processes, {len(losses)} steps, loss {alone[0]:.4f} to {alone[-1]:.4f}")
    print(f"largest relative difference from one process: {worst:.1e}")
    print("the same weights in all, to the bit" if same else "the weights differ")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--processes", type=int, default=3)
    parser.add_argument("--train", help="directory of one process")
    parser.add_argument("--over", help="its --distribute")
    asked = parser.parse_args()
    if asked.train:
        trained(asked.train, asked.over)
    else:
        compared(asked.processes)


if __name__ == "__main__":
    main()
