"""The judge among models that only look robust, and among honest ones of other seeds.

`python benchmarks/zoo_benchmark.py` prints one line of Markdown a model: the verdict, robust
accuracy as first measured and corrected, that of its honest twin, and the processor time that it
took. With `--seeds=5` the honest ones are judged once more for as many other seeds. With
`--rows=FILE.jsonl` each is kept as soon as it is known, and the same command goes on from there.
"""

import argparse
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

import zoo  # noqa: E402
from kept_rows import KeptRows, processor_seconds  # noqa: E402

import robust_keras  # noqa: E402

KEY = ("name", "seed", "attacks", "norm", "epsilon", "images", "trained")


def judge(animal, seed, options):
    """What is found of one animal, and the processor seconds of its evaluation."""
    images, labels = zoo.sample(options.images)
    model = animal.make(seed)
    known = {} if hasattr(model, "layers") else {"num_classes": 10}
    start = processor_seconds()
    model = robust_keras.evaluate(
        model,
        images,
        labels,
        attacks=options.attacks,
        norm=options.norm,
        epsilons=options.epsilon,
        progress=False,
        **known,
    ).models[0]
    return {
        "verdict": model.verdict,
        "before": model.worst_case.before_audit[-1],
        "after": model.worst_case.accuracy[-1],
        "cpu_seconds": round(processor_seconds() - start, 1),
        "settled": list(model.settled),
        "open": [check.check for check in model.failed if check.check not in model.settled],
    }


def judged(animal, seed, options, kept):
    """The row of one animal, from the file or made now."""
    values = animal.name, seed, options.attacks, options.norm, options.epsilon, options.images
    name = dict(zip(KEY, (*values, options.trained), strict=True))
    return kept.known(**name) or kept.add(name | judge(animal, seed, options))


def line(animal, row, truths):
    """One row of the table; `truths` holds the honest models' accuracies by name and seed."""
    if animal.honest:
        truths[animal.name, row["seed"]] = row["after"]
    twin = truths.get((animal.twin, row["seed"]))
    shown = "" if twin is None or animal.honest else f"{twin:.3f}"
    name = animal.name + (f" (seed {row['seed']})" if row["seed"] else "")
    cells = name, row["verdict"], f"{row['before']:.3f}", f"{row['after']:.3f}", shown
    doubts = "; ".join(row["settled"]), "; ".join(row["open"])
    return f"| {' | '.join(cells)} | {row['cpu_seconds']:.0f} | {' | '.join(doubts)} |"


def main():
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--attacks", default="quick")
    parser.add_argument("--images", type=int, default=200)
    parser.add_argument("--norm", default="linf")
    parser.add_argument("--epsilon", type=float, default=0.1)
    parser.add_argument("--trained", type=float, default=0.0, help="epsilon of the training")
    parser.add_argument("--animals", default="", help="names, comma separated; all if empty")
    parser.add_argument("--seeds", type=int, default=0, help="further seeds of the honest ones")
    parser.add_argument("--rows", help="file of the rows")
    options = parser.parse_args()
    chosen = [name for name in options.animals.split(",") if name]
    animals = [a for a in zoo.zoo(epsilon=options.trained) if not chosen or a.name in chosen]
    animals.sort(key=lambda animal: not animal.honest)
    kept, truths = KeptRows(options.rows, KEY), {}
    print("| model | verdict | before | after | twin | CPU s | settled | open |")
    print(f"|{' --- |' * 8}")
    wanted = [(animal, 0) for animal in animals]
    wanted += [(a, seed) for seed in range(1, options.seeds + 1) for a in animals if a.honest]
    for animal, seed in wanted:
        print(line(animal, judged(animal, seed, options, kept), truths), flush=True)


if __name__ == "__main__":
    main()
