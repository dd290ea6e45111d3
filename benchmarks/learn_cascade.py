"""Which attacks, in which order, break the most images for each gradient: a cascade is learnt.

python benchmarks/learn_cascade.py --models=A/serving,B/serving --check=C/serving --data_dir=PATH

Every candidate attacks every image of the models once, and what it broke and took is kept. Then
the stage that breaks the most images a gradient, of those that the stages before it left, is taken
again and again until none breaks one image in a thousand. The cascade is tried on the models of
--check, from which nothing was learnt, beside `quick` as it is.
"""

import argparse
import pathlib
import sys

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

# A stage that breaks fewer of all images is not worth its place.
_LEAST_SHARE = 0.001


def candidates():
    """The attacks that compete, by what is printed for them."""
    from robust_keras.attacks import APGDCE, APGDDLR, APGDTargeted, MarginPGD, NearestPGD

    near = [
        NearestPGD(steps=steps, targets=targets, again=again)
        for steps, targets, again in ((10, 3, 0), (25, 3, 0), (25, 5, 0), (25, 5, 5), (60, 1, 0))
    ]
    others = APGDDLR(steps=20), APGDCE(steps=100), APGDTargeted(steps=30, targets=5)
    found = [*near, *others, MarginPGD(steps=20)]
    return {f"{attack.name} {list(attack.settings().values())}": attack for attack in found}


def trial(classifier, attack, images, labels, options):
    """What one attack broke, bool (images,), and the gradients that each image took."""
    from robust_keras.attacks import ThreatModel
    from robust_keras.attacks.loops.fooled import is_fooled
    from robust_keras.attacks.loops.prediction import predict
    from robust_keras.engine import generators

    threat_model = ThreatModel(options.norm, (options.epsilon,))
    broken, gradients = [], []
    for first in range(0, len(images), options.batch_size):
        rows = slice(first, first + options.batch_size)
        random = generators(options.seed, attack.name, options.epsilon, 0, range(len(images))[rows])
        settings = {"epsilon": options.epsilon, "generators": random}
        given = classifier, images[rows], labels[rows]
        proposal = attack.propose(*given, threat_model=threat_model, **settings)
        moved = threat_model.project(images[rows], proposal.images, options.epsilon)
        broken.append(is_fooled(predict(classifier, moved, len(moved)), labels[rows]))
        gradients.append(proposal.gradient_evaluations)
    return np.concatenate(broken), np.concatenate(gradients)


def curves(path, options):
    """Candidate -> what it broke and took, of the images that the model answers rightly."""
    from robust_keras import data, serving
    from robust_keras.attacks.loops.fooled import correct
    from robust_keras.attacks.loops.prediction import predict

    classifier = serving.load(path)
    split = data.load("mnist", str(options.data_dir)).test.take(options.count, 0)
    images, labels = split.float_images(), np.asarray(split.labels, np.int64)
    right = correct(predict(classifier, images, options.batch_size), labels)
    given = images[right], labels[right], options
    return {name: trial(classifier, attack, *given) for name, attack in candidates().items()}


def learnt(recorded):
    """The candidates in the order in which they break the most for each gradient.

    Args:
        recorded: list of what `curves` returned, one a model.
    """
    chosen, total = [], sum(len(curve[name][0]) for curve in recorded for name in list(curve)[:1])
    while True:
        rates = {name: _rate(recorded, chosen, name) for name in recorded[0] if name not in chosen}
        name = max(rates, key=lambda name: rates[name][0], default=None)
        if name is None or rates[name][1] < _LEAST_SHARE * total:
            return chosen
        chosen.append(name)


def _rate(recorded, chosen, name):
    """Images broken a gradient, and images broken, of those that the chosen ones left."""
    broken = gradients = 0
    for curve in recorded:
        left = _left(curve, chosen)
        broken += (curve[name][0] & left).sum()
        gradients += curve[name][1][left].sum()
    return broken / max(gradients, 1), broken


def _left(curve, names):
    size = len(next(iter(curve.values()))[0])
    return ~np.any([np.zeros(size, bool), *(curve[name][0] for name in names)], axis=0)


def price(curve, names):
    """Images that the cascade leaves, and gradients an image left."""
    taken = sum(
        curve[name][1][_left(curve, names[:place])].sum() for place, name in enumerate(names)
    )
    left = _left(curve, names).sum()
    return left, taken / max(left, 1)


def show(path, curve, names):
    """Prints what the cascade comes to on a model, and each candidate alone."""
    print(f"\n{path}: {len(_left(curve, []))} images answered rightly")
    for title, cascade in (("learnt", names), *((name, [name]) for name in curve)):
        left, gradients = price(curve, cascade)
        print(f"  {left:5d} left, {gradients:6.0f} gradients an image left: {title}", flush=True)


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
    parser.add_argument("--count", type=int, default=300, help="test images of MNIST")
    parser.add_argument("--batch_size", type=int, default=250)
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


def main():
    options = parse()
    known = {path: curves(path, options) for path in options.models.split(",")}
    names = learnt(list(known.values()))
    print("learnt, in this order:", *names, sep="\n  ")
    known |= {path: curves(path, options) for path in options.check.split(",") if path}
    for path, curve in known.items():
        show(path, curve, names)


if __name__ == "__main__":
    main()
