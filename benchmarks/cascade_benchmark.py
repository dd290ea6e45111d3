"""What `quick` leaves beside `autoattack`, and what both take, on robust networks for MNIST.

    python benchmarks/cascade_benchmark.py --models=fast=A/serving,trades=B/serving \
        --data_dir=PATH --rows=FILE.jsonl

A row is one attack with one seed on one model: the images that it leaves, and its passes an image
left. Each is kept in --rows as soon as it is known, so that the same command goes on where it was
stopped. Then comes a table: an attack's images left with every seed and with all seeds together.

`autoattack` takes an hour of a processor. With --nearest=300 it meets only the images that came
nearest to falling of those that all rows of `quick` so far leave, which shows what `quick` misses
for a third of that. The rank of the last image that falls tells whether more would.
"""

import argparse
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

import numpy as np
from kept_rows import KeptRows, processor_seconds

KEY = ("model", "attack", "seed", "count", "epsilon", "nearest")
CHEAP = "quick"
# `autoattack` as it was until then: the published ensemble with five starts of APGD-CE.
FIVE_STARTS = "autoattack before 30 November"


def split_of(options):
    """The images that are attacked, those of `evaluate.py --dataset=mnist --examples=COUNT`."""
    from robust_keras import data

    return data.load("mnist", str(options.data_dir)).test.take(options.count, 0)


def row(classifier, split, attack, seed, options, met=None):
    """What one attack with one seed leaves and takes.

    Args:
        classifier: the attacked one.
        split: the `ImageSplit`.
        attack: its name.
        seed: its seed.
        options: of the command line.
        met: the only images that it meets, the nearest first; None for all.
    """
    from robust_keras import engine
    from robust_keras.attacks import ThreatModel

    began, survivors = processor_seconds(), np.full((1, options.count), met is None)
    survivors[0, met if met is not None else []] = True
    found = engine.evaluate(
        classifier,
        split.float_images(),
        split.labels,
        [_attack(attack)],
        ThreatModel("linf", (options.epsilon,)),
        batch_size=options.batch_size,
        seed=seed,
        survivors=survivors,
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
        "nearest_first": nearest_first(found),
        "fell": [rank for rank, image in enumerate(met or ()) if not left[image]],
    }


def _attack(name):
    """An attack by its name, or `FIVE_STARTS`."""
    from robust_keras.attacks import AutoAttack, registry

    return AutoAttack(restarts=5, again=0) if name == FIVE_STARTS else registry.named(name)


def nearest_first(found):
    """The images that are left, those whose answer came nearest to another class first."""
    left = np.flatnonzero(found.worst_case[0])
    return left[np.argsort(found.per_image.margin[left], kind="stable")].tolist()


def nearest(rows, count):
    """The nearest images of those that all of some rows leave, in their order."""
    ranks = [{image: rank for rank, image in enumerate(r["nearest_first"])} for r in rows]
    known = [image for image in ranks[0] if all(image in rank for rank in ranks)]
    return sorted(known, key=lambda image: min(rank[image] for rank in ranks))[:count]


def _cheap(kept, name):
    """The rows of `quick` on the same model and images, of all seeds."""
    same = name | {"attack": CHEAP, "nearest": 0}
    return [row for row in kept.rows if all(row[k] == same[k] for k in KEY if k != "seed")]


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
        few = 0 if attack == CHEAP else options.nearest
        values = model, attack, seed, options.count, options.epsilon, few
        name = dict(zip(KEY, values, strict=True))
        if kept.known(**name) is None:
            met = nearest(_cheap(kept, name), few) if few else None
            found = kept.add(name | row(models[model], split, attack, seed, options, met))
            print({k: v for k, v in found.items() if k not in ("images", "nearest_first")})


def standing(rows):
    """Bool array (images,): what all of the rows leave."""
    masks = [np.unpackbits(np.frombuffer(bytes.fromhex(r["images"]), np.uint8)) for r in rows]
    return np.all(masks, axis=0)


def table(kept):
    """Prints what is known."""
    titles = (
        "model",
        "images",
        "clean",
        "attack",
        "left, a seed each",
        "with all seeds",
        "passes an image left",
    )
    print(f"| {' | '.join(titles)} |\n|{' --- |' * len(titles)}")
    for key in sorted({_titled(r) for r in kept.rows}):
        rows, (model, count, attack) = [r for r in kept.rows if _titled(r) == key], key
        lefts = ", ".join(str(r["left"]) for r in rows)
        passes = " + ".join(str(round(v)) for v in np.mean([r["passes"] for r in rows], axis=0))
        clean, every = rows[0]["clean"], int(standing(rows).sum())
        print(f"| {model} | {count} | {clean} | {attack} | {lefts} | {every} | {passes} |")


def _titled(row):
    few = row["nearest"]
    return row["model"], row["count"], row["attack"] + (f", the nearest {few}" if few else "")


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
    parser.add_argument("--nearest", type=int, default=0, help="images that autoattack meets")
    parser.add_argument("--rows", help="file of the rows")
    options = parser.parse_args()
    options.seeds = {attack: int(seeds) for attack, seeds in options.seeds.items()}
    kept = KeptRows(options.rows, KEY)
    if options.models:
        measure(options, kept)
    table(kept)


if __name__ == "__main__":
    main()
