"""Compiled functions of a classifier, kept as long as it lives, so that nothing is traced twice."""

import weakref
from collections.abc import Callable, Hashable
from typing import Any

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


def graph(classifier: Any, make: Callable, *key: Hashable) -> Any:
    """What `make(classifier.logits, *key)` returned the first time, so nothing is traced twice.

    Args:
        classifier: has `logits`.
        make: class of compiled functions, or function that makes one.
        *key: what it takes besides; a shape as a tuple.
    """
    return once(classifier, (make, *key), lambda: make(classifier.logits, *key))
