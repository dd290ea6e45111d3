"""What `quick` leaves beside `autoattack`, and what both take, on robust networks for MNIST.

    python benchmarks/cascade_benchmark.py --models=fast=A/serving,trades=B/serving \
        --data_dir=PATH --rows=FILE.jsonl

A row is one attack with one seed on one model: the images that it leaves, and its passes an image
left. Each is kept in --rows as soon as it is known, so that the same command goes on where it was
stopped. Then comes a table: an attack's images left with every seed, and those that the reference
leaves with all of its seeds together.
"""

import argparse
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

import numpy as np
from kept_rows import KeptRows, processor_seconds

KEY = ("model", "attack", "seed", "count", "epsilon")


def split_of(options):
    """The images that are attacked, those of `evaluate.py --dataset=mnist --examples=COUNT`."""
    from robust_keras import data

    return data.load("mnist", str(options.data_dir)).test.take(options.count, 0)


def row(classifier, split, attack, seed, options):
    """What one attack with one seed leaves and takes."""
    from robust_keras import engine
    from robust_keras.attacks import ThreatModel, registry

    began = processor_seconds()
    found = engine.evaluate(
        classifier,
        split.float_images(),
        split.labels,
        [registry.named(attack)],
        ThreatModel("linf", (options.epsilon,)),
        batch_size=options.batch_size,
        seed=seed,
    )
    result, left = found.attacks[0], found.worst_case[0]
    stages = {
        stage.name: [round(stage.accuracy[0] * len(left)), *_passes(stage, left)]
        for stage in result.stages
    }
    return {
        "clean": int(found.clean_correct.sum()),
        "left": int(left.sum()),
        "passes": _passes(result, left),
        "stages": stages,
        "seconds": round(processor_seconds() - began, 1),
        "images": np.packbits(left).tobytes().hex(),
    }


def _passes(result, left):
    """Backward and forward passes of all images, for each one left."""
    images = max(int(left.sum()), 1)
    return [round(n / images) for n in (result.gradient_evaluations, result.forward_evaluations)]


def measure(options, kept):
    """Measures what is not known yet, the first seeds of all models first."""
    from robust_keras import serving

    split = split_of(options)
    models = {name: serving.load(path) for name, path in options.models.items()}
    wanted = [
        (m, a, s)
        for s in range(max(options.seeds.values()))
        for m in models
        for a, seeds in options.seeds.items()
        if s < seeds
    ]
    for model, attack, seed in wanted:
        name = dict(zip(KEY, (model, attack, seed, options.count, options.epsilon), strict=True))
        if kept.known(**name) is None:
            found = kept.add(name | row(models[model], split, attack, seed, options))
            print({k: v for k, v in found.items() if k != "images"}, flush=True)


def standing(rows):
    """Bool array (images,): what all of the rows leave."""
    masks = [np.unpackbits(np.frombuffer(bytes.fromhex(r["images"]), np.uint8)) for r in rows]
    return np.all(masks, axis=0)


def table(kept):
    """Prints what is known."""
    titles = (
        "model",
        "clean",
        "attack",
        "left, a seed each",
        "with all seeds",
        "passes an image left",
    )
    print(f"| {' | '.join(titles)} |\n|{' --- |' * len(titles)}")
    for model, attack in sorted({(r["model"], r["attack"]) for r in kept.rows}):
        rows = [r for r in kept.rows if (r["model"], r["attack"]) == (model, attack)]
        lefts = ", ".join(str(r["left"]) for r in rows)
        passes = " + ".join(str(round(v)) for v in np.mean([r["passes"] for r in rows], axis=0))
        clean, every = rows[0]["clean"], int(standing(rows).sum())
        print(f"| {model} | {clean} | {attack} | {lefts} | {every} | {passes} |")


def pairs(text):
    """A dict of `name=value,name=value`."""
    return dict(part.split("=", 1) for part in text.split(",") if part)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", type=pairs, default={}, help="name=SavedModel, comma separated")
    parser.add_argument("--seeds", type=pairs, default="quick=5,autoattack=2", help="attack=seeds")
    parser.add_argument("--data_dir", type=pathlib.Path, help="of TFDS")
    parser.add_argument("--count", type=int, default=1000, help="test images of MNIST")
    parser.add_argument("--epsilon", type=float, default=0.3)
    parser.add_argument("--batch_size", type=int, default=250)
    parser.add_argument("--rows", help="file of the rows")
    options = parser.parse_args()
    options.seeds = {attack: int(seeds) for attack, seeds in options.seeds.items()}
    kept = KeptRows(options.rows, KEY)
    if options.models:
        measure(options, kept)
    table(kept)


if __name__ == "__main__":
    main()
