"""Models that may decline to answer: rule, files, evaluation, what the report says."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from report_samples import rejecting_model
from report_samples import report as sample_report

from robust_keras import engine, findings, layers, models, reporting, serving
from robust_keras.attacks import FGSM, PGD, ThreatModel, UniformNoise
from robust_keras.audit.account import Account
from robust_keras.engine.journal import Unrecorded
from robust_keras.errors import InputError
from robust_keras.runs import evaluation
from robust_keras.serving.rejection import Rejection
from robust_keras.settings.config import EvaluateConfig

pytestmark = pytest.mark.usefixtures("graphs_as_written")

COARSE = np.random.default_rng(0).uniform(size=(40, 4, 4, 1)) > 0.6
IMAGES = np.kron(COARSE, np.ones((1, 2, 2, 1))).astype("float32")


def network(**settings):
    keras.utils.set_random_seed(5)  # whose untrained network gives every class
    return models.build("fc5", image_shape=(8, 8, 1), num_classes=3, **settings)


def test_rule_by_hand():
    logits = np.log(np.array([[0.7, 0.1, 0.2], [0.4, 0.35, 0.25], [0.2, 0.0001, 0.8]]))
    rule = layers.RejectionRule(nonsense_classes=1, threshold=0.5)
    assert rule.rejected(logits).numpy().tolist() == [False, True, True]
    cold = layers.RejectionRule(threshold=0.5, temperature=0.1)
    assert cold.rejected(logits).numpy().tolist() == [False, False, False]
    rbf = layers.RejectionRule(threshold=0.75, confidence="rbf")
    assert rbf.rejected(logits).numpy().tolist() == [True, True, False]
    np.testing.assert_allclose(rbf.confidences(logits), [0.7, 0.4, 0.8], rtol=1e-5)
    with pytest.raises(ValueError, match=r"`threshold` must be a number in \[0, 1\). Received"):
        layers.RejectionRule(threshold=1.0)
    with pytest.raises(ValueError, match="`nonsense_classes` must be fewer than 3"):
        layers.RejectionRule(nonsense_classes=3)(logits)


@pytest.mark.parametrize(("activation", "threshold"), [("relu", 0.25), ("mrelu", 0.55)])
def test_both_files_carry_the_rule(tmp_path, activation, threshold):
    settings = {"nonsense_classes": 2, "rejection_threshold": threshold, "temperature": 2.0}
    model = network(activation=activation, **settings)
    assert model.output_shape == (None, 5)
    confidence = models.confidence_rule(activation)
    served = serving.export(model, tmp_path, temperature=2.0, confidence=confidence)
    model.save(tmp_path / "model.keras")
    expected = layers.RejectionRule(2, threshold, confidence, 2.0).rejected(model(IMAGES)).numpy()
    assert 0 < expected.sum() < 40
    for path in (served, tmp_path / "model.keras"):
        classifier = serving.load(path)
        assert (classifier.num_classes, classifier.nonsense_classes) == (5, 2)
        assert classifier.rejection.threshold == threshold
        np.testing.assert_array_equal(classifier.rejection.rejected(tf.constant(IMAGES)), expected)


def test_a_rule_inside_the_model_at_the_end_is_found():
    inner = network(rejection_threshold=0.25)
    images = keras.Input((8, 8, 1))
    outer = keras.Model(images, inner(keras.layers.Rescaling(0.5)(images)))
    assert serving.from_keras(outer).rejection.threshold == 0.25


def test_models_without_a_rule_are_as_they_were(tmp_path):
    model = network()
    served = serving.export(model, tmp_path)
    signatures = tf.saved_model.load(str(served)).signatures
    assert set(signatures) == {
        *("serving_default", "logits", "uint8_images", "encoded_images"),
        "confidence_rule",
    }
    assert "rejected" not in signatures["serving_default"].structured_outputs
    assert serving.load(served).rejection is None
    assert not any(isinstance(layer, layers.RejectionRule) for layer in model.layers)


class Bright:
    """Two classes by the mean pixel's size; rejects what lies in a band above the boundary."""

    image_shape, num_classes, gradient_error = (2, 2, 1), 2, None

    def __init__(self, band=0.0):
        self.rejection = Rejection(0, 0.0, lambda images: self._in_band(images, band))

    @staticmethod
    def _in_band(images, band):
        means = tf.reduce_mean(images, axis=(1, 2, 3))
        return tf.logical_and(means >= 0.5, means < 0.5 + band)

    @staticmethod
    @tf.function(input_signature=[tf.TensorSpec((None, 2, 2, 1))], autograph=False)
    def logits(images):
        means = tf.reduce_mean(images, axis=(1, 2, 3))
        return tf.stack([0.5 - means, means - 0.5], axis=1)


def bright_images():
    """(Images, labels): class 0 at 0.35, and one of class 1 at 0.52, which a band may hold."""
    images = np.full((4, 2, 2, 1), 0.35, np.float32)
    images[3] = 0.52
    return images, np.array([0, 0, 0, 1])


RADII = ThreatModel("linf", (0.1, 0.2, 0.3))


def evaluated(classifier, attack=None):
    attacks = [attack or FGSM()]
    return engine.evaluate(classifier, *bright_images(), attacks, RADII, batch_size=4, seed=0)


def test_a_rejected_adversarial_image_is_no_success_but_one_that_goes_further_is():
    found = evaluated(Bright(band=0.1))
    assert found.clean_accepted.tolist() == [True, True, True, False]
    assert found.worst_case.sum(axis=1).tolist() == [3, 0, 0]
    # At 0.2 the three are misclassified but in the band; at 0.3 they are beyond it.
    assert found.worst_case_with_rejection.sum(axis=1).tolist() == [3, 3, 0]
    (attack,) = found.attacks
    np.testing.assert_array_equal(attack.robust_with_rejection, found.worst_case_with_rejection)


@pytest.mark.parametrize("before", [FGSM(), UniformNoise(repeats=1)], ids=["nothing", "all"])
def test_an_attack_of_the_audit_lowers_either_account_by_what_it_fooled(before):
    classifier = Bright(band=0.1)
    account = Account(
        *(classifier, *bright_images(), evaluated(classifier, before), RADII),
        batch_size=4, seed=0, journal=Unrecorded(), masking=None,
    )  # fmt: skip
    account.attack(FGSM())
    # Of the third image noise finds something at 0.3 that is rejected; the audit leaves it there.
    left, accepted = account.evaluation.worst_case, account.evaluation.worst_case_with_rejection
    assert left[:, :2].sum(axis=1).tolist() == [2, 0, 0]
    assert accepted[:, :2].sum(axis=1).tolist() == [2, 2, 0]


def test_the_account_without_the_rule_does_not_depend_on_it():
    class Plain(Bright):
        def __init__(self):
            self.rejection = None

    with_rule, without = evaluated(Bright(band=0.1)), evaluated(Plain())
    np.testing.assert_array_equal(with_rule.worst_case, without.worst_case)
    assert without.clean_accepted is None and without.worst_case_with_rejection is None
    assert without.attacks[0].robust_with_rejection is None


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    path = tmp_path_factory.mktemp("rejection")
    labels = np.argmax(network(nonsense_classes=2)(IMAGES)[:, :3], axis=1)
    np.savez(path / "data.npz", x_train=IMAGES, y_train=labels, x_test=IMAGES, y_test=labels)
    model = network(nonsense_classes=2, rejection_threshold=0.25)
    model.save(path / "model.keras")
    serving.export(model, path / "serving")
    return path


def evaluate(path, **changes):
    settings = {
        "models": (str(path / "model.keras"), str(path / "serving")),
        "dataset": str(path / "data.npz"),
        "attacks": ("fgsm", "pgd"),
        "epsilons": (0.01, 0.1),
    }
    return evaluation.evaluate(EvaluateConfig(**(settings | changes)))[0]


def test_evaluation_reports_both_accounts_with_nonsense_as_an_error_and_the_temperature(world):
    report = evaluate(world, attacker_temperature=20.0)
    classes = network(nonsense_classes=2)(IMAGES).numpy().argmax(axis=1)
    for model in report.models:
        assert model.clean_accuracy == pytest.approx(np.mean(classes < 3))
        assert 0 < model.clean_accuracy < 1
        assert (model.num_classes, model.rejection.nonsense_classes) == (5, 2)
        assert model.rejection.clean_accepted <= model.clean_accuracy
        assert model.rejection.accuracy[-1] <= model.rejection.clean_accuracy
        assert model.attacks[0].accuracy_with_rejection is not None
        assert not model.rejection.targeted
    assert report.models[0].rejection == report.models[1].rejection
    assert reporting.Report.from_json(report.to_json()) == report
    assert "No attack aimed at the rule" in reporting.summary_table(report)
    assert report.attacker_temperature == 20.0
    assert '"attacker_temperature": 20.0' in report.to_json()


def test_an_attack_that_aims_at_the_rule_is_told_and_finds_no_less(world):
    models = (str(world / "model.keras"),)
    weak, strong = (
        evaluate(world, models=models, attacks=("apgd_ce", *more))
        for more in ((), ("apgd_accepted",))
    )
    for before, after in zip(weak.models, strong.models, strict=True):
        assert (before.rejection.targeted, after.rejection.targeted) == (False, True)
        assert np.all(np.array(after.rejection.accuracy) <= before.rejection.accuracy)
    assert "At least one attack aimed at the rule" in reporting.summary_table(strong)


def test_nonsense_must_be_told_and_may_not_stand_for_classes(world, tmp_path):
    model = network(nonsense_classes=2)
    keras.Model(model.inputs, model.layers[-2].output).save(tmp_path / "untold.keras")
    # Where classes are known by name, a model cannot know more of them.
    with np.load(world / "data.npz") as arrays:
        np.savez(tmp_path / "named.npz", **arrays, class_names=["a", "b", "c"])
    with pytest.raises(InputError, match="a model of 3 classes.*received one of 5 classes"):
        evaluate(
            world,
            models=(str(tmp_path / "untold.keras"),),
            dataset=str(tmp_path / "named.npz"),
        )


def test_an_attacker_who_knows_the_temperature_divides_by_it(tmp_path):
    keras.utils.set_random_seed(0)
    hot = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            keras.layers.Flatten(),
            keras.layers.Dense(16, "relu"),
            keras.layers.Dense(3),
            keras.layers.Rescaling(3000.0),
        ]
    )
    classifier = serving.from_keras(hot)
    known = classifier.at_temperature(3000.0)
    np.testing.assert_allclose(known.logits(IMAGES) * 3000, classifier.logits(IMAGES), rtol=1e-5)
    assert classifier.at_temperature(1.0) is classifier
    labels = np.argmax(classifier.logits(IMAGES), axis=1)
    threat_model = ThreatModel("linf", (0.1,))

    def robust(attacked):
        settings = {"batch_size": 40, "seed": 0}
        return engine.evaluate(attacked, IMAGES, labels, [PGD()], threat_model, **settings)

    unaware, aware = robust(classifier).worst_case.mean(), robust(known).worst_case.mean()
    assert aware < unaware - 0.2
    with pytest.raises(ValueError, match="`temperature` must be above 0"):
        classifier.at_temperature(0.0)


def test_the_report_refuses_accounts_that_rise():
    with pytest.raises(ValueError, match="must never rise"):
        findings.RejectionReport(
            nonsense_classes=0, threshold=0.5, clean_accepted=0.5, clean_accuracy=0.6, accuracy=()
        )
    assert sample_report(rejecting_model()).models[0].rejection.nonsense_classes == 2


def _softmaxes():
    """Three classes' probabilities, each made in another way, from the same logits."""
    keras.utils.set_random_seed(0)
    logits = keras.Sequential(
        [keras.Input((8, 8, 1)), keras.layers.Flatten(), keras.layers.Dense(3)]
    )
    logits.set_weights([3 * weight for weight in logits.get_weights()])
    images = keras.Input((8, 8, 1))
    inner = keras.Model(logits.inputs, keras.layers.Softmax()(logits.outputs[0]))
    activated = keras.layers.Activation("softmax")(logits(images))
    made = {
        "layer": keras.layers.Softmax()(logits(images)),
        "activation": keras.layers.Identity()(activated),
        "operation": keras.ops.softmax(logits(images)),
        "nested": inner(images),
    }
    return logits, images, made


def test_a_rule_after_a_softmax_takes_probabilities_for_what_they_are(tmp_path):
    logits, images, made = _softmaxes()
    rule = {"nonsense_classes": 1, "threshold": 0.4, "temperature": 2.0}
    scores = logits(IMAGES)
    before = layers.RejectionRule(**rule)
    assert 0 < before.rejected(scores).numpy().sum() < 40
    for name, probabilities in made.items():
        after = layers.RejectionRule(**rule)
        model = keras.Model(images, after(probabilities))
        model.save(tmp_path / "model.keras")
        loaded = keras.models.load_model(tmp_path / "model.keras")
        for found, outputs in ((after, model(IMAGES)), (loaded.layers[-1], loaded(IMAGES))):
            np.testing.assert_allclose(
                found.confidences(outputs), before.confidences(scores), atol=1e-5, err_msg=name
            )
            np.testing.assert_array_equal(found.rejected(outputs), before.rejected(scores))
        served = serving.load(serving.export(model, tmp_path / name, temperature=2.0))
        for classifier in (served, serving.from_keras(model)):
            np.testing.assert_array_equal(
                classifier.rejection.rejected(tf.constant(IMAGES)), before.rejected(scores)
            )
    eager = layers.RejectionRule(threshold=0.6)
    outputs = eager(keras.activations.softmax(scores))
    np.testing.assert_allclose(eager.confidences(outputs), np.max(outputs, axis=-1), atol=1e-6)
    with pytest.raises(ValueError, match="`confidence` must be 'softmax' after a softmax"):
        layers.RejectionRule(confidence="rbf")(made["layer"])


def test_a_rule_on_one_column_knows_two_classes():
    z = np.array([[-3.0], [0.1], [2.0]], "float32")
    pairs = np.concatenate([np.zeros_like(z), z], axis=-1)
    expected = layers.RejectionRule(threshold=0.8)
    for column in (z, keras.activations.sigmoid(keras.ops.array(z))):
        rule = layers.RejectionRule(threshold=0.8)
        outputs = rule(column)
        np.testing.assert_allclose(
            rule.confidences(outputs), expected.confidences(pairs), rtol=1e-4
        )
        assert rule.rejected(outputs).numpy().tolist() == [False, True, False]
