"""Curves over strengths: of a linear network the numbers are known, and a page tells them."""

import keras
import numpy as np
import pytest

from robust_keras import data, serving
from robust_keras.studies import curves, page, picture
from robust_keras.studies.known import Known, NotRunError
from robust_keras.studies.seen import Seen
from robust_keras.studies.study import Place
from robust_keras.unusual import noisy_samples

COUNT = 60
STRENGTHS = (0.0, 0.02, 0.3)


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """What `curves.measured` finds of a linear network, and its weights."""
    directory = tmp_path_factory.mktemp("study")
    train = data.load("mnist5k", None).train
    images = train.float_images().reshape(len(train), -1)
    means = np.stack([images[train.labels == label].mean(axis=0) for label in range(10)])
    inputs = keras.Input((28, 28, 1))
    dense = keras.layers.Dense(10)
    network = keras.Model(inputs, dense(keras.layers.Flatten()(inputs)))
    dense.set_weights([means.T, -(means**2).sum(axis=1) / 2])
    serving.export(network, directory / "net-0" / "serving")
    made = curves.measured("net-0", "mnist5k", STRENGTHS)(Place(directory), COUNT)
    return made, dense.get_weights()


def test_the_step_is_the_studys_and_nothing_is_cut_off(found):
    made, (weights, biases) = found
    test = data.load("mnist5k", None).test.select(slice(0, COUNT))
    flat, labels = test.float_images().reshape(COUNT, -1), test.labels
    logits = flat @ weights + biases
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    errors = (powers / powers.sum(axis=1, keepdims=True))[:, None] - np.eye(10)
    gradients = errors @ weights.T
    lengths = np.abs(gradients).sum(axis=2)
    lengths[np.arange(COUNT), labels] = -1
    steps = np.sign(gradients[np.arange(COUNT), lengths.argmax(axis=1)])
    expected = [
        ((flat - strength * steps) @ weights + biases).argmax(axis=1) == labels
        for strength in STRENGTHS
    ]
    assert made["images"] == COUNT
    told = [row["accuracy"] for row in made["adversarial"]]
    assert told == pytest.approx([right.mean() for right in expected], abs=1.5 / COUNT)
    assert told[0] == made["noisy"][0]["accuracy"] > told[1] > told[2]
    assert [row["strength"] for row in made["nonsense"]] == list(STRENGTHS)


def test_a_share_is_that_of_the_kind_and_the_strength(found):
    made, _ = found
    seen = Seen(Known("nowhere", {("make", "curves_net-0"): made}), 0)
    for kind, field in (("adversarial", "accuracy"), ("nonsense", "accepted")):
        values = curves.share("net", kind, 0.3)(seen)
        assert len(values) == COUNT and values.mean() == pytest.approx(made[kind][2][field])
    with pytest.raises(NotRunError, match="noisy of 0.1 on net"):
        curves.share("net", "noisy", 0.1)(seen)


def test_the_strengths_are_the_published_ones():
    for name, channels in (("mnist", 1), ("cifar10", 3)):
        subject = type("", (), {"image_shape": (8, 8, channels)})
        assert curves.STRENGTHS[name] == noisy_samples.published_strengths(subject)


def test_a_table_of_a_curve_tells_means_and_leaves_out_what_has_not_run():
    one = {"mean": 0.25, "low": 0.2, "high": 0.3}
    lines = [{"label": "net", "found": [one, None]}, {"label": "later", "found": [None, None]}]
    figure = {"title": "MNIST: noise, %", "across": "strength", "places": [0.0, 0.5]}
    told = page._curves({**figure, "lines": lines})
    assert told.splitlines()[2:] == [
        "| strength | 0 | 0.5 |",
        "| --- | --- | --- |",
        "| net | 25.0 |  |",
    ]
    assert page._curves({**figure, "lines": lines[1:]}) == "MNIST: noise, %: not run yet."


def test_colours_begin_again_with_another_dash():
    looks = [picture._look(number, 2) for number in range(4)]
    assert [look[0] for look in looks] == [looks[0][0], looks[1][0]] * 2
    assert looks[0][0] != looks[1][0] and looks[0][1] != looks[2][1]
    assert len({picture._look(number, 0)[0] for number in range(3)}) == 3
