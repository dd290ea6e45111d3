"""The examples in docstrings run, on a small network and twenty digits, and give what they say."""

import doctest
import importlib
import pathlib

import keras
import numpy as np
import pytest
import small_classifier
import tensorflow as tf

from robust_keras import attacks, data, engine, models, serving

ROOT = pathlib.Path(__file__).parent.parent
MODULES = [
    ".".join(path.relative_to(ROOT).with_suffix("").parts)
    for path in sorted((ROOT / "robust_keras").rglob("*.py"))
    if ">>> " in path.read_text(encoding="utf-8")
]
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


@pytest.fixture(scope="module")
def stage(tmp_path_factory):
    """What examples take for granted: names, and a directory with models in it."""
    directory = tmp_path_factory.mktemp("examples")
    classifier, model = small_classifier.classifier(), _copy(small_classifier.network())
    images, labels = (part[:1660:83] for part in small_classifier.digits())
    models.build("lenet5", image_shape=(28, 28, 1), num_classes=10).save(directory / "lenet5.keras")
    serving.export(model, directory / "runs/quickstart/serving")
    threat_model = attacks.ThreatModel("linf", (0.02, 0.1))
    settings = {"batch_size": 250, "seed": 0}
    found = engine.evaluate(classifier, images, labels, [attacks.PGD()], threat_model, **settings)
    return directory, vars(attacks) | vars(engine) | {
        "classifier": classifier,
        "data": data,
        "directory": directory,
        "engine": engine,
        "export": serving.export,
        "found": found,
        "images": images,
        "keras": keras,
        "labels": labels,
        "model": model,
        "models": models,
        "np": np,
        "serving": serving,
        "tf": tf,
        "threat_model": threat_model,
    }


def _copy(network):
    """One that examples may train: other tests have the same network."""
    model = keras.models.clone_model(network)
    model.set_weights(network.get_weights())
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    return model


@pytest.mark.parametrize("name", MODULES)
def test_examples_give_what_they_say(name, stage, monkeypatch):
    directory, names = stage
    monkeypatch.chdir(directory)
    module = importlib.import_module(name)
    runner = doctest.DocTestRunner(optionflags=FLAGS)
    said = []
    for example in doctest.DocTestFinder().find(module, globs=names | vars(module)):
        runner.run(example, out=said.append)
    assert runner.tries
    assert not runner.failures, "".join(said)
