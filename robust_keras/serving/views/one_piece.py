"""The function of a model in one piece: without calls, through which gradients cost more.

TensorFlow differentiates a call with a gradient of zeros for all that the called function computes
on its way, and a SavedModel holds calls within calls: a tenth to a fifth of a LeNet-5's gradient.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from robust_keras.serving.surgery.frame import CALLS
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

    def whole(images):
        return tf.ensure_shape(copied(concrete, images, Surgeon()), (None, num_classes))

    spec = tf.TensorSpec((None, *classifier.image_shape), tf.float32, name="images")
    copy = tf.function(whole, input_signature=[spec], autograph=False)
    probes = tf.constant(classifier.probes)
    try:
        own, other = classifier.logits(probes).numpy(), copy(probes).numpy()
    except NotCopied:
        return classifier.logits
    return copy if np.array_equal(own, other, equal_nan=True) else classifier.logits
