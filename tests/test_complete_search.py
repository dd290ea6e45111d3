"""Complete search is the truth on tiny networks: for brute force, for bounds, and for attacks."""

import keras
import numpy as np
import pytest

import robust_keras
from robust_keras.bounds import Bounds, CompleteSearch, search
from robust_keras.errors import InputError

K = keras.layers


def network(shape, seed=0):
    keras.utils.set_random_seed(seed)
    hidden = [K.Conv2D(4, 2, activation="relu"), K.Flatten(), K.Dense(8), K.ReLU()]
    return keras.Sequential([keras.Input(shape), *hidden, K.Rescaling(3.0), K.Dense(3)])


def answered(model, count, shape, seed=1):
    images = np.random.default_rng(seed).uniform(size=(count, *shape)).astype("float32")
    return images, np.asarray(model(images)).argmax(1)


def test_the_least_margin_is_that_of_brute_force():
    """Four pixels of which two may change: every place of a fine grid is looked at."""
    model = network((2, 2, 1))
    images, labels = answered(model, 6, (2, 2, 1))
    images[:, 0] = np.round(images[:, 0])
    for image, label in zip(images, labels, strict=True):
        found = search(model, image, label, 0.2)
        lower, upper = np.clip(image - 0.2, 0, 1), np.clip(image + 0.2, 0, 1)
        axes = [
            np.linspace(low, high, 21) for low, high in zip(lower.flat, upper.flat, strict=True)
        ]
        grid = np.stack(np.meshgrid(*axes), -1).reshape(-1, 2, 2, 1)
        logits = model.predict(grid, batch_size=4096, verbose=0)
        least = (logits[:, label] - np.delete(logits, label, axis=1).max(1)).min()
        assert found.verdict == ("broken" if least < 0 else "proved")
        if least >= 0:
            assert least - 0.05 < found.margin <= least + 1e-4


def test_bounds_lie_below_the_truth_and_attacks_above():
    shape, epsilon = (5, 5, 1), 0.06
    model = network(shape)
    images, labels = answered(model, 24, shape)
    found = [search(model, *each, epsilon) for each in zip(images, labels, strict=True)]
    truth = np.array([each.verdict for each in found])
    assert 3 < np.sum(truth == "broken") < 21 and not np.any(truth == "open")
    bound = Bounds(model).margins(images, labels, epsilon).min(1)
    assert np.all(bound <= [each.margin + 1e-4 for each in found])
    for image, label, each in zip(images, labels, found, strict=True):
        if each.example is not None:
            assert np.abs(each.example - image).max() <= epsilon + 1e-6
            assert np.asarray(model(each.example[None])).argmax() != label
    settings = {"attacks": "fgsm", "epsilons": (epsilon,), "certify": "complete", "progress": False}
    result = robust_keras.evaluate(model, images, labels, **settings).models[0]
    exact = np.mean(truth == "proved")
    assert np.mean(bound > 0.0) < exact == result.certified.accuracy[0]
    # What the search found counts: the bracket is closed, which this attack alone leaves open.
    assert result.worst_case.accuracy[0] == exact < result.attacks[0].accuracy[0]
    assert [attack.name for attack in result.attacks] == ["fgsm", "complete_search"]
    assert result.certified.method == "complete"


def test_other_layers_are_refused():
    model = keras.Sequential([keras.Input((4, 4, 1)), K.Flatten(), K.Dense(3, "tanh"), K.Dense(2)])
    for search_it in (CompleteSearch, lambda model: search(model, np.zeros((4, 4, 1)), 0, 0.1)):
        with pytest.raises(InputError, match="affine layers and ReLUs"):
            search_it(model)
