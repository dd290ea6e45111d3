"""Pixels outside [0, 1]: said, or taken where `pixel_range` tells what they are; never clipped."""

import warnings

import keras
import numpy as np
import pytest
import tensorflow as tf
from test_fit import images

from robust_keras.data import mean_training, noise_training
from robust_keras.errors import InputError
from robust_keras.models.denoiser import behind_denoiser
from robust_keras.training.adversarial import AdversarialSettings, AdversarialTraining
from robust_keras.training.catastrophic_overfitting import CatastrophicOverfittingGuard
from robust_keras.training.denoising import DenoiserTraining
from robust_keras.training.first_batch import looked_at
from robust_keras.training.pixels import PixelRange

EPSILON = 0.1
BYTES = np.round(images(48).images.clip(0, 1) * 255).astype("uint8")
X, Y = BYTES / np.float32(255), images(48).labels
LOSS = keras.losses.SparseCategoricalCrossentropy(from_logits=True)

# Pixels -> (images, pixel_range, what the classifier does first to make [0, 1] of them).
TAKEN = {
    "bytes": (BYTES, (0, 255), (1 / 255, 0.0)),
    "floats of bytes": (BYTES.astype("float32"), (0, 255), (1 / 255, 0.0)),
    "half precision": (X.astype("float16"), (0, 1), (1.0, 0.0)),
    "from -1": (2 * X - 1, (-1, 1), (0.5, 0.5)),
    "standardised": ((X - 0.4) / 0.3, (-0.4 / 0.3, 0.6 / 0.3), (0.3, 0.4)),
    "by channel": ((X - 0.4) / 0.3, ([-0.4 / 0.3], [0.6 / 0.3]), (0.3, 0.4)),
}


def classifier(scale=1.0, offset=0.0):
    keras.utils.set_random_seed(0)
    first = keras.layers.Rescaling(scale, offset)
    last = [keras.layers.Flatten(), keras.layers.Dense(2)]
    return keras.Sequential([keras.Input((6, 6, 1)), first, *last])


def adversarial(model, method="pgd", **settings):
    numbers = {"pgd": {"steps": 3}, "free": {"replays": 2}}.get(method, {})
    made = AdversarialSettings(method=method, epsilon=EPSILON, **numbers)
    trained = AdversarialTraining(model, made, batch_size=48, **settings)
    trained.compile(keras.optimizers.SGD(0.5), LOSS, jit_compile=False)
    return trained


@pytest.mark.parametrize("name", TAKEN)
def test_a_classifier_of_other_pixels_trains_as_one_of_unit_pixels(name):
    pixels, pixel_range, first = TAKEN[name]
    expected, found = classifier(), classifier(*first)
    for method in ("pgd", "free"):
        reference = adversarial(expected, method)
        trained = adversarial(found, method, pixel_range=pixel_range)
        if method == "pgd":
            low, high = PixelRange.of(pixel_range).low, PixelRange.of(pixel_range).high
            crafted = trained.craft(pixels, Y).numpy()
            assert crafted.min() >= np.min(low) - 1e-6 and crafted.max() <= np.max(high) + 1e-4
            unit = first[0] * crafted + first[1]
            np.testing.assert_allclose(unit, reference.craft(X, Y), atol=2e-3)
            assert np.abs(unit - X).max() == pytest.approx(EPSILON, abs=1e-3)
        reference.train_on_batch(X, Y)
        trained.train_on_batch(pixels, Y)
    for a, b in zip(expected.get_weights(), found.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, atol=2e-3)
    guards = [CatastrophicOverfittingGuard(x, Y, epsilon=EPSILON) for x in (X, pixels)]
    for guard, model in zip(guards, (reference, trained), strict=True):
        guard.set_model(model)
        guard.on_train_begin()
    assert guards[0].probe() == pytest.approx(guards[1].probe(), abs=0.03)


REFUSED = {
    "bytes": (BYTES, (0, 1), r"floats in \[0, 1\] \(divide by 255\).*received uint8"),
    "floats of bytes": (255 * X, (0, 1), r"divide by 255.*pixel_range=\(0, 255\).*255$"),
    "from -1": (2 * X - 1, (0, 1), r"pixel_range=\(-1, 1\).*received -1 \.\. 1"),
    "standardised": ((X - 0.4) / 0.1, (0, 1), "values of black and of white.*Normalization"),
    "divided twice": (X / 255, (0, 1), "divided by 255 once too often"),
    "range too wide": (X, (0, 255), "is pixel_range too wide"),
    "not finite": (X * np.nan, (0, 1), "finite pixels"),
    "channels": (X, ((0, 0, 0), (1, 1, 1)), "3 channels, as `pixel_range` has"),
}


def data(kind, pixels):
    """The pixels as each kind of data that `fit` takes, and what goes with it."""
    if kind == "arrays":
        return {"x": pixels, "y": Y}
    if kind == "generator":
        return {"x": ((pixels, Y) for _ in range(1))}
    return {"x": tf.data.Dataset.from_tensor_slices((pixels, Y)).batch(48)}


@pytest.mark.parametrize("name", REFUSED)
def test_other_pixels_are_refused_before_any_step(name):
    pixels, pixel_range, message = REFUSED[name]
    trained = adversarial(classifier(), "fast", pixel_range=pixel_range)
    before = trained.classifier.get_weights()
    kinds = ("arrays", "generator", "dataset") if name == "floats of bytes" else ("arrays",)
    for kind in kinds:
        with pytest.raises(InputError, match=f"^images: .*{message}"):
            trained.fit(**data(kind, pixels), verbose=0)
    with pytest.raises(InputError, match=message):
        trained.evaluate(pixels, Y, verbose=0)
    with pytest.raises(InputError, match=message):
        trained.craft(pixels, Y)
    for old, new in zip(before, trained.classifier.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_weights_that_meet_bytes_as_they_are_are_told():
    layers = [keras.layers.Flatten(), keras.layers.Dense(2)]
    bare = keras.Sequential([keras.Input((6, 6, 1)), *layers])
    with pytest.warns(UserWarning, match=r"begin with keras.layers.Rescaling\(1 / 255\)"):
        adversarial(bare, pixel_range=(0, 255))
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        adversarial(bare)
        adversarial(classifier(1 / 255), pixel_range=(0, 255))


def test_validation_images_and_those_of_the_probe_are_looked_at_too():
    trained = adversarial(classifier(), "fast")
    for held_out in ((255 * X, Y), data("dataset", 255 * X)["x"]):
        with pytest.raises(InputError, match="^validation images: expected pixels"):
            trained.fit(X, Y, validation_data=held_out, batch_size=48, verbose=0)
    guard = CatastrophicOverfittingGuard(255 * X, Y, epsilon=EPSILON)
    with pytest.raises(InputError, match="^images of the probe: expected pixels"):
        trained.fit(X, Y, callbacks=[guard], verbose=0)
    plain = classifier()
    plain.compile("sgd", LOSS)
    guard = CatastrophicOverfittingGuard(BYTES, Y, epsilon=EPSILON, pixel_range=(0, 255))
    plain.fit(BYTES, Y, callbacks=[guard], batch_size=48, verbose=0)


def test_no_batch_of_a_set_that_is_read_once_is_lost():
    seen = []

    class Count(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            seen.append(batch)

    trained = adversarial(classifier(), "fast")
    trained.fit(((X[i : i + 16], Y[i : i + 16]) for i in (0, 16, 32)), callbacks=Count(), verbose=0)
    batches = tf.data.Dataset.from_tensor_slices((X, Y)).batch(16)
    trained.fit(batches, callbacks=Count(), verbose=0)
    assert seen == [0, 1, 2, 0, 1, 2]


def test_a_dataset_that_is_looked_at_is_the_same_and_keeps_its_parallel_calls():
    """With a stateful function it would lose them, and TensorFlow would tell that as an error."""
    seen, pixels = [], np.arange(6.0, dtype=np.float32).reshape(6, 1)
    batches = tf.data.Dataset.from_tensor_slices((pixels, np.arange(6))).batch(4)
    watched = looked_at(batches, seen.append)
    assert not [f for f in watched._functions() if f.function.function_def.signature.is_stateful]
    assert watched.element_spec == batches.element_spec
    for (found, labels), (given, same) in zip(watched, batches, strict=True):
        np.testing.assert_array_equal(found, given)
        np.testing.assert_array_equal(labels, same)
    np.testing.assert_array_equal(seen, [pixels[:4]])


def test_the_denoiser_takes_other_pixels_or_says_so():
    def denoising(**settings):
        model = behind_denoiser(classifier(1 / 255), widths=(4, 8))
        trained = DenoiserTraining(model, epsilon=EPSILON, **settings)
        trained.compile(keras.optimizers.SGD(0.0), LOSS, jit_compile=False)
        return trained

    with pytest.raises(InputError, match=r"divide by 255.*pixel_range=\(0, 255\)"):
        denoising().fit(255 * X, Y, verbose=0)
    trained = denoising(pixel_range=(0, 255))
    largest = []
    for step in range(8):
        trained.optimizer.iterations.assign(step)
        crafted = trained.craft(BYTES, np.eye(2)[Y]).numpy()
        assert crafted.min() >= 0 and crafted.max() <= 255
        largest.append(np.abs(crafted - BYTES).max() / 255)
    assert EPSILON / 2 < max(largest) <= EPSILON + 1e-6
    trained.fit(BYTES, Y, validation_data=(BYTES, Y), batch_size=48, verbose=0)


@pytest.mark.parametrize("pair", [(1, 0), (0, np.nan), (0,), "ab", (0, (1, 2)), None, 255])
def test_what_is_no_range_is_refused(pair):
    with pytest.raises(ValueError, match=r"`pixel_range` must be \(low, high\).*Received"):
        adversarial(classifier(), pixel_range=pair)


def test_noise_and_nonsense_take_bytes_and_refuse_other_pixels():
    noisy = noise_training.sign_noise_once(BYTES, 0)
    np.testing.assert_array_equal(noisy, noise_training.sign_noise_once(X, 0))
    batch = noise_training.sign_noise_batch(tf.constant(BYTES), (0, 1))
    np.testing.assert_allclose(batch, noise_training.sign_noise_batch(X, (0, 1)), atol=1e-6)
    made = mean_training.with_nonsense(BYTES, Y[:, None].astype("float32"), 2, 0)
    np.testing.assert_array_equal(made.images, mean_training.with_nonsense(X, Y, 2, 0).images)
    assert made.labels.tolist()[:48] == Y.tolist() and set(made.labels) == {0, 1, 2, 3}
    for refused in (
        lambda: noise_training.sign_noise_once(255 * X, 0),
        lambda: mean_training.with_nonsense(255 * X, Y, 2, 0),
        lambda: mean_training.with_nonsense(X, Y, 1, 0),
    ):
        with pytest.raises(InputError, match="divide by 255|expected labels in 0..0"):
            refused()
