"""Checks that count images, and the margin that several of them look at."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from robust_keras.attackable import Attackable
from robust_keras.attacks.loops.losses import margin
from robust_keras.findings.audit_check import AuditCheck
from robust_keras.proportions import clearly_above


def few_enough(
    name: str,
    counted: np.ndarray,
    tolerated: float,
    evidence: Mapping[str, Any],
    *,
    passed: str,
    failed: str,
) -> AuditCheck:
    """The check that fails where clearly more than a share of the images count against the model.

    Args:
        name: of the check.
        counted: bool array (images,), which of them do.
        tolerated: share of the images, as far as their number can tell.
        evidence: numbers that it rests on.
        passed: message where they are few enough.
        failed: message where they are not.
    """
    fails = clearly_above(int(counted.sum()), len(counted), tolerated)
    return AuditCheck(name, not fails, failed if fails else passed, evidence)


def margins_and_gradients(
    classifier: Attackable, images: np.ndarray, labels: tf.Tensor
) -> tuple[np.ndarray, np.ndarray]:
    """The margin, largest other logit less the label's, of each image, and its gradient.

    Args:
        classifier: the attacked one.
        images: float32 array (images, height, width, channels).
        labels: int tensor (images,).
    """
    inputs = tf.constant(images)
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        lead = margin(labels, classifier.logits(inputs))
    zero = tf.UnconnectedGradients.ZERO
    gradient = tape.gradient(lead, inputs, unconnected_gradients=zero)
    return lead.numpy(), gradient.numpy()
