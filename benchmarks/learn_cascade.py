"""Which long tries `nearest_pgd`, and so `quick`, makes where short ones came near: it is learnt.

python benchmarks/learn_cascade.py --models=A/serving,B/serving --check=C/serving --data_dir=PATH

The short tries attack every image of the models. The --nearest images that came nearest to falling
are attacked by every candidate with --seeds seeds, each by itself, and how often each image fell
and what it took is kept. Then the candidate that is expected to break the most images a pass, of
those that the ones before it left, is taken again and again, each time for fewer images, as
`nearest_pgd` does, but that here an image is as near as the short tries brought it. What the order
comes to on the models of --check, from which nothing was learnt, stands beside it.
"""

import argparse
import pathlib
import sys
import typing

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

# What competes: a loss, and towards which class in the order in which the short tries came near.
CANDIDATES = (
    ("even_cross_entropy", 0),
    *((loss, rank) for loss in ("aimed_margin", "targeted_dlr") for rank in range(4)),
)


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

    size = options.batch_size
    return [right[first : first + size] for first in range(0, len(right), size)], task


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
        chance[loss, rank], passes[loss, rank] = np.sum(fell, axis=0), np.mean(taken, axis=0)
    # What fell to some candidates falls sooner or later to others too, if seldom.
    usual = np.mean(list(chance.values()), axis=0) / options.seeds
    chance = {name: (fell + usual) / (options.seeds + 1) for name, fell in chance.items()}
    return Curves(share, left, chance, passes)


def learnt(recorded, shares):
    """The candidates in the order in which they break the most a pass, one for each share.

    Args:
        recorded: list of `Curves`.
        shares: of the clean lead, up to which images meet the first try, the second, and so on.
    """
    standing, chosen = [np.ones(len(curve.share)) for curve in recorded], []
    for share in shares:
        rates = {candidate: _rate(recorded, standing, candidate, share) for candidate in CANDIDATES}
        chosen.append(max(rates, key=rates.get))
        pairs = zip(recorded, standing, strict=True)
        standing = [after(*pair, chosen[-1], share)[0] for pair in pairs]
    return chosen


def _rate(recorded, standing, candidate, share):
    """Images that are expected to fall for each gradient."""
    broken = spent = 0.0
    for curve, weights in zip(recorded, standing, strict=True):
        left, taken = after(curve, weights, candidate, share)
        broken += (weights - left).sum()
        spent += taken
    return broken / max(spent, 1e-9)


def after(curve, standing, candidate, share):
    """How likely each image still stands after one more try, and the gradients it takes."""
    among = curve.share <= share
    spent = (standing * curve.passes[candidate] * among).sum()
    return standing * (1.0 - curve.chance[candidate] * among), spent


def show(path, curve, chosen, shares):
    """Prints what the order is expected to come to on a model."""
    ever = np.any([chance > 0.0 for chance in curve.chance.values()], axis=0)
    farthest = max(curve.share[ever], default=0.0)
    print(f"\n{path}: {curve.left} left by the short tries; of the nearest {len(ever)}")
    print(f"  {ever.sum()} ever fell, the farthest at {farthest:.3f} of the clean lead")
    print("  expected of one try:", {k: round(float(v.sum()), 1) for k, v in curve.chance.items()})
    standing, spent = np.ones(len(ever)), 0.0
    for choice, share in zip(chosen, shares, strict=True):
        standing, taken = after(curve, standing, choice, share)
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
    parser.add_argument("--again", type=int, default=30, help="tries that are learnt")
    parser.add_argument("--near", type=float, default=0.25, help="see NearestPGD")
    parser.add_argument("--batch_size", type=int, default=250)
    parser.add_argument("--seeds", type=int, default=3)
    return parser.parse_args()


def main():
    """Prints what was learnt, and what it comes to on every model."""
    from robust_keras.attacks import NearestPGD

    options = parse()
    known = {path: curves(path, options) for path in options.models.split(",")}
    shares = NearestPGD(near=options.near).long_share(np.arange(options.again))
    chosen = learnt(list(known.values()), shares)
    known |= {path: curves(path, options) for path in options.check.split(",") if path}
    for path, curve in known.items():
        show(path, curve, chosen, shares)


if __name__ == "__main__":
    main()
