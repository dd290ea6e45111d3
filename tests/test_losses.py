"""The losses that attacks climb: values, and what does not change them."""

import numpy as np
import pytest
import tensorflow as tf

from robust_keras.attacks.loops import losses

LOGITS = np.random.default_rng(0).normal(size=(50, 6)).astype("float32")
LABELS = np.arange(50) % 6
TARGETS = (LABELS + 1 + np.arange(50) % 5) % 6


def dlr(logits=LOGITS, labels=LABELS):
    return losses.dlr(tf.constant(labels), tf.constant(logits)).numpy()


def targeted(logits=LOGITS, labels=LABELS, targets=TARGETS):
    arguments = tf.constant(labels), tf.constant(targets), tf.constant(logits)
    return losses.targeted_dlr(*arguments).numpy()


def reference(row, label, target=None):
    first, _, third, fourth = np.sort(row)[::-1][:4]
    if target is None:
        return -(row[label] - np.delete(row, label).max()) / (first - third)
    return -(row[label] - row[target]) / (first - (third + fourth) / 2)


def test_dlr_is_its_formula():
    expected = [reference(*pair) for pair in zip(LOGITS, LABELS, strict=True)]
    np.testing.assert_allclose(dlr(), expected, rtol=1e-4, atol=1e-6)
    expected = [reference(*triple) for triple in zip(LOGITS, LABELS, TARGETS, strict=True)]
    np.testing.assert_allclose(targeted(), expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("loss", [dlr, targeted])
@pytest.mark.parametrize(("scale", "shift"), [(0.01, 0), (1000, 0), (1, 5), (30, -7)])
def test_dlr_is_free_of_scale_and_shift(loss, scale, shift):
    changed = (LOGITS * scale + shift).astype("float32")
    np.testing.assert_allclose(loss(changed), loss(), rtol=2e-3, atol=1e-4)


def test_an_even_cross_entropy_is_that_of_logits_of_one_spread():
    def even(logits):
        return losses.even_cross_entropy(tf.constant(LABELS), logits)

    spread = LOGITS / LOGITS.std(axis=1, keepdims=True) * 4.0
    expected = np.log(np.exp(spread).sum(axis=1)) - spread[np.arange(50), LABELS]
    for scale in (1e-6, 1.0, 1e6):
        logits = tf.constant(LOGITS * np.float32(scale))
        with tf.GradientTape() as tape:
            tape.watch(logits)
            found = even(logits)
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)
        slope = tape.gradient(found, logits).numpy()
        assert np.all(slope[np.arange(50), LABELS] < 0.0), "never blind"
    assert np.isfinite(even(np.ones((50, 6), "float32"))).all()


def test_dlr_is_positive_exactly_where_the_label_is_not_the_answer():
    np.testing.assert_array_equal(dlr() > 0, np.argmax(LOGITS, 1) != LABELS)


def test_few_classes_make_do_with_what_there_is():
    logits, labels, targets = LOGITS[:, :3], LABELS % 3, (LABELS + 1) % 3
    own, other = (np.take_along_axis(logits, k[:, None], 1)[:, 0] for k in (labels, targets))
    spread = logits.max(axis=1) - logits.min(axis=1)
    found = targeted(logits, labels, targets)
    np.testing.assert_allclose(found, (other - own) / spread, rtol=1e-4, atol=1e-6)
    logits, labels = LOGITS[:, :2], LABELS % 2
    lead = np.where(labels, logits[:, 0] - logits[:, 1], logits[:, 1] - logits[:, 0])
    np.testing.assert_allclose(dlr(logits, labels), lead, rtol=1e-6)
    np.testing.assert_allclose(targeted(logits, labels, 1 - labels), lead, rtol=1e-6)


def test_equal_logits_give_no_infinite_loss():
    equal = np.ones((50, 6), "float32")
    assert not dlr(equal).any() and not targeted(equal).any()
