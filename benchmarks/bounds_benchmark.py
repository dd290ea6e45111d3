"""Bounds of the same networks by robust_keras and by auto_LiRPA.

python benchmarks/bounds_benchmark.py PYTHON, the Python of an environment with torch and
auto_LiRPA. For each network: how far the interval bounds lie apart, as a share of the largest, and
what ours leave below the margin as a multiple of what theirs leave. Theirs are of exact
arithmetic, and so are ours here, but in the last column.
"""

import json
import pathlib
import subprocess
import sys
import tempfile

import keras
import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from robust_keras import bounds

K = keras.layers
IMAGES, CLASSES = 20, 10
METHODS = ("intervals", "linear", "thorough")


def dense(curve, *widths):
    """Hidden layers of these widths."""
    return [K.Flatten(), *(layer for n in widths for layer in (K.Dense(n), K.Activation(curve)))]


def convolutions(curve):
    """The layers of `conv_small`, narrower."""
    layers = [K.Flatten(), K.Dense(50), K.Activation(curve)]
    for filters in (8, 4):
        convolution = K.Conv2D(filters, 4, strides=2, padding="same")
        layers = [convolution, K.Activation(curve), *layers]
    return layers


NETWORKS = {
    "relu, 2 x 50": (lambda: dense("relu", 50, 50), 0.02),
    "relu, 4 x 100": (lambda: dense("relu", 100, 100, 100, 100), 0.005),
    "relu, convolutions": (lambda: convolutions("relu"), 0.03),
    "tanh, 2 x 50": (lambda: dense("tanh", 50, 50), 0.02),
    "sigmoid, 2 x 50": (lambda: dense("sigmoid", 50, 50), 0.1),
    "tanh, convolutions": (lambda: convolutions("tanh"), 0.03),
}


def build(layers):
    """A network with random weights and biases."""
    model = keras.Sequential([keras.Input((28, 28, 1)), *layers(), K.Dense(CLASSES)])
    for weight in model.trainable_weights:
        if weight.name == "bias":
            weight.assign(keras.random.normal(weight.shape, stddev=0.1))
    return model


def torch_layers(model):
    """Kinds, and weights in torch's order: channels before rows before columns."""
    kinds, weights, image = [], {}, None
    for number, layer in enumerate(model.layers):
        if isinstance(layer, K.Flatten):
            kinds.append("flatten")
            image = layer.input.shape[1:]
        elif isinstance(layer, K.Activation):
            kinds.append(layer.activation.__name__)
        else:
            kernel = np.asarray(layer.kernel, np.float64)
            is_dense = isinstance(layer, K.Dense)
            kinds.append("dense" if is_dense else "convolution")
            if is_dense and image is not None:
                kernel = kernel.reshape(*image, -1).transpose(2, 0, 1, 3).reshape(kernel.shape)
                image = None
            kernel = kernel.T if is_dense else kernel.transpose(3, 2, 0, 1)
            weights[f"{number}/kernel"] = np.ascontiguousarray(kernel)
            weights[f"{number}/bias"] = np.asarray(layer.bias, np.float64)
    return {"kinds": json.dumps(kinds), **weights}


def case_of(model, images, labels, epsilon):
    """What the other side needs."""
    eye = np.eye(CLASSES)
    rows = [[c for c in range(CLASSES) if c != label] for label in labels]
    forms = np.stack([eye[label] - eye[row] for label, row in zip(labels, rows, strict=True)])
    moved = {"lower": np.clip(images - epsilon, 0, 1), "upper": np.clip(images + epsilon, 0, 1)}
    pixels = {"images": images, **moved}
    pixels = {name: value.transpose(0, 3, 1, 2) for name, value in pixels.items()}
    return {**torch_layers(model), **pixels, "forms": forms}


def ours(model, images, labels, epsilon):
    """Our bounds by method, and the margins of the images themselves."""
    apart = bounds.Bounds(model)
    rounded = apart.margins(images, labels, epsilon)
    apart = bounds.Bounds(model, rounding=False)
    found = {m: apart.margins(images, labels, epsilon, method=m) for m in METHODS}
    found["margins"] = apart.margins(images, labels, 0.0, method="linear")
    return {**found, "rounded": rounded}


def main():
    """Prints the table."""
    python, rng, answers = sys.argv[1], np.random.default_rng(0), {}
    with tempfile.TemporaryDirectory() as place:
        cases, theirs = pathlib.Path(place, "cases"), pathlib.Path(place, "answers")
        cases.mkdir(), theirs.mkdir()
        for number, (name, (layers, epsilon)) in enumerate(NETWORKS.items()):
            keras.utils.set_random_seed(number)
            model, images = build(layers), rng.uniform(size=(IMAGES, 28, 28, 1))
            labels = model.predict(images, verbose=0).argmax(1)
            np.savez(cases / f"{number}.npz", **case_of(model, images, labels, epsilon))
            answers[name] = ours(model, images, labels, epsilon)
        script = pathlib.Path(__file__).with_name("torch_bounds.py")
        subprocess.run([python, script, cases, theirs], check=True)
        print("| network | intervals, largest difference | linear / CROWN-IBP |", end="")
        print(" thorough / CROWN | rounded outwards |\n| --- | --- | --- | --- | --- |")
        for number, (name, own) in enumerate(answers.items()):
            with np.load(theirs / f"{number}.npz") as other:
                print(row(name, own, other))


def row(name, own, other):
    """One network's line: widths below the margin as ratios, their mean and largest."""
    scale = np.abs(other["IBP"]).max()
    cells = [f"{np.abs(own['intervals'] - other['IBP']).max() / scale:.1e}"]
    for method, theirs in (("linear", "CROWN-IBP"), ("thorough", "CROWN"), ("rounded", "CROWN")):
        ratio = (own["margins"] - own[method]) / (own["margins"] - other[theirs])
        cells.append(f"{ratio.mean():.4f} (largest {ratio.max():.4f})")
    return f"| {name} | {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
