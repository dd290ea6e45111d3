"""Compiled functions of a classifier, kept as long as it lives, so that nothing is traced twice."""

import functools
import weakref
from collections.abc import Callable, Hashable, Sequence
from typing import Any

import tensorflow as tf

_known: weakref.WeakKeyDictionary[Any, dict] = weakref.WeakKeyDictionary()


def once(classifier: Any, key: Hashable, make: Callable) -> Any:
    """What `make()` returned the first time that it was called for this classifier and key.

    Args:
        classifier: what the functions compute with. They may hold its `logits` but not the
            classifier itself, or it would never be freed.
        key: hashable, tells the functions of a classifier apart.
        make: function without arguments.

    Example:
        >>> once(classifier, "f", dict) is once(classifier, "f", dict)
        True
    """
    found = _known.setdefault(classifier, {})
    if key not in found:
        found[key] = make()
    return found[key]


def graph(
    classifier: Any, make: Callable, image_shape: tuple[int | None, ...], *settings: Hashable
) -> Any:
    """What `make` returned the first time for a shape of images, so nothing is traced twice.

    Args:
        classifier: has `logits` and `num_classes`, and may have `in_one_piece`, the same function
            as its logits, to be taken in their place.
        make: class of compiled functions, or function that makes one; called as
            `make(logits, num_classes, image_shape, *settings)`.
        image_shape: (height, width, channels).
        *settings: what it takes besides.
    """

    def made():
        logits = getattr(classifier, "in_one_piece", classifier.logits)
        return make(logits, classifier.num_classes, image_shape, *settings)

    return once(classifier, (make, image_shape, *settings), made)


def function(body: Callable, signature: Sequence[Any]) -> Any:
    """A `tf.function` of one trace, for arguments of these `TensorSpec`s."""
    # TensorFlow counts traces by the code and warns at the fifth, though each belongs to another
    # classifier; a partial has no code and is counted by itself.
    return tf.function(functools.partial(body), signature, autograph=False)
