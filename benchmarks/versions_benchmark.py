"""This checkout's attacks and layers against another's, in paired rounds.

    git worktree add runs/other COMMIT
    python benchmarks/versions_benchmark.py runs/other --data_dir=PATH [--rounds=5]

Each round starts a fresh process in each checkout, in turns, for every attack and for all layers;
what is compared is processor seconds, tracing included, of which others' work takes little.
Prints new over old: median and range of the rounds, and whether both leave the same images.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys

from tabulate import tabulate

HERE = pathlib.Path(__file__).resolve().parent.parent
ATTACKS = {
    "autoattack, published budget": (
        "AutoAttack(restarts=1, **{name: 0 for name in ('again',) if hasattr(AutoAttack, name)})"
    ),
    "autoattack": "AutoAttack()",
    "quick": "Quick()",
    "pgd": "PGD()",
    "curve of 16 epsilons": "PGD()",
}
CURVE = [0.3 * (place + 1) / 16 for place in range(16)]
# Run in either checkout, whose own benchmarks it imports.
CHILD = """
import json, os, sys, time
sys.path[:0] = [".", "benchmarks"]
def seconds(function):
    began = time.process_time()
    found = function()
    return time.process_time() - began, found
"""
ATTACK = """
import argparse, pathlib
import attack_cases
from robust_keras.attacks import *
options = argparse.Namespace(work_dir=pathlib.Path({work!r}), data_dir=pathlib.Path({data!r}))
case = attack_cases.prepare({model!r}, options)
took, (found, _) = seconds(lambda: case.ours({attack}, **{settings!r}))
print(json.dumps({{{name!r}: [took, int(found.worst_case[-1].sum())]}}))
"""
LAYERS = """
import layer_benchmark, tensorflow as tf
inputs = layer_benchmark.activations(64)
found = {}
for name, make in layer_benchmark.steps().items():
    if "ours" in name or name in ("mReLU", "RBF", "SmoothReLU"):
        step = make()
        step(*inputs)
        found[name] = seconds(lambda: [step(*inputs) for _ in range(30)])[0], None
print(json.dumps(found))
"""


def programs(options):
    """What each round runs: Python texts."""
    for name, attack in ATTACKS.items():
        size = {"count": options.images, "epsilons": (0.3,)}
        if name.startswith("curve"):
            size |= {"epsilons": tuple(CURVE), "sweep": "bisection"}
        for model in options.models:
            given = {"work": options.work_dir, "data": options.data_dir, "model": model}
            label = f"{name}, {model}"
            yield CHILD + ATTACK.format(**given, name=label, attack=attack, settings=size)
    yield CHILD + LAYERS


def run(program, checkout):
    """What a program prints in a checkout: name -> [seconds, images left]."""
    quiet = {"TF_CPP_MIN_LOG_LEVEL": "3"}
    given = {"cwd": checkout, "env": os.environ | quiet, "stdout": subprocess.PIPE, "text": True}
    done = subprocess.run([sys.executable, "-c", program], check=True, **given)
    return json.loads(done.stdout.splitlines()[-1])


def row(name, old, new):
    """One line of the table."""
    ratios = [b[0] / a[0] for a, b in zip(old, new, strict=True)]
    seconds = [f"{statistics.median(r[0] for r in rows):.3g}" for rows in (old, new)]
    left = [{r[1] for r in rows} for rows in (old, new)]
    images = "" if left[0] == {None} else ", ".join("/".join(map(str, s)) for s in left)
    spread = f"{min(ratios):.2f} to {max(ratios):.2f}"
    return name, *seconds, f"{statistics.median(ratios):.2f}", spread, images


def main():
    """Prints the table, anew after each program."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("other", type=pathlib.Path, help="the other checkout")
    parser.add_argument("--data_dir", type=os.path.abspath, required=True, help="of TFDS")
    parser.add_argument("--work_dir", type=os.path.abspath, default=str(HERE / "runs/attacks"))
    parser.add_argument("--models", nargs="+", default=["standard", "adversarial"])
    parser.add_argument("--images", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    rows = []
    for program in programs(options):
        rounds = [[], []]
        for number in range(options.rounds):
            sides = [(0, options.other), (1, HERE)]
            for side, checkout in sides[:: 1 if number % 2 == 0 else -1]:
                rounds[side].append(run(program, checkout))
        for name in rounds[0][0]:
            rows.append(row(name, *([one[name] for one in side] for side in rounds)))
            print(rows[-1], file=sys.stderr, flush=True)
    heads = "", "old, s", "new, s", "new / old", "rounds", "images left: old, new"
    print(tabulate(rows, heads, tablefmt="github", disable_numparse=True))


if __name__ == "__main__":
    main()
