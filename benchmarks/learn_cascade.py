"""Which long tries `nearest_pgd`, and so `quick`, makes where short ones came near: it is learnt.

python benchmarks/learn_cascade.py --models=A/serving,B/serving --check=C/serving --data_dir=PATH

The short tries attack every image of the models. The --nearest images that came nearest to falling
are attacked by every candidate with --seeds seeds, each by itself, and how often each image fell
and what it took is kept. Then the candidate, and the share of the clean lead up to which it is
worth its passes, that is expected to break the most images a pass of those that the ones before it
left, is taken again and again. What the order comes to on the models of --check, from which nothing
was learnt, stands beside it.
"""

import argparse
import pathlib
import sys
import typing

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

# What competes: a loss, and towards which class in the order in which the short tries came near.
CANDIDATES = (*(("aimed_margin", rank) for rank in range(4)), ("even_cross_entropy", 0))
# Shares of the clean lead up to which a candidate may be tried.
SHARES = (0.02, 0.04, 0.07, 0.1, 0.15, 0.2, 0.3)


class Curves(typing.NamedTuple):
    """What was recorded of one model.

    `share` float (near,), what the short tries left of the lead; `left` the images that they left;
    `chance` and `passes` candidate -> float (near,), how often each fell, and gradients it took.
    """

    share: np.ndarray
    left: int
    chance: dict
    passes: dict


def batches(path, options):
    """`Task`s of the images that a model answers rightly, with a function that seeds them anew."""
    from robust_keras import data, engine, serving
    from robust_keras.attacks import ThreatModel
    from robust_keras.attacks.loops.fooled import correct
    from robust_keras.attacks.loops.prediction import predict
    from robust_keras.attacks.loops.task import Task

    classifier, threat_model = serving.load(path), ThreatModel(options.norm, (options.epsilon,))
    split = data.load("mnist", str(options.data_dir)).test.take(options.count, 0)
    images, labels = split.float_images(), np.asarray(split.labels, np.int64)
    right = np.flatnonzero(correct(predict(classifier, images, options.batch_size), labels))

    def task(rows, name, seed):
        random = engine.generators(seed, name, options.epsilon, 0, rows)
        given = classifier, images[rows], labels[rows], threat_model, options.epsilon, random
        return Task(*given)

    return [right[n : n + options.batch_size] for n in range(0, len(right), options.batch_size)], task


def short(path, options):
    """The images that came nearest, the classes and shares of these, and how many are left."""
    from robust_keras.attacks import NearestPGD
    from robust_keras.attacks.loops.linear_distances import nearest_others
    from robust_keras.attacks.loops.search import Search

    attack, (rows, task) = NearestPGD(), batches(path, options)
    parts = []
    for some in rows:
        given = task(some, attack.name, 0)
        search = Search(attack, given)
        came = attack.short_tries(search, nearest_others(given, attack.targets, 9))
        held = ~search.fooled
        parts.append((some[held], came.towards[:, held], came.share[held]))
    images, share = (np.concatenate([part[n] for part in parts]) for n in (0, 2))
    towards = np.concatenate([part[1] for part in parts], axis=1)
    near = np.argsort(share, kind="stable")[: options.nearest]
    return task, images[near], towards[:, near], share[near], len(images)


def curves(path, options):
    """The `Curves` of a model."""
    from robust_keras.attacks import NearestPGD
    from robust_keras.attacks.loops.search import Search

    task, images, towards, share, left = short(path, options)
    chance, passes, attack = {}, {}, NearestPGD()
    for loss, rank in CANDIDATES:
        fell, taken = [], []
        for seed in range(options.seeds):
            search = Search(attack, task(images, f"{loss} {rank}", seed))
            search.run(towards[rank], attack=attack.long_try(loss))
            fell.append(search.fooled)
            taken.append(search.proposal(forwards=0).gradient_evaluations)
        chance[loss, rank], passes[loss, rank] = np.mean(fell, axis=0), np.mean(taken, axis=0)
    return Curves(share, left, chance, passes)


def learnt(recorded, count):
    """So many tuples (loss, rank, share), in the order in which they break the most a pass."""
    standing = [np.ones(len(curve.share)) for curve in recorded]
    chosen = []
    for _ in range(count):
        rates = {
            (*candidate, share): _rate(recorded, standing, candidate, share)
            for candidate in CANDIDATES
            for share in SHARES
        }
        chosen.append(max(rates, key=rates.get))
        standing = [after(*pair, chosen[-1])[0] for pair in zip(recorded, standing, strict=True)]
    return chosen


def _rate(recorded, standing, candidate, share):
    """Images that are expected to fall for each gradient; every model counts the same."""
    broken = spent = 0.0
    for curve, weights in zip(recorded, standing, strict=True):
        left, taken = after(curve, weights, (*candidate, share))
        broken += (weights - left).sum() / curve.left
        spent += taken / curve.left
    return broken / max(spent, 1e-9)


def after(curve, standing, choice):
    """How likely each image still stands after one more try, and the gradients it takes."""
    loss, rank, share = choice
    among = curve.share <= share
    spent = (standing * curve.passes[loss, rank] * among).sum()
    return standing * (1.0 - curve.chance[loss, rank] * among), spent


def show(path, curve, chosen):
    """Prints what the order is expected to come to on a model."""
    ever = np.any([chance > 0.0 for chance in curve.chance.values()], axis=0)
    farthest = max(curve.share[ever], default=0.0)
    print(f"\n{path}: {curve.left} left by the short tries; of the nearest {len(ever)}")
    print(f"  {ever.sum()} ever fell, the farthest at {farthest:.3f} of the clean lead")
    standing, spent = np.ones(len(ever)), 0.0
    for choice in chosen:
        standing, taken = after(curve, standing, choice)
        spent += taken / curve.left
        print(f"  {standing[ever].sum():5.1f} of these left, {spent:6.1f} gradients: {choice}")


def parse():
    """The options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--models", required=True, help="SavedModels to learn from, comma separated"
    )
    parser.add_argument("--check", default="", help="SavedModels that nothing is learnt from")
    parser.add_argument("--data_dir", type=pathlib.Path, required=True, help="of TFDS")
    parser.add_argument("--norm", choices=("linf", "l2"), default="linf")
    parser.add_argument("--epsilon", type=float, default=0.3)
    parser.add_argument("--count", type=int, default=1000, help="test images of MNIST")
    parser.add_argument("--nearest", type=int, default=150, help="images that candidates attack")
    parser.add_argument("--tries", type=int, default=20, help="tries that are learnt")
    parser.add_argument("--batch_size", type=int, default=250)
    parser.add_argument("--seeds", type=int, default=3)
    return parser.parse_args()


def main():
    """Prints what was learnt, and what it comes to on every model."""
    options = parse()
    known = {path: curves(path, options) for path in options.models.split(",")}
    chosen = learnt(list(known.values()), options.tries)
    known |= {path: curves(path, options) for path in options.check.split(",") if path}
    for path, curve in known.items():
        show(path, curve, chosen)


if __name__ == "__main__":
    main()
