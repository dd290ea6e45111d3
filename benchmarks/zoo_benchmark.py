"""The judge among models that only look robust, and among honest ones of other seeds.

`python benchmarks/zoo_benchmark.py` prints one line of Markdown a model: the verdict, robust
accuracy as first measured and corrected, that of its honest twin, and the processor time that it
took. With `--seeds=5` the honest ones are judged once more for as many other seeds.
"""

import argparse
import pathlib
import resource
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

import zoo  # noqa: E402

import robust_keras  # noqa: E402


def judge(animal, seed, options):
    """The `ModelReport` of one animal, and the processor seconds of its evaluation."""
    images, labels = zoo.sample(options.images)
    model = animal.make(seed)
    known = {} if hasattr(model, "layers") else {"num_classes": 10}
    start = resource.getrusage(resource.RUSAGE_SELF).ru_utime
    result = robust_keras.evaluate(
        model,
        images,
        labels,
        attacks=options.attacks,
        epsilons=options.epsilon,
        progress=False,
        **known,
    )
    return result.models[0], resource.getrusage(resource.RUSAGE_SELF).ru_utime - start


def line(animal, model, seconds, truths):
    """One row of the table; `truths` holds the honest models' accuracies by name."""
    before, after = model.worst_case.before_audit[-1], model.worst_case.accuracy[-1]
    if animal.honest:
        truths[animal.name] = after
    twin = truths.get(animal.twin)
    shown = "" if twin is None or animal.honest else f"{twin:.3f}"
    settled = "; ".join(model.settled)
    open_ = "; ".join(check.check for check in model.failed if check.check not in model.settled)
    cells = (animal.name, model.verdict, f"{before:.3f}", f"{after:.3f}", shown)
    return f"| {' | '.join(cells)} | {seconds:.0f} | {settled} | {open_} |"


def main():
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--attacks", default="quick")
    parser.add_argument("--images", type=int, default=200)
    parser.add_argument("--epsilon", type=float, default=0.1)
    parser.add_argument("--trained", type=float, default=0.0, help="epsilon of the training")
    parser.add_argument("--animals", default="", help="names, comma separated; all if empty")
    parser.add_argument("--seeds", type=int, default=0, help="further seeds of the honest ones")
    options = parser.parse_args()
    chosen = [name for name in options.animals.split(",") if name]
    animals = [a for a in zoo.zoo(epsilon=options.trained) if not chosen or a.name in chosen]
    animals.sort(key=lambda animal: not animal.honest)
    truths = {}
    print("| model | verdict | before | after | twin | CPU s | settled | open |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for animal in animals:
        print(line(animal, *judge(animal, 0, options), truths), flush=True)
    for seed in range(1, options.seeds + 1):
        for animal in (a for a in animals if a.honest):
            row = line(animal, *judge(animal, seed, options), {})
            print(row.replace(animal.name, f"{animal.name} (seed {seed})", 1), flush=True)


if __name__ == "__main__":
    main()
