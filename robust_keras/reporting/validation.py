"""Checks and conversions that the parts of a report apply to what they are given."""

import collections.abc
import math
import numbers

import numpy as np


def plain(value):
    """Turns a value into what strict JSON can hold, so that a report survives being written.

    Numpy scalars and arrays become numbers and lists, tuples become lists, keys become strings. A
    float that is not finite becomes the string "nan", "inf" or "-inf", since JSON has no such
    number. Anything else becomes its `str`.
    """
    if value is None or isinstance(value, (str, bool)):
        return value
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, numbers.Integral):
        return int(value)
    if isinstance(value, numbers.Real):
        return float(value) if math.isfinite(value) else str(float(value))
    if isinstance(value, collections.abc.Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        items = sorted(value, key=str) if isinstance(value, (set, frozenset)) else value
        return [plain(item) for item in items]
    return str(value)


def mapping(name, value):
    """Gives `value` as a dictionary of plain values, or says that it is no mapping."""
    if not isinstance(value, collections.abc.Mapping):
        raise ValueError(f"`{name}` must be a mapping. Received: {name}={value!r}")
    return plain(value)


def text(name, value):
    """Gives `value` if it is a string that is not empty."""
    if not isinstance(value, str) or not value:
        raise ValueError(f"`{name}` must be a string that is not empty. Received: {name}={value!r}")
    return value


def one_of(name, value, choices):
    """Gives `value` if it is one of `choices`."""
    if value not in choices:
        raise ValueError(f"`{name}` must be one of {list(choices)}. Received: {name}={value!r}")
    return value


def boolean(name, value):
    """Gives `value` as a Python bool."""
    if not isinstance(value, (bool, np.bool_)):
        raise ValueError(f"`{name}` must be true or false. Received: {name}={value!r}")
    return bool(value)


def integer(name, value, *, low=0):
    """Gives `value` as a Python int that is at least `low`."""
    whole = isinstance(value, numbers.Integral) and not isinstance(value, (bool, np.bool_))
    if not whole or value < low:
        raise ValueError(
            f"`{name}` must be a whole number of at least {low}. Received: {name}={value!r}"
        )
    return int(value)


def number(name, value, *, low=0.0, high=math.inf):
    """Gives `value` as a finite Python float in [low, high]."""
    real = isinstance(value, numbers.Real) and not isinstance(value, (bool, np.bool_))
    if not real or not math.isfinite(value) or not low <= value <= high:
        raise ValueError(
            f"`{name}` must be a finite number in [{low:g}, {high:g}]. Received: {name}={value!r}"
        )
    return float(value)


def fraction(name, value):
    """Gives `value` as a Python float in [0, 1]."""
    return number(name, value, high=1.0)


def sequence(name, values, check, **limits):
    """Gives `values` as a tuple, each put through `check`."""
    if isinstance(values, str) or not isinstance(values, (collections.abc.Iterable, np.ndarray)):
        raise ValueError(f"`{name}` must be a sequence. Received: {name}={values!r}")
    return tuple(check(name, value, **limits) for value in values)


def members(name, values, kind):
    """Gives `values` as a tuple of instances of `kind`."""
    values = sequence(name, values, lambda _, value: value)
    for value in values:
        if not isinstance(value, kind):
            raise ValueError(f"`{name}` must hold {kind.__name__} only. Received: {value!r}")
    return values
