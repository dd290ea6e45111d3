r"""AutoAttack of torchattacks, or A3, on LeNet-5 of train.py, as rows of cascade_benchmark.py.

    python benchmarks/torch_autoattack.py --models=fast=A,trades=B --torch_python=PYTHON \
        --data_dir=PATH --rows=FILE.jsonl [--a3=DIRECTORY]

A model is a directory of train.py; its weights are carried to torch. The parts and budgets are the
published ones, with a seed each. DIRECTORY holds A3's code: then A3 is what runs.
`cascade_benchmark.py --rows=FILE.jsonl` prints the table.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

import numpy as np
from attack_cases import ROOT, weights
from cascade_benchmark import KEY, pairs, split_of
from kept_rows import KeptRows

ATTACK = "torchattacks autoattack"


def answer(directory, split, seed, attack, options):
    """What torch_attacks.py says of one model."""
    import keras

    model = keras.models.load_model(pathlib.Path(directory) / "model.keras", compile=False)
    images, labels = split.float_images(), np.asarray(split.labels, np.int64)
    with tempfile.TemporaryDirectory() as work:
        case, found = (pathlib.Path(work) / name for name in ("case.npz", "found.json"))
        answers = model.predict(images, verbose=0)
        np.savez(case, images=images, labels=labels, answers=answers, **weights(model))
        script = [options.torch_python, str(ROOT / "benchmarks" / "torch_attacks.py")]
        given = [str(case), str(found), attack, f"--epsilon={options.epsilon}", f"--seed={seed}"]
        given += [f"--a3={options.a3}"] if options.a3 else []
        subprocess.run([*script, *given, "--threads=1"], check=True)
        return json.loads(found.read_text(encoding="utf-8")), (answers.argmax(1) == labels).sum()


def row(directory, split, seed, attack, options):
    """What it leaves and takes, as in cascade_benchmark.py."""
    found, clean = answer(directory, split, seed, attack, options)
    if found["difference"] > 1e-3:
        sys.exit("the model carried to torch answers differently")
    left = np.array(found[attack]["robust"])
    return {
        "clean": int(clean),
        "left": int(left.sum()),
        "passes": [round(count / max(left.sum(), 1)) for count in found[attack]["passes"]],
        "seconds": round(found[attack]["seconds"], 1),
        "images": np.packbits(left).tobytes().hex(),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", type=pairs, required=True, help="name=directory of train.py")
    parser.add_argument("--torch_python", required=True, help="of an environment with torchattacks")
    parser.add_argument("--a3", type=os.path.abspath, help="directory of A3's code")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--data_dir", type=pathlib.Path, help="of TFDS")
    parser.add_argument("--count", type=int, default=1000, help="test images of MNIST")
    parser.add_argument("--epsilon", type=float, default=0.3)
    parser.add_argument("--rows", help="file of the rows")
    options = parser.parse_args()
    split, kept = split_of(options), KeptRows(options.rows, KEY)
    attack = "a3" if options.a3 else ATTACK
    for seed in range(options.seeds):
        for model, directory in options.models.items():
            values = model, attack, seed, options.count, options.epsilon, 0
            name = dict(zip(KEY, values, strict=True))
            if kept.known(**name) is None:
                found = kept.add(name | row(directory, split, seed, attack, options))
                print({k: v for k, v in found.items() if k != "images"}, flush=True)


if __name__ == "__main__":
    main()
