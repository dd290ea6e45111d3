"""The denoiser learns, the classifier behind it does not, and both are one model to the world."""

import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf
from test_fit import images, network

from robust_keras import serving, training
from robust_keras.data import ImageDataset
from robust_keras.errors import InputError
from robust_keras.models.denoiser import behind_denoiser, unet
from robust_keras.runs import training_run
from robust_keras.runs.network import network as run_network
from robust_keras.runs.run_directory import TrainingDirectory
from robust_keras.settings import values
from robust_keras.settings.config import TrainConfig
from robust_keras.settings.field import flag
from robust_keras.training.denoising import DenoiserTraining, load_behind_denoiser

SPLIT = images(96)
EPSILON = 0.3


@pytest.fixture(scope="module")
def classifier(tmp_path_factory):
    """A trained classifier that attacks fool, in a file."""
    keras.utils.set_random_seed(0)
    model = network()
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.05), loss, metrics=["accuracy"], jit_compile=False)
    model.fit(SPLIT.images, SPLIT.labels, epochs=6, batch_size=16, verbose=0)
    assert model.evaluate(SPLIT.images, SPLIT.labels, verbose=0)[1] > 0.95
    path = tmp_path_factory.mktemp("classifier") / "standard.keras"
    training.save_model(model, path)
    return path


def denoising(path, **settings):
    model = behind_denoiser(keras.models.load_model(path), widths=(8, 16))
    trained = DenoiserTraining(model, epsilon=EPSILON, **settings)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    trained.compile(keras.optimizers.Adam(0.02), loss, metrics=["accuracy"], jit_compile=False)
    return trained


def fgsm(path):
    model = keras.models.load_model(path)
    x = tf.constant(SPLIT.images)
    with tf.GradientTape() as tape:
        tape.watch(x)
        loss = tf.nn.sparse_softmax_cross_entropy_with_logits(SPLIT.labels, model(x))
    return tf.clip_by_value(x + EPSILON * tf.sign(tape.gradient(loss, x)), 0, 1).numpy()


def accuracy(model, pixels):
    return np.mean(np.argmax(model(pixels, training=False), axis=-1) == SPLIT.labels)


@pytest.mark.parametrize("shape", [(6, 6, 1), (7, 9, 3)])
def test_an_untrained_denoiser_is_the_identity(shape):
    pixels = np.random.default_rng(0).uniform(size=(2, *shape)).astype("float32")
    np.testing.assert_allclose(unet(shape)(pixels), pixels, atol=1e-6)


def test_a_call_without_the_argument_is_one_of_inference():
    keras.utils.set_random_seed(0)
    model = unet((7, 9, 3), widths=(4, 8))
    for variable in model.variables:
        variable.assign(np.random.default_rng(0).uniform(0.1, 0.5, variable.shape))
    pixels = np.random.default_rng(0).uniform(size=(4, 7, 9, 3)).astype("float32")
    expected = model(pixels, training=False)
    np.testing.assert_allclose(model(pixels), expected, rtol=1e-4)
    assert np.abs(model(pixels, training=True) - expected).max() > 1e-2


def test_crafted_images_vary_in_kind_and_size_and_stay_in_the_ball(classifier):
    trained = denoising(classifier)
    craft = tf.function(trained.craft)
    largest = []
    for step in range(25):
        trained.optimizer.iterations.assign(step)
        change = np.abs(craft(SPLIT.images, SPLIT.labels).numpy() - SPLIT.images)
        largest.append(change.max(axis=(1, 2, 3)))
        assert change.max() <= EPSILON + 1e-6
    largest = np.array(largest)
    clean = largest.max(axis=1) == 0
    assert 0 < clean.sum() < 15
    assert largest[~clean].std(axis=1).min() > 0.02  # an epsilon for each image


def test_the_denoiser_learns_and_the_classifier_stays_bit_for_bit(classifier, tmp_path):
    keras.utils.set_random_seed(0)
    before = [w.copy() for w in keras.models.load_model(classifier).get_weights()]
    trained = denoising(classifier, guide="features")
    history = trained.fit(
        SPLIT.images,
        SPLIT.labels,
        epochs=10,
        batch_size=16,
        verbose=0,
        validation_data=(SPLIT.images, SPLIT.labels),
    ).history
    assert np.mean(history["loss"][-3:]) < np.mean(history["loss"][:3])
    assert "val_accuracy" in history
    training.save_model(trained, tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    inner = [layer for layer in loaded.layers if isinstance(layer, keras.Model)]
    for old, new in zip(before, inner[1].get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
    # The attack that the denoiser was trained against, of one who does not know of the denoiser.
    attacked = fgsm(classifier)
    plain = accuracy(keras.models.load_model(classifier), attacked)
    assert accuracy(loaded, attacked) > plain + 0.1
    assert accuracy(loaded, SPLIT.images) > 0.9
    served = serving.load(serving.export(loaded, tmp_path / "serving"))
    assert served.num_classes == 2 and served.gradient_error is None
    np.testing.assert_allclose(
        served.logits(attacked), loaded(attacked, training=False), rtol=1e-4, atol=1e-4
    )


def test_a_run_trains_it_as_its_flags_say(classifier, tmp_path):
    settings = TrainConfig(
        output_dir=str(tmp_path / "run"),
        denoiser=True,
        classifier=str(classifier),
        denoiser_epsilon=EPSILON,
        epochs=1,
        batch_size=16,
        validation_fraction=0.2,
    )
    dataset = ImageDataset("squares", SPLIT, SPLIT, ("left", "right"))
    model = run_network(settings, dataset)
    before = [w.copy() for w in model.layers[-1].get_weights()]
    moved = [w.copy() for w in model.get_layer("denoiser").get_weights()]
    training_run.fit(model, SPLIT, settings, TrainingDirectory(settings))
    for old, new in zip(before, model.layers[-1].get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
    pairs = zip(moved, model.get_layer("denoiser").get_weights(), strict=True)
    assert any(np.any(a != b) for a, b in pairs)


def test_what_does_not_fit_is_refused(classifier):
    wide = ImageDataset("wide", SPLIT, SPLIT, ("a", "b", "c"))
    with pytest.raises(InputError, match="expected a classifier of .* 3 classes; received"):
        load_behind_denoiser(classifier, wide)
    with pytest.raises(ValueError, match="`classifier` must be a model of `behind_denoiser`"):
        DenoiserTraining(network(), epsilon=0.1)
    with pytest.raises(ValueError, match="`epsilon` must be in"):
        denoising(classifier).__class__(network(), epsilon=0)
    with pytest.raises(ValueError, match="`guide` must be one of logits, features"):
        denoising(classifier, guide="pixels")


def test_what_is_new_is_refused_though_nobody_listed_it():
    @dataclasses.dataclass(frozen=True)
    class NewDefence(TrainConfig):
        new_defence: float = flag(
            0.0, values.Number(minimum=0.0, maximum=1.0), "Of a defence that is new."
        )

    denoiser = {"denoiser": True, "classifier": "c.keras", "denoiser_epsilon": 0.3}
    assert NewDefence(**denoiser, batch_size=7).new_defence == 0.0
    with pytest.raises(InputError, match=r"^--new_defence: expected 0 with --denoiser"):
        NewDefence(**denoiser, new_defence=0.5)
