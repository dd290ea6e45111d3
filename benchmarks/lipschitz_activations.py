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

from robust_keras import data, engine, models, serving
from robust_keras.attacks import PGD, ThreatModel
from robust_keras.inside.lipschitz_proof import LipschitzProof
from robust_keras.training.losses import TemperatureCrossEntropy

SEEDS, RADII = (0, 1, 2), (0.5, 1.0, 1.58)
BATCH, ATTACKED, TEMPERATURE = 100, 100, 0.5
# Epochs that take about the same processor time.
KINDS = {
    "relu": {"epochs": 20, "kernel_settings": {}},
    "maxmin": {"epochs": 20, "kernel_settings": {}},
    "kaf_relu": {"epochs": 12, "kernel_settings": {"boundary": 2.0}},
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
    model.compile(keras.optimizers.Adam(rate), TemperatureCrossEntropy(TEMPERATURE))
    model.fit(images, labels, batch_size=BATCH, epochs=settings["epochs"], verbose=0)
    return model


def row(kind, seed, dataset):
    """What one network comes to, proved and attacked."""
    start = processor_seconds()
    images, labels = dataset.train.float_images(), np.asarray(dataset.train.labels)
    model = trained(kind, seed, images, labels)
    seconds = processor_seconds() - start
    images, labels = dataset.test.float_images(), np.asarray(dataset.test.labels)
    proof, some = LipschitzProof(model), slice(0, ATTACKED)
    proved = [proof.certify(images, labels, radius) for radius in RADII]
    attacked = engine.evaluate(
        serving.from_keras(model),
        images[some],
        labels[some],
        [PGD()],
        ThreatModel("l2", RADII),
        batch_size=ATTACKED,
        seed=seed,
        proved=np.array([each[some] for each in proved]),
    )
    return {
        "kind": kind,
        "seed": seed,
        "weights": model.count_params(),
        "processor_seconds": round(seconds, 1),
        "clean": float(np.mean(model.predict(images, verbose=0).argmax(1) == labels)),
        "proved": [float(each.mean()) for each in proved],
        "proved_of_attacked": [float(each[some].mean()) for each in proved],
        "attacked": [float(each.mean()) for each in attacked.worst_case],
    }


def _cell(values):
    return f"{statistics.mean(values):.3f} ({min(values):.3f} to {max(values):.3f})"


def show(rows):
    """Means over the seeds, least and most."""
    radii = " | ".join(
        f"proved at {radius:g} | of {ATTACKED}: proved, attacked" for radius in RADII
    )
    print(f"| activation | weights | processor seconds | clean | {radii} |")
    print("| --- " * (4 + 2 * len(RADII)) + "|")
    for kind in KINDS:
        if of_it := [each for each in rows if each["kind"] == kind]:
            cells = [str(of_it[0]["weights"])]
            cells.append(f"{statistics.mean(each['processor_seconds'] for each in of_it):.0f}")
            cells.append(_cell([each["clean"] for each in of_it]))
            for number in range(len(RADII)):
                cells.append(_cell([each["proved"][number] for each in of_it]))
                both = ("proved_of_attacked", "attacked")
                cells.append(
                    ", ".join(
                        f"{statistics.mean(each[name][number] for each in of_it):.2f}"
                        for name in both
                    )
                )
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
