"""autoattack and quick against torchattacks' parts, on the same weights, images and threads.

python benchmarks/attack_benchmark.py --data_dir=PATH --torch_python=VENV/bin/python

Trains two LeNet-5 on MNIST (about ten minutes on two cores), one standard, one with fast
adversarial training at epsilon 0.3, and keeps them in --work_dir for the next time.
"""

import argparse
import dataclasses
import json
import os
import pathlib
import subprocess
import sys
import time

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

EPSILON = 0.3
TRAINING = {
    "standard": "--dataset=mnist --model=lenet5 --batch_size=100 --epochs=3",
    "adversarial": f"--flagfile={ROOT}/configs/mnist_fast.cfg",
}
# Least speed-up over torchattacks, and how many images more than torchattacks may be left.
WANTED = {
    ("standard", "autoattack"): (3.0, 1),
    ("adversarial", "autoattack"): (1.5, 1),
    ("adversarial", "quick"): (8.0, None),
}


@dataclasses.dataclass(frozen=True)
class Case:
    """One model and what the other library is given of it."""

    name: str
    classifier: object
    images: np.ndarray
    labels: np.ndarray
    path: pathlib.Path


def train(name, options):
    """The path of the trained model, trained first unless it is there."""
    directory = options.work_dir / name
    path = directory / "model.keras"
    if not path.exists():
        where = [f"--output_dir={directory}", f"--data_dir={options.data_dir}"]
        command = [sys.executable, str(ROOT / "train.py"), *TRAINING[name].split(), *where]
        subprocess.run(command, check=True)
    return path


def prepare(name, options):
    """The `Case` of a model: its weights and the images go into a file."""
    import keras

    from robust_keras import data, serving

    path = train(name, options)
    model = keras.models.load_model(path, compile=False)
    split = data.load("mnist", str(options.data_dir)).test.take(options.examples, 0)
    images, labels = split.float_images(), np.asarray(split.labels, np.int64)
    weights = {
        f"{layer.name}/{variable.name}": np.asarray(variable.value)
        for layer in model.layers
        for variable in layer.weights
        if variable.name in ("kernel", "bias")
    }
    scale = model.get_layer("normalization").get_config()
    moments = {name: np.float64(scale[name][0]) for name in ("mean", "variance")}
    file = options.work_dir / f"{name}.npz"
    answers = np.asarray(model(images))
    np.savez(file, images=images, labels=labels, answers=answers, **moments, **weights)
    return Case(name, serving.load(str(path)), images, labels, file)


def theirs(case, budget, options):
    """What torchattacks leaves, and its seconds."""
    answer = options.work_dir / f"{case.name}.json"
    script = str(ROOT / "benchmarks" / "torch_autoattack.py")
    command = [options.torch_python, script, str(case.path), str(answer)]
    flags = [f"--budget={budget}", f"--epsilon={EPSILON}", f"--threads={options.threads}"]
    subprocess.run(command + flags, check=True)
    found = json.loads(answer.read_text(encoding="utf-8"))
    if found["difference"] > 1e-3:
        sys.exit(f"the ported model differs by {found['difference']}")
    return np.array(found["robust"]), found["seconds"]


def ours(case, attack):
    """What robust_keras leaves, and its seconds, tracing included."""
    from robust_keras.attacks import ThreatModel, engine

    threat_model = ThreatModel("linf", (EPSILON,))
    settings = {"batch_size": len(case.images), "seed": 0}
    start = time.perf_counter()
    found = engine.evaluate(
        case.classifier, case.images, case.labels, [attack], threat_model, **settings
    )
    return found.worst_case[0], time.perf_counter() - start


def report(case, options):
    """Prints the rows of one model; returns whether all that is wanted holds."""
    from robust_keras.attacks import AutoAttack, Quick

    shipped = theirs(case, "as shipped", options)
    published = theirs(case, "published", options)
    fine, left = True, {}
    for attack in (AutoAttack(), Quick()):
        robust, seconds = ours(case, attack)
        left[attack.name] = int(robust.sum())
        ratio = published[1] / seconds
        fastest, more = WANTED.get((case.name, attack.name), (None, None))
        limit = left["autoattack"] + 2 if attack.name == "quick" else published[0].sum() + more
        right = robust.sum() <= limit
        fast = fastest is None or ratio >= fastest
        fine &= bool(right and fast)
        row = [case.name, attack.name, robust.sum(), published[0].sum(), shipped[0].sum()]
        row += [f"{seconds:.1f}", f"{published[1]:.1f}", f"{shipped[1]:.1f}", f"{ratio:.1f}"]
        row += [fastest or "", "yes" if right else "NO", "yes" if fast else "NO"]
        print("| " + " | ".join(map(str, row)) + " |", flush=True)
    return fine


def parse():
    """The options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data_dir", type=pathlib.Path, required=True, help="of TFDS")
    parser.add_argument("--torch_python", required=True, help="python with torch, torchattacks")
    parser.add_argument("--work_dir", type=pathlib.Path, default=pathlib.Path("runs/attacks"))
    parser.add_argument("--models", nargs="+", choices=TRAINING, default=list(TRAINING))
    parser.add_argument("--examples", type=int, default=200)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    return parser.parse_args()


def main():
    options = parse()
    options.work_dir.mkdir(parents=True, exist_ok=True)
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(options.threads)
    cases = [prepare(name, options) for name in options.models]
    heads = ["model", "attack", "robust", "torchattacks (100 steps)", "torchattacks (as shipped)"]
    heads += ["seconds", "torchattacks (100 steps)", "torchattacks (as shipped)", "times faster"]
    heads += ["wanted", "right", "fast"]
    print("| " + " | ".join(heads) + " |\n|" + " --- |" * len(heads), flush=True)
    # All of them run, also where the first falls short.
    results = [report(case, options) for case in cases]
    sys.exit(0 if all(results) else 1)


if __name__ == "__main__":
    main()
