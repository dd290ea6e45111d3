"""Whether the loss has gradients that an attack can follow."""

import numpy as np
import tensorflow as tf

from robust_keras.attacks.loops.losses import cross_entropy, margin
from robust_keras.attacks.loops.prediction import padded
from robust_keras.audit.probes import Sample
from robust_keras.audit.shares import few_enough
from robust_keras.findings import check_names
from robust_keras.findings.audit_check import AuditCheck, floats, not_applicable, percent
from robust_keras.serving.classifier import Classifier

# Where the label leads by more than this, exp(-lead) is no normal float32 number any more: the
# probabilities of all other classes, and with them the gradient of cross-entropy, are lost.
SATURATED = 87.3
# Share of the images, as far as their number can tell.
_TOLERATED = 0.01


def gradient_available(classifier: Classifier) -> AuditCheck:
    """Whether gradients can be computed at all.

    Args:
        classifier: has `gradient_error`.
    """
    name, reason = check_names.GRADIENT_AVAILABLE, classifier.gradient_error
    if reason is None:
        return AuditCheck(name, True, "Gradients of the logits can be computed.", {})
    message = (
        f"{reason} Only attacks without gradients could run, so the true robust accuracy may be "
        "far lower."
    )
    return AuditCheck(name, False, message, {"reason": reason})


def gradient_checks(sample: Sample) -> list[AuditCheck]:
    """Two checks on correctly classified images: gradients of exactly zero, saturated logits."""
    names = (check_names.ZERO_GRADIENTS, check_names.SATURATED_LOGITS)
    if not len(sample.images):
        return [not_applicable(name, "no image is classified correctly") for name in names]
    leads, slopes = _leads_and_slopes(sample)
    checks = [_saturated_logits(names[1], leads)]
    if sample.classifier.gradient_error is None:
        return [_zero_gradients(names[0], slopes), *checks]
    return [not_applicable(names[0], "the model has no gradients"), *checks]


def _zero_gradients(name, slopes):
    # What is not a number points nowhere either.
    useless = ~(slopes > 0.0)
    share = float(useless.mean())
    median = float(np.median(slopes))
    evidence = {"images": len(slopes), "zero_share": share, "median_slope": median}
    return few_enough(
        name,
        useless,
        _TOLERATED,
        evidence,
        passed=f"The loss has a gradient on {percent(1 - share)} of the images.",
        failed=f"On {percent(share)} of the images the gradient of the loss is exactly zero, so "
        "attacks that follow it stand still there. Those images only look robust.",
    )


def _saturated_logits(name, leads):
    saturated = leads >= SATURATED
    share = float(np.mean(saturated))
    evidence = {
        "images": len(leads),
        "saturated_share": share,
        "limit": SATURATED,
        "median_lead": float(np.median(leads)),
        "largest_lead": float(np.max(leads)),
    }
    return few_enough(
        name,
        saturated,
        _TOLERATED,
        evidence,
        passed=f"The winning logit leads by {np.median(leads):.3g} in the median, within what "
        "cross-entropy can tell apart.",
        failed=f"On {percent(share)} of the images the winning logit leads by more than "
        f"{SATURATED:g}, where cross-entropy in 32-bit numbers is exactly 0 and attacks on it "
        "learn nothing. Logits divided by a constant would give the same answers and let the "
        "attacks work again.",
    )


def _leads_and_slopes(sample):
    """Lead of the label's logit and largest gradient component, each float array (images,)."""
    leads, slopes = [], []
    size = min(sample.batch_size, len(sample.images))
    differentiable = sample.classifier.gradient_error is None
    for start in range(0, len(sample.images), size):
        images = sample.images[start : start + size]
        labels = sample.labels[start : start + size]
        inputs, truth = tf.constant(padded(images, size)), tf.constant(padded(labels, size))
        if differentiable:
            slope, logits = _slope(sample.classifier, inputs, truth)
            slopes += floats(slope[: len(images)])
        else:
            logits = sample.classifier.logits(inputs)
        leads += floats(-margin(truth, logits)[: len(images)])
    return np.array(leads), np.array(slopes)


def _slope(classifier, images, labels):
    with tf.GradientTape() as tape:
        tape.watch(images)
        logits = classifier.logits(images)
        loss = cross_entropy(labels, logits)
    gradient = tape.gradient(loss, images, unconnected_gradients=tf.UnconnectedGradients.ZERO)
    return tf.reduce_max(tf.abs(gradient), axis=[1, 2, 3]).numpy(), logits
