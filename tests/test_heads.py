"""What outputs mean in training: one logit, sigmoids and softmaxes are told from logits."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from test_fit import images

from robust_keras import training
from robust_keras.errors import InputError
from robust_keras.training.adversarial import AdversarialSettings, AdversarialTraining
from robust_keras.training.catastrophic_overfitting import CatastrophicOverfittingGuard
from robust_keras.training.head import find_head
from robust_keras.training.hybrid_loss import HybridLoss
from robust_keras.training.losses import LabelAccuracy, TemperatureCrossEntropy

EPSILON = 0.2
SPLIT = images(48)
ONE_HOT = np.eye(2, dtype="float32")[SPLIT.labels]
Binary = keras.losses.BinaryCrossentropy
Sparse = keras.losses.SparseCategoricalCrossentropy


class Subclassed(keras.Model):
    """A user's own model, without a `training` argument."""

    def __init__(self, units, activation):
        super().__init__()
        self.flat = keras.layers.Flatten()
        self.scores = keras.layers.Dense(units)
        self.last = keras.layers.Activation(activation)

    def call(self, pixels):
        return self.last(self.scores(self.flat(pixels)))


def linear(units, activation=None, kind="sequential"):
    """A linear model with known weights, or one with a head that makes the same of them."""
    if kind == "subclassed":
        model = Subclassed(units, activation)
        model(SPLIT.images[:1])
    else:
        layers = [keras.layers.Flatten(), keras.layers.Dense(units, activation)]
        model = keras.Sequential([keras.Input((6, 6, 1)), *layers])
    if kind == "functional":
        inputs = keras.Input((6, 6, 1))
        model = keras.Model(inputs, model(inputs))
    # Both classes' logits, or their difference: the same classifier.
    both = np.random.default_rng(0).normal(0.0, 0.3, (36, 2)).astype("float32")
    model.set_weights([both if units == 2 else both[:, 1:] - both[:, :1], np.zeros(units)])
    return model


def adversarial(model, loss, metrics=(), method="trades", rate=0.1, **settings):
    if method == "ensemble":
        settings["source_models"] = [linear(1, "sigmoid"), linear(2)]
    given = {key: settings.pop(key) for key in ("source_models",) if key in settings}
    numbers = {"trades": {"steps": 2}, "pgd": {"steps": 2}, "free": {"replays": 2}}.get(method, {})
    settings = AdversarialSettings(method=method, epsilon=EPSILON, **numbers, **settings)
    trained = AdversarialTraining(model, settings, batch_size=48, **given)
    trained.compile(keras.optimizers.SGD(rate), loss, metrics=list(metrics), jit_compile=False)
    return trained


# Head -> (units, activation, loss, labels): all the same classifier and loss as two logits.
HEADS = {
    "one logit": (1, None, Binary(from_logits=True), SPLIT.labels),
    "one sigmoid": (1, "sigmoid", "binary_crossentropy", SPLIT.labels[:, None].astype("float32")),
    "softmax": (2, "softmax", "sparse_categorical_crossentropy", SPLIT.labels[:, None]),
    "softmax, loss on logits": (2, "softmax", Sparse(from_logits=True), SPLIT.labels),
    "one-hot": (2, "softmax", keras.losses.CategoricalCrossentropy(), ONE_HOT),
    "temperature": (1, "sigmoid", TemperatureCrossEntropy(), SPLIT.labels),
}


def decision(model):
    """The change of the weights that decides, class 1 less class 0, (36,)."""
    kernel = model.trainable_variables[0].numpy()
    return kernel[:, -1] - (kernel[:, 0] if kernel.shape[1] == 2 else 0.0)


@pytest.mark.filterwarnings("ignore:.*received `from_logits=True`")
@pytest.mark.parametrize("method", ["trades", "pgd", "fast", "free", "ensemble"])
def test_every_head_trains_as_two_logits_do(method):
    def step(units, activation, loss, labels, kind="sequential"):
        # One column moves twice as far as the difference of two, at half the rate as far.
        model = linear(units, activation, kind)
        trained = adversarial(model, loss, method=method, rate=0.2 if units == 2 else 0.4)
        weights = np.linspace(0.5, 1.5, 48).astype("float32")
        found = trained.train_on_batch(SPLIT.images, labels, sample_weight=weights)
        return float(found), decision(model)

    loss, expected = step(2, None, Sparse(from_logits=True), SPLIT.labels)
    assert np.abs(expected - decision(linear(2))).max() > 1e-3
    kinds = ["functional", "subclassed", *["sequential"] * len(HEADS)]
    for kind, (name, head) in zip(kinds, HEADS.items(), strict=False):
        found = step(*head, kind=kind)
        assert found[0] == pytest.approx(loss, rel=1e-4), name
        np.testing.assert_allclose(found[1], expected, atol=2e-5, err_msg=name)


def test_crafting_climbs_where_a_softmax_has_saturated():
    inner = linear(2, "softmax")
    inner.set_weights([40 * value for value in inner.get_weights()])
    inputs = keras.Input((6, 6, 1))
    # Behind another layer, Keras' loss no longer finds the logits and clips the probabilities.
    model = keras.Model(inputs, keras.layers.Reshape((2,))(inner(inputs)))
    probabilities = model(SPLIT.images).numpy()
    sure = (probabilities.max(axis=-1) == 1.0) & (probabilities.argmax(axis=-1) == SPLIT.labels)
    trained = adversarial(model, Sparse(), method="pgd", random_start=False)
    moved = trained.craft(SPLIT.images, SPLIT.labels).numpy() - SPLIT.images
    changed = np.abs(moved).max(axis=(1, 2, 3)) > 0.9 * EPSILON
    assert sure.sum() > 5 and changed[sure].all()


def test_accuracies_of_one_logit_have_their_threshold_at_zero():
    model = linear(1)
    trained = adversarial(
        model, Binary(from_logits=True), ["accuracy"], method="fast", clean_accuracy=True, rate=0.0
    )
    guard = CatastrophicOverfittingGuard(SPLIT.images, ONE_HOT, epsilon=1e-6)
    batches = tf.data.Dataset.from_tensor_slices((SPLIT.images, SPLIT.labels)).batch(48)
    history = trained.fit(
        batches, validation_data=(SPLIT.images, SPLIT.labels), callbacks=[guard], verbose=0
    ).history
    logits = model.predict(SPLIT.images, verbose=0)[:, 0]
    expected = np.mean((logits > 0) == SPLIT.labels)
    for head in (model, linear(1, "sigmoid"), linear(2, "softmax")):
        assert training.accuracy(head, SPLIT, 48) == pytest.approx(expected)
    assert np.mean((logits > 0.5) == SPLIT.labels) != pytest.approx(expected)
    for name in ("clean_accuracy", "val_accuracy", "probe_accuracy"):
        assert history[name] == [pytest.approx(expected)], name


def test_losses_and_accuracy_know_one_column():
    z = np.array([[-2.0], [0.3], [1.5]], "float32")
    pairs, labels = np.concatenate([np.zeros_like(z), z], axis=1), np.array([0, 1, 0])
    for smoothing in (0.0, 0.2):
        loss = TemperatureCrossEntropy(2.0, smoothing)
        expected = loss(labels, pairs)
        for given in (labels, labels[:, None].astype("float32"), np.eye(2)[labels]):
            assert float(loss(given, z)) == pytest.approx(float(expected), rel=1e-5)
        assert float(loss(labels, keras.activations.sigmoid(keras.ops.array(z)))) == pytest.approx(
            float(expected), rel=1e-5
        )
    for outputs in (z, keras.activations.sigmoid(keras.ops.array(z))):
        metric = LabelAccuracy()
        metric.update_state(labels, outputs)
        assert float(metric.result()) == pytest.approx(2 / 3)
    with pytest.raises(InputError, match="one output a class.*received one output"):
        HybridLoss()(labels, z)
    one_hot = HybridLoss(others=0.5)(np.eye(2)[labels], -(pairs**2))
    assert float(one_hot) == pytest.approx(float(HybridLoss(others=0.5)(labels, -(pairs**2))))


def test_heads_are_read_off_the_operations():
    inputs = keras.Input((6, 6, 1))
    flat = keras.layers.Flatten()(inputs)
    nested = keras.layers.Reshape((2,))(linear(2, "softmax")(inputs))
    half = keras.layers.Dense(1, dtype="mixed_float16")(flat)
    found = {
        "nested": keras.Model(inputs, nested),
        "layer": keras.Model(inputs, keras.layers.Softmax()(keras.layers.Dense(2)(flat))),
        "function": keras.Model(inputs, keras.ops.softmax(keras.layers.Dense(2)(flat))),
        "half": keras.Model(inputs, keras.layers.Activation("sigmoid", dtype="float32")(half)),
        "logits": linear(2),
    }
    heads = {name: find_head(model) for name, model in found.items()}
    kinds = ["softmax", "softmax", "softmax", "sigmoid", "linear"]
    assert [head.activation for head in heads.values()] == kinds

    logits = linear(2)

    def by_hand(pixels):
        powers = tf.exp(logits(pixels))
        return powers / tf.reduce_sum(powers, axis=-1, keepdims=True)

    assert find_head(by_hand, (6, 6, 1)).activation == "softmax"
    scaled = find_head(lambda pixels: 3.0 * logits(pixels), (6, 6, 1))
    assert scaled.activation == "unknown"


MISFITS = {
    "loss of probabilities": (lambda: linear(2), Sparse(), "trades", "loss: .*from_logits=True"),
    "loss of classes": (lambda: linear(1), Sparse(from_logits=True), "pgd", "BinaryCrossentropy"),
    "two sigmoids": (lambda: linear(2, "sigmoid"), Binary(), "trades", "several sigmoids"),
    "two outputs": (
        lambda: keras.Model(*(lambda m: (m.inputs, [m.outputs[0], m.outputs[0]]))(linear(2))),
        Sparse(from_logits=True),
        "pgd",
        "make a keras.Model of that one",
    ),
}


@pytest.mark.parametrize("name", MISFITS)
def test_what_cannot_be_read_as_classes_is_refused(name):
    build, loss, method, message = MISFITS[name]
    with pytest.raises(InputError, match=message):
        adversarial(build(), loss, method=method)


def test_labels_that_do_not_fit_one_output_are_refused():
    trained = adversarial(linear(1), Binary(from_logits=True), method="fast")
    with pytest.raises(InputError, match=r"labels: expected one number an image, 0 or 1"):
        trained.craft(SPLIT.images, ONE_HOT)
    with pytest.raises(InputError, match="labels: expected labels beside the images"):
        trained.fit(SPLIT.images)
    signs = 2 * (SPLIT.labels % 2).astype("int64") - 1
    with pytest.raises(InputError, match=r"labels: expected 0 and 1.*received -1 \.\. 1"):
        trained.fit(SPLIT.images, signs)
    two = adversarial(linear(2), Sparse(from_logits=True), method="fast")
    labels = SPLIT.labels
    for wrong, received in ((labels + 1, r"1 \.\. 2"), (labels.astype(str), "<U.* such as")):
        with pytest.raises(InputError, match=f"from 0 on, .* of 2 classes; received {received}"):
            two.fit(SPLIT.images, wrong)
