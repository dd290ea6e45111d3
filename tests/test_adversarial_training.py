"""Adversarial training: each method does what its paper says, and would be missed if it did not."""

import warnings

import keras
import numpy as np
import pytest
import tensorflow as tf
from test_fit import config, csv_rows, images, network, run

from robust_keras import training
from robust_keras.training import pruning
from robust_keras.training.adversarial import AdversarialSettings, AdversarialTraining
from robust_keras.training.catastrophic_overfitting import CatastrophicOverfittingGuard

EPSILON = 0.2
CRAFTING = {
    "fast": {"method": "fast"},
    "pgd": {"method": "pgd", "steps": 3, "step_ratio": 0.5},
    "trades": {"method": "trades", "steps": 3, "step_ratio": 0.5},
}
SPLIT = images(48)
IMAGES, LABELS = tf.constant(SPLIT.images), tf.constant(SPLIT.labels)


@pytest.fixture(autouse=True)
def seed():
    keras.utils.set_random_seed(0)


def cross_entropy(labels, logits):
    return keras.ops.sparse_categorical_crossentropy(labels, logits, from_logits=True)


def adversarial(classifier=None, optimizer=None, metrics=(), batch_size=8, **settings):
    classifier = classifier or network()
    settings = AdversarialSettings(**{"epsilon": EPSILON, **settings})
    model = AdversarialTraining(classifier, settings, batch_size=batch_size)
    model.compile(
        optimizer or keras.optimizers.SGD(0.05),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=list(metrics),
        jit_compile=False,
    )
    return model


def fit(model, epochs=1, **kwargs):
    settings = {"batch_size": 8, "epochs": epochs, "shuffle": False, "verbose": 0, **kwargs}
    return model.fit(SPLIT.images, SPLIT.labels, **settings).history


class Recorder(keras.layers.Layer):
    """Keeps what a training pass of the network was given, batch after batch."""

    def build(self, shape):
        self.last = self.add_weight(shape=shape, initializer="zeros", trainable=False)

    def call(self, x, training=None):
        if training:
            self.last.assign(x)
        return x


def recording_network(batch=48):
    recorder = Recorder()
    inputs = keras.Input((6, 6, 1), batch_size=batch)
    logits = keras.layers.Dense(2)(keras.layers.Flatten()(recorder(inputs)))
    return keras.Model(inputs, logits), recorder


@pytest.mark.parametrize("settings", CRAFTING.values(), ids=CRAFTING)
def test_crafted_images_are_near_in_range_and_worse(settings):
    model = adversarial(**settings)
    fit(model, epochs=3)
    crafted = model.craft(IMAGES, LABELS).numpy()
    distance = np.abs(crafted - SPLIT.images).max()
    assert 0.5 * EPSILON < distance <= EPSILON + 1e-6
    assert crafted.min() >= 0.0 and crafted.max() <= 1.0
    before = cross_entropy(LABELS, model(IMAGES, training=False)).numpy()
    after = cross_entropy(LABELS, model(crafted, training=False)).numpy()
    if settings["method"] != "trades":  # which climbs the divergence
        assert np.mean(after >= before) >= 0.95
        assert after.mean() > before.mean()
    else:
        assert not np.allclose(after, before, atol=1e-3)


@pytest.mark.parametrize("settings", CRAFTING.values(), ids=CRAFTING)
def test_the_noise_is_another_in_the_next_step_and_the_same_after_resuming(settings):
    model = adversarial(optimizer=keras.optimizers.SGD(0.0), **settings)
    first, again = model.craft(IMAGES, LABELS).numpy(), model.craft(IMAGES, LABELS).numpy()
    np.testing.assert_array_equal(first, again)
    model.optimizer.iterations.assign(1)
    second = model.craft(IMAGES, LABELS).numpy()
    assert np.mean(first != second) > (0.05 if settings["method"] != "trades" else 0.0)
    fixed = adversarial(model.classifier, random_start=False, **settings)
    now = fixed.craft(IMAGES, LABELS).numpy()
    fixed.optimizer.iterations.assign(1)
    np.testing.assert_array_equal(now, fixed.craft(IMAGES, LABELS).numpy())


def test_a_training_step_sees_fresh_noise_within_the_ball():
    classifier, recorder = recording_network()
    model = adversarial(classifier, keras.optimizers.SGD(0.0), method="fast", batch_size=48)
    seen = []
    for _ in range(2):
        fit(model, batch_size=48)
        seen.append(recorder.last.numpy())
        assert 0.9 * EPSILON < np.abs(seen[-1] - SPLIT.images).max() <= EPSILON + 1e-6
    assert np.mean(seen[0] != seen[1]) > 0.1


@pytest.mark.parametrize("training_mode", [False, True])
def test_crafting_leaves_the_moving_statistics_alone_unless_asked(training_mode):
    model = adversarial(method="pgd", steps=2, crafting_training_mode=training_mode)
    before = [v.numpy() for v in model.non_trainable_variables]
    weights = [v.numpy() for v in model.trainable_variables]
    model.craft(IMAGES, LABELS)
    after = [v.numpy() for v in model.non_trainable_variables]
    changed = any(np.any(a != b) for a, b in zip(before, after, strict=True))
    assert changed == training_mode
    for old, new in zip(weights, model.trainable_variables, strict=True):
        np.testing.assert_array_equal(old, new.numpy())


def test_free_replays_each_batch_and_carries_its_perturbation_on():
    classifier, recorder = recording_network(8)
    model = adversarial(classifier, method="free", replays=3, step_ratio=0.25)
    fit(model, steps_per_epoch=1)
    assert int(model.optimizer.iterations.numpy()) == 3
    carried = model.perturbation.numpy()
    assert 0 < np.abs(carried).max() <= EPSILON + 1e-6
    # The last replay trains on what the first two steps made of it, a step from what is kept.
    moved = np.abs(recorder.last.numpy() - SPLIT.images[:8]).max()
    assert moved == pytest.approx(2 * 0.25 * EPSILON, rel=1e-4)
    slow = adversarial(classifier, method="free", replays=3, step_ratio=1e-3)
    slow.perturbation.assign(carried)
    slow.train_on_batch(SPLIT.images[8:16], SPLIT.labels[8:16])
    expected = np.clip(SPLIT.images[8:16] + carried, 0.0, 1.0)
    np.testing.assert_allclose(recorder.last.numpy(), expected, atol=3e-3 * EPSILON)


def one_step(method, rate=0.1, **settings):
    """A step of SGD on a linear classifier: (images it saw, change of kernel and bias, weights)."""
    classifier, recorder = recording_network()
    model = adversarial(
        classifier, keras.optimizers.SGD(rate), method=method, batch_size=48, **settings
    )
    before = [v.numpy() for v in classifier.trainable_variables]
    fit(model, batch_size=48)
    after = [v.numpy() for v in classifier.trainable_variables]
    steps = [(b - a) / rate for a, b in zip(after, before, strict=True)]
    return recorder.last.numpy(), steps, before


def gradients(images, w, b):
    """Of the mean cross-entropy of a linear classifier: by kernel, bias, and each image's own."""
    flat, y = images.reshape(48, -1), np.eye(2)[SPLIT.labels]
    by_logits = softmax(flat @ w + b) - y
    return flat.T @ by_logits / 48, by_logits.mean(0), (by_logits @ w.T).reshape(images.shape)


def test_n_fgsm_keeps_noise_and_step_and_trains_on_what_they_come_to():
    seen, (of_w, of_b), (w, b) = one_step("n_fgsm")
    first = tf.zeros(2, tf.int64)  # the seed, and no step taken yet
    seed = tf.random.experimental.stateless_fold_in(first, first[0], alg="philox")
    noise = tf.random.stateless_uniform(SPLIT.images.shape, seed, -1, 1, alg="philox").numpy()
    start = np.clip(SPLIT.images + 2 * EPSILON * noise, 0, 1)
    expected = np.clip(start + EPSILON * np.sign(gradients(start, w, b)[2]), 0, 1)
    np.testing.assert_allclose(seen, expected, atol=1e-6)
    assert np.mean(np.abs(seen - SPLIT.images) > 1.01 * EPSILON) > 0.1
    np.testing.assert_allclose(of_w, gradients(expected, w, b)[0], atol=2e-6)
    np.testing.assert_allclose(of_b, gradients(expected, w, b)[1], atol=2e-6)


def test_half_fgsm_trains_on_half_of_the_batch_as_it_is_and_half_after_one_step():
    seen, (of_w, of_b), (w, b) = one_step("half_fgsm")
    shift = EPSILON * np.sign(gradients(SPLIT.images, w, b)[2])
    expected = np.concatenate([SPLIT.images[:24], np.clip(SPLIT.images + shift, 0, 1)[24:]])
    np.testing.assert_allclose(seen, expected, atol=1e-6)
    np.testing.assert_allclose(of_w, gradients(expected, w, b)[0], atol=2e-6)
    np.testing.assert_allclose(of_b, gradients(expected, w, b)[1], atol=2e-6)


def softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def test_trades_has_the_loss_and_the_gradient_of_a_numpy_reference():
    beta, rate = 6.0, 0.1
    classifier, recorder = recording_network()
    model = adversarial(
        classifier, keras.optimizers.SGD(rate), method="trades", steps=2, beta=beta, batch_size=48
    )
    w, b = (v.numpy() for v in classifier.trainable_variables)
    loss = fit(model, batch_size=48)["loss"][0]
    clean, moved = (x.reshape(48, -1) for x in (SPLIT.images, recorder.last.numpy()))
    assert np.abs(moved - clean).max() > 0.01
    p, q, y = softmax(clean @ w + b), softmax(moved @ w + b), np.eye(2)[SPLIT.labels]
    divergence = np.sum(p * np.log(p / q), axis=1)
    expected = np.mean(-np.log(np.sum(p * y, axis=1)) + beta * divergence)
    assert loss == pytest.approx(expected, rel=1e-4)
    # dKL/dz = p (log p/q - KL) by the clean logits, q - p by the others.
    by_clean = (p - y + beta * p * (np.log(p / q) - divergence[:, None])) / 48
    by_moved = beta * (q - p) / 48
    gradient = clean.T @ by_clean + moved.T @ by_moved
    new_w = classifier.trainable_variables[0].numpy()
    np.testing.assert_allclose((w - new_w) / rate, gradient, atol=2e-5)


@pytest.mark.parametrize(
    "settings", [*CRAFTING.values(), {"method": "free", "replays": 2}], ids=[*CRAFTING, "free"]
)
def test_warm_up_is_clean_and_the_ramp_follows_its_formula(settings):
    classifier, recorder = recording_network()
    model = adversarial(
        classifier, batch_size=48, warm_up_epochs=1, epsilon_ramp_epochs=1, **settings
    )
    distances, epsilons = [], []

    class Look(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            epsilons.append(float(model.epsilon.numpy()))
            distances.append(float(np.abs(recorder.last.numpy() - SPLIT.images).max()))

    fit(model, epochs=4, batch_size=48, callbacks=[Look()])
    assert epsilons == pytest.approx([0.0, EPSILON / 2, EPSILON, EPSILON])
    assert distances[0] == 0.0
    assert 0 < distances[1] <= EPSILON / 2 + 1e-6 < distances[3] <= EPSILON + 1e-6


def test_warm_up_with_dropout_has_no_divergence():
    model = adversarial(method="trades", steps=1, beta=1e6, warm_up_epochs=1)
    assert fit(model)["loss"][0] < 100


class Ruin(keras.callbacks.Callback):
    """Sets every weight to zero at the end of an epoch: one class for every image."""

    def __init__(self, epoch):
        super().__init__()
        self.epoch, self.before = epoch, None

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == self.epoch:
            model = self.model
            self.before = [v.numpy() for v in (*model.variables, *model.optimizer.variables)]

    def on_epoch_end(self, epoch, logs=None):
        if epoch == self.epoch:
            for variable in self.model.trainable_variables:
                variable.assign(keras.ops.zeros_like(variable))


def test_the_guard_restores_what_was_before_a_collapse_and_stops():
    model = adversarial(
        optimizer=keras.optimizers.Adam(0.01), method="fast", epsilon=0.02, clean_accuracy=True
    )
    fit(model, epochs=8)
    ruin = Ruin(epoch=1)
    guard = CatastrophicOverfittingGuard(SPLIT.images, SPLIT.labels, epsilon=0.02)
    with pytest.warns(UserWarning, match="overfitting in epoch 2: accuracy under PGD-5 fell from"):
        history = fit(model, epochs=5, callbacks=[ruin, guard])
    assert guard.stopped_epoch == 1 and len(history["loss"]) == 2
    now = [v.numpy() for v in (*model.variables, *model.optimizer.variables)]
    for before, after in zip(ruin.before, now, strict=True):
        np.testing.assert_array_equal(before, after)
    assert history["probe_accuracy"][1] == guard.probe() > 0.8


def test_the_guard_is_silent_while_all_is_well():
    guard = CatastrophicOverfittingGuard(SPLIT.images, SPLIT.labels, epsilon=0.02)
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        history = fit(adversarial(method="fast", epsilon=0.02), epochs=2, callbacks=[guard])
    assert guard.stopped_epoch is None and len(history["probe_accuracy"]) == 2


def test_metrics_in_training_are_those_on_adversarial_images():
    optimizer = keras.optimizers.SGD(0.1)
    settings = {"method": "fast", "epsilon": 0.5, "clean_accuracy": True}
    model = adversarial(optimizer=optimizer, metrics=["accuracy"], **settings)
    history = fit(model, epochs=8, validation_data=(SPLIT.images, SPLIT.labels))
    assert history["clean_accuracy"][-1] > history["accuracy"][-1] + 0.2
    assert history["val_accuracy"][-1] > history["accuracy"][-1] + 0.2
    assert "val_clean_accuracy" not in history


def test_saving_writes_the_classifier_and_pruning_finds_its_kernels(tmp_path):
    classifier = network()
    model = adversarial(classifier, method="fast")
    callback = pruning.PruneLowMagnitude(pruning.constant_sparsity(0.5, 1, 4, frequency=1))
    fit(model, callbacks=[callback])
    assert training.sparsity(classifier) == pytest.approx(0.5, abs=0.01)
    for save in (model.save, lambda path: training.save_model(model, path)):
        save(tmp_path / "model.keras")
        loaded = keras.models.load_model(tmp_path / "model.keras")
        assert not isinstance(loaded, AdversarialTraining)
        np.testing.assert_allclose(loaded.predict(IMAGES, verbose=0), classifier(IMAGES), atol=1e-6)


RUNS = {
    "free": {"adversarial": "free", "replays": 2, "learning_rate_schedule": "one_cycle"},
    "trades": {
        "adversarial": "trades",
        "adversarial_steps": 2,
        "warm_up_epochs": 1,
        "epsilon_ramp_epochs": 1,
        "final_sparsity": 0.5,
    },
}


@pytest.mark.parametrize("changes", RUNS.values(), ids=RUNS)
def test_an_interrupted_run_ends_with_the_weights_of_a_whole_one(tmp_path, monkeypatch, changes):
    changes = {**changes, "train_epsilon": 0.1}
    whole = run(config(tmp_path / "whole", **changes))
    parts = config(tmp_path / "parts", **changes)
    with pytest.raises(KeyboardInterrupt):
        run(parts, interrupt_at=9, monkeypatch=monkeypatch)
    resumed = run(parts)
    for a, b in zip(whole.get_weights(), resumed.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    logs = csv_rows(parts)
    assert logs == csv_rows(config(tmp_path / "whole", **changes))
    assert "probe_accuracy" in logs[0]
