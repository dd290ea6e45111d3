"""1-Lipschitz networks with several activations: equal size, about equal time, several seeds.

python benchmarks/lipschitz_activations.py benchmarks/results/lipschitz_activations.jsonl trains
what has no row there yet, on the 5,000 embedded digits, and prints the table. Settings were chosen
on images held out of the training set.
"""

import pathlib
import statistics
import sys

import keras
import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from kept_rows import KeptRows, processor_seconds

import robust_keras
from robust_keras import data, models
from robust_keras.training.losses import TemperatureCrossEntropy

SEEDS, RADII = (0, 1, 2), (0.5, 1.0, 1.58)
BATCH, ATTACKED = 100, 300
# Epochs that take about the same processor time.
KINDS = {
    "relu": {"epochs": 20, "temperature": 0.1, "kernel_settings": {}},
    "maxmin": {"epochs": 20, "temperature": 0.1, "kernel_settings": {}},
    "kaf_relu": {"epochs": 12, "temperature": 0.1, "kernel_settings": {"boundary": 1.0}},
}


def trained(kind, seed, images, labels):
    """The network of a kind, from one image batch to logits."""
    keras.utils.set_random_seed(seed)
    settings = KINDS[kind]
    model = models.build(
        "conv_small",
        image_shape=images.shape[1:],
        num_classes=10,
        activation=kind,
        kernel_settings=settings["kernel_settings"],
        mean=(float(images.mean()),),
        variance=(1.0,),
        lipschitz=1.0,
    )
    steps = settings["epochs"] * (len(images) // BATCH)
    rate = keras.optimizers.schedules.CosineDecay(2e-3, steps)
    model.compile(keras.optimizers.Adam(rate), TemperatureCrossEntropy(settings["temperature"]))
    model.fit(images, labels, batch_size=BATCH, epochs=settings["epochs"], verbose=0)
    return model


def row(kind, seed, dataset):
    """What one network comes to, proved and attacked."""
    start = processor_seconds()
    images, labels = dataset.train.float_images(), np.asarray(dataset.train.labels)
    model = trained(kind, seed, images, labels)
    seconds = processor_seconds() - start
    test = dataset.test
    found = robust_keras.evaluate(
        model,
        test.float_images()[:ATTACKED],
        np.asarray(test.labels)[:ATTACKED],
        norm="l2",
        epsilons=RADII,
        attacks="apgd_targeted",
        certify="lipschitz",
        progress=False,
    ).models[0]
    return {
        "kind": kind,
        "seed": seed,
        "weights": model.count_params(),
        "processor_seconds": round(seconds, 1),
        "clean": found.clean_accuracy,
        "proved": list(found.certified.accuracy),
        "attacked": list(found.worst_case.accuracy),
    }


def _cell(values):
    return f"{statistics.mean(values):.3f} ({min(values):.3f} to {max(values):.3f})"


def show(rows):
    """Means over the seeds, least and most."""
    radii = " | ".join(f"proved at {radius:g} | attacked" for radius in RADII)
    print(f"| activation | weights | processor seconds | clean | {radii} |")
    print("| --- " * (4 + 2 * len(RADII)) + "|")
    for kind in KINDS:
        if of_it := [each for each in rows if each["kind"] == kind]:
            cells = [str(of_it[0]["weights"])]
            cells.append(f"{statistics.mean(each['processor_seconds'] for each in of_it):.0f}")
            cells.append(_cell([each["clean"] for each in of_it]))
            for number in range(len(RADII)):
                for name in ("proved", "attacked"):
                    cells.append(_cell([each[name][number] for each in of_it]))
            print(f"| {kind}, {len(of_it)} seeds | {' | '.join(cells)} |")


def main():
    """Goes on where the rows end."""
    kept = KeptRows(sys.argv[1], ("kind", "seed"))
    dataset = data.load("mnist5k")
    for seed in SEEDS:
        for kind in KINDS:
            if kept.known(kind=kind, seed=seed) is None:
                kept.add(row(kind, seed, dataset))
    show(kept.rows)


if __name__ == "__main__":
    main()
