"""Distillation, mean training and the hybrid loss through whole runs of fit."""

import keras
import numpy as np
import pytest
from test_fit import config, images

from robust_keras import models, serving, training
from robust_keras.data import mean_training
from robust_keras.runs import training_run
from robust_keras.runs.run_directory import TrainingDirectory
from robust_keras.training.distillation import soft_labels
from robust_keras.training.hybrid_loss import HybridLoss
from robust_keras.training.losses import LabelAccuracy, TemperatureCrossEntropy


def teacher(weight=8.0):
    """Takes a square on the left for class 1 and one on the right for class 0: always wrong."""
    model = keras.Sequential(
        [keras.Input((6, 6, 1)), keras.layers.Flatten(), keras.layers.Dense(2, name="logits")]
    )
    kernel = np.zeros((6, 6, 2), np.float32)
    kernel[:, :3, 1] = kernel[:, 3:, 0] = weight / 6
    model.get_layer("logits").set_weights([kernel.reshape(36, 2), np.zeros(2)])
    return model


def network(outputs=2):
    return keras.Sequential(
        [
            keras.Input((6, 6, 1), name="images"),
            keras.layers.Flatten(),
            keras.layers.Dense(16, "relu"),
            keras.layers.Dense(outputs),
        ]
    )


def fitted(path, model=None, **changes):
    settings = config(
        path,
        **{
            "augment": False,
            "epochs": 12,
            "validation_fraction": 0,
            "learning_rate": 0.03,
            **changes,
        },
    )
    training.make_reproducible(settings.seed)
    model = network() if model is None else model
    training_run.fit(model, images(), settings, TrainingDirectory(settings))
    return model


def test_soft_labels_are_the_softmax_at_the_temperature():
    split, model = images(), teacher()
    logits = model(split.images).numpy().astype(np.float64)
    for temperature in (1.0, 20.0):
        expected = np.exp(logits / temperature)
        expected /= expected.sum(axis=1, keepdims=True)
        found = soft_labels(model, split.images, temperature=temperature, batch_size=7)
        np.testing.assert_allclose(found, expected, atol=1e-5)
    with pytest.raises(ValueError, match="`temperature` must be a number from"):
        soft_labels(model, split.images, temperature=0.0)
    split_bytes = (split.images * 255).astype(np.uint8)
    np.testing.assert_allclose(
        soft_labels(model, split_bytes, temperature=20.0),
        soft_labels(model, split.images, temperature=20.0),
        atol=0.02,
    )


@pytest.mark.parametrize("changes", [{}, {"adversarial": "fast", "train_epsilon": 0.05}])
def test_the_student_learns_what_the_teacher_says_and_how_sure_it_is(tmp_path, changes):
    teacher().save(tmp_path / "teacher.keras")
    path = str(tmp_path / "teacher.keras")
    student = fitted(
        tmp_path / "run", distillation_teacher=path, temperature=4.0, epochs=10, **changes
    )
    split = images(seed=1)
    assert training.accuracy(student, split, 16) < 0.1
    sure = soft_labels(student, split.images, temperature=4.0).max(axis=1).mean()
    expected = soft_labels(teacher(), split.images, temperature=4.0).max(axis=1).mean()
    assert expected < 0.8
    assert sure == pytest.approx(expected, abs=0.08)
    hard = fitted(tmp_path / "hard", temperature=4.0, epochs=10, **changes)
    assert soft_labels(hard, split.images, temperature=4.0).max(axis=1).mean() > expected + 0.1


def test_distillation_in_plain_keras_code():
    split, student = images(), network()
    keras.utils.set_random_seed(0)
    labels = soft_labels(teacher(), split.images, temperature=4.0)
    student.compile(
        keras.optimizers.Adam(0.005), TemperatureCrossEntropy(4.0), metrics=[LabelAccuracy()]
    )
    history = student.fit(
        split.images,
        labels,
        validation_data=(split.images, split.labels),
        epochs=10,
        batch_size=10,
        verbose=0,
    ).history
    assert history["accuracy"][-1] > 0.9 > 0.1 > history["val_accuracy"][-1]


def test_mean_training_teaches_the_two_kinds_of_nonsense(tmp_path):
    split = images(200, seed=1)
    kinds = mean_training.nonsense_images(split.images, seed=5)
    found = {}
    for name, changes in {
        "with": {"mean_training": True, "nonsense_share": 0.5},
        "without": {},
    }.items():
        model = fitted(tmp_path / name, network(4), epochs=20, **changes)
        found[name] = [np.mean(np.argmax(model.predict(k, verbose=0), axis=1) >= 2) for k in kinds]
        assert training.accuracy(model, split, 16) > 0.8
    assert found["with"][1] > 0.8
    assert max(found["without"]) < 0.1


def test_hybrid_loss_and_label_smoothing_reach_the_run(tmp_path):
    model = models.build("fc5", image_shape=(6, 6, 1), num_classes=2, activation="rbf")
    model = fitted(tmp_path / "hybrid", model, loss="hybrid", activation="rbf", hybrid_others=0.25)
    assert isinstance(model.loss, HybridLoss)
    assert model.loss.others == 0.25
    smoothed = fitted(tmp_path / "smoothed", label_smoothing=0.4, epochs=13)
    plain = fitted(tmp_path / "plain", epochs=13)
    sure = [soft_labels(m, images().images, temperature=1.0).max() for m in (smoothed, plain)]
    assert sure[0] < 0.9 < 0.97 < sure[1]


def test_teacher_may_be_a_saved_model(tmp_path):
    path = serving.export(teacher(), tmp_path / "teacher")
    student = fitted(tmp_path / "run", distillation_teacher=str(path), temperature=4.0)
    assert training.accuracy(student, images(seed=1), 16) < 0.3
