"""From one end to the other: over all devices, and written, read and attacked again."""

import pathlib
import tempfile

import keras
import numpy as np
import tensorflow as tf

from accelerator import attacked_model
from accelerator.rows import Row, must
from robust_keras import distribution, engine, models, serving
from robust_keras.attacks import PGD, ThreatModel
from robust_keras.training.adversarial import AdversarialSettings, AdversarialTraining

# Of logits or losses, relative to the largest; TensorFloat-32 in the convolutions.
TOLERANCE = 1e-2


def rows(settings, group):
    """Mirrored training and evaluation, export and reload, the Keras file."""
    batch, activation = (16, "relu") if settings.smoke else (128, "kaf_elu")
    return [
        Row(group, "mirrored adversarial training", lambda: _mirrored_training(batch)),
        Row(group, "evaluation over all devices", lambda: _mirrored_evaluation(batch)),
        Row(group, "exported and reloaded", lambda: _reloaded("served", activation, batch)),
        Row(group, "saved and reloaded", lambda: _reloaded("model.keras", activation, batch)),
    ]


def _mirrored_training(batch):
    """Losses of five steps over all devices beside those of one."""
    strategy = distribution.strategy("mirrored", batch_size=batch)
    one, all_devices = (_losses(s, batch) for s in (tf.distribute.get_strategy(), strategy))
    difference = float(np.max(np.abs(one - all_devices) / one))
    must(difference < TOLERANCE, f"losses {all_devices}, on one device {one}")
    return {"devices": strategy.num_replicas_in_sync, "losses differ by": difference}


def _losses(strategy, batch):
    keras.utils.set_random_seed(0)
    with strategy.scope():
        model = models.build("lenet5", image_shape=(28, 28, 1), num_classes=10)
        # A random start is another one in every replica.
        settings = AdversarialSettings(method="pgd", epsilon=0.05, steps=2, random_start=False)
        model = AdversarialTraining(model, settings, batch_size=batch)
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(keras.optimizers.SGD(0.01), loss, jit_compile=False)
    images, labels = attacked_model.examples(batch, seed=3)
    fitted = model.fit(images, labels, batch_size=batch, epochs=5, shuffle=False, verbose=0)
    return np.array(fitted.history["loss"])


def _mirrored_evaluation(batch):
    """All devices share the images, and leave those that one leaves."""
    devices = distribution.devices("mirrored")
    classifiers = [serving.from_keras(attacked_model.trained()) for _ in devices]
    one = _left(engine.Replicas(classifiers[:1]), batch)
    shared = _left(engine.Replicas(classifiers, devices), batch)
    others = int((one != shared).sum())
    must(others <= batch / 50, f"left {shared.sum()}, on one device {one.sum()}")
    return {"devices": len(devices), "left": int(shared.sum()), "not the same": others}


def _left(classifier, count):
    images, labels = attacked_model.examples(count, seed=2)
    ball = ThreatModel("linf", (attacked_model.EPSILONS["linf"],))
    sizes = {"batch_size": count, "seed": 0}
    return engine.evaluate(classifier, images, labels, [PGD(steps=10)], ball, **sizes).worst_case[0]


def _reloaded(name, activation, batch):
    """The model that was written answers, and falls, as the one in memory."""
    model = attacked_model.trained(activation)
    images, _ = attacked_model.examples(batch, seed=2)
    with tempfile.TemporaryDirectory() as directory:
        path = pathlib.Path(directory) / name
        if path.suffix:
            model.save(path)
        else:
            serving.export(model, path)
        loaded = serving.load(str(path))
    before = serving.from_keras(model)
    expected, found = (one.logits(tf.constant(images)).numpy() for one in (before, loaded))
    difference = float(np.abs(found - expected).max() / np.abs(expected).max())
    must(difference < TOLERANCE, f"logits differ by {difference:.1e} of the largest")
    lefts = [_left(one, batch) for one in (before, loaded)]
    others = int((lefts[0] != lefts[1]).sum())
    must(others <= batch / 50, f"PGD left {lefts[1].sum()}, before {lefts[0].sum()}")
    return {"logits differ by": difference, "left": int(lefts[1].sum()), "not the same": others}
