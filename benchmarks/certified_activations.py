"""Certified training of one small network with several activations, several seeds.

python benchmarks/certified_activations.py ROWS.csv trains what has no row there yet, by the recipe
of configs/mnist_certified.cfg on the 5,000 embedded digits in a ball of 0.1, and prints the table.
"""

import csv
import pathlib
import resource
import statistics
import sys

import keras
import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from robust_keras import data, models
from robust_keras.bounds import Bounds
from robust_keras.training.adversarial import AdversarialSettings, AdversarialTraining

ACTIVATIONS, SEEDS = ("relu", "smooth_relu", "kaf_elu"), (0, 1, 2)
EPSILON, EPOCHS, RAMP, BATCH, PROVED_IMAGES = 0.1, 20, 8, 100, 500
COLUMNS = ("activation", "seed", "clean", "proved", "processor_seconds")


def processor_seconds():
    """User and system time of this process."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def trained(activation, seed, split):
    """The network after certified training."""
    keras.utils.set_random_seed(seed)
    model = models.build(
        "conv_small",
        image_shape=split.image_shape,
        num_classes=10,
        activation=activation,
        kernel_initializer="ibp",
        batch_normalization=True,
    )
    settings = AdversarialSettings(
        method="ibp", epsilon=EPSILON, warm_up_epochs=1, epsilon_ramp_epochs=RAMP
    )
    training = AdversarialTraining(model, settings, seed=seed)
    steps = EPOCHS * (len(split) // BATCH)
    rate = keras.optimizers.schedules.CosineDecay(2e-3, steps)
    training.compile(
        keras.optimizers.Adam(rate, global_clipnorm=10.0),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )
    training.fit(
        split.float_images(), np.asarray(split.labels), batch_size=BATCH, epochs=EPOCHS, verbose=0
    )
    return model


def row(activation, seed, dataset):
    """One run's row."""
    start = processor_seconds()
    model = trained(activation, seed, dataset.train)
    seconds = processor_seconds() - start
    images, labels = dataset.test.float_images(), np.asarray(dataset.test.labels)
    clean = np.mean(model.predict(images, verbose=0).argmax(1) == labels)
    some = slice(0, PROVED_IMAGES)
    proved = Bounds(model).certify(images[some], labels[some], EPSILON, method="linear").mean()
    return dict(zip(COLUMNS, (activation, seed, clean, proved, round(seconds, 1)), strict=True))


def show(rows):
    """Means over the seeds, least and most."""
    print("| activation | clean | proved | processor seconds |\n| --- | --- | --- | --- |")
    for activation in ACTIVATIONS:
        of_it = [each for each in rows if each["activation"] == activation]
        cells = []
        for name, digits in (("clean", 3), ("proved", 3), ("processor_seconds", 0)):
            values = [float(each[name]) for each in of_it]
            if values:
                ends = f"{min(values):.{digits}f} to {max(values):.{digits}f}"
                cells.append(f"{statistics.mean(values):.{digits}f} ({ends})")
        print(f"| {activation}, {len(of_it)} seeds | {' | '.join(cells)} |")


def main():
    """Goes on where the rows end."""
    path = pathlib.Path(sys.argv[1])
    rows = list(csv.DictReader(path.read_text().splitlines())) if path.exists() else []
    done = {(each["activation"], int(each["seed"])) for each in rows}
    dataset = data.load("mnist5k")
    for seed in SEEDS:
        for activation in ACTIVATIONS:
            if (activation, seed) not in done:
                rows.append(row(activation, seed, dataset))
                with path.open("w", newline="") as stream:
                    writer = csv.DictWriter(stream, COLUMNS)
                    writer.writeheader()
                    writer.writerows(rows)
    show(rows)


if __name__ == "__main__":
    main()
