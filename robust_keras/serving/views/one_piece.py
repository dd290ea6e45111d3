"""The function of a model in one piece: without calls, through which gradients cost more.

TensorFlow differentiates a call with a gradient of zeros for all that the called function computes
on its way, and a SavedModel holds calls within calls: a tenth to a fifth of a LeNet-5's gradient.
What it computes of its weights alone, such as a kernel activation's table, it computes once: half
of a gradient of one image, a tenth of one of 250.
"""

import contextlib
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from robust_keras import compiled
from robust_keras.serving.operation_kinds import CALLS
from robust_keras.serving.surgery.settled import settled
from robust_keras.serving.surgery.surgeon import Surgeon, copied
from robust_keras.serving.surgery.values import NotCopied


def logits_of(classifier: Any) -> Callable:
    """A `tf.function` that computes what `classifier.logits` does, bit by bit, in one piece.

    Its own `logits` where there is no call to open, where answers change by themselves, or where
    the graph cannot be emitted again.

    Args:
        classifier: `serving.Classifier`.
    """
    if not classifier.deterministic or classifier.gradient_error is not None:
        return classifier.logits
    # Of the classifier itself the function must hold nothing, or it would never be freed.
    concrete, num_classes = classifier.logits.get_concrete_function(), classifier.num_classes
    if not any(operation.type in CALLS for operation in concrete.graph.get_operations()):
        return classifier.logits

    spec = tf.TensorSpec((None, *classifier.image_shape), tf.float32, name="images")
    probes = tf.constant(classifier.probes)
    own = classifier.logits(probes).numpy()
    # The weights of a model in memory may change.
    once = (lambda: settled(concrete, probes),) if classifier.format == "saved_model" else ()
    for surgeon in (*once, Surgeon):
        with contextlib.suppress(NotCopied):
            copy = _compiled(concrete, surgeon(), spec, num_classes)
            if np.array_equal(own, copy(probes).numpy(), equal_nan=True):
                return copy
    return classifier.logits


def _compiled(concrete, surgeon, spec, num_classes):
    def whole(images):
        return tf.ensure_shape(copied(concrete, images, surgeon), (None, num_classes))

    return compiled.function(whole, [spec])
