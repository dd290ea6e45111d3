"""Labels as people store them, read as class numbers from 0 and the names of the classes."""

import dataclasses
import sys
from collections.abc import Mapping

import numpy as np

from robust_keras.errors import InputError
from robust_keras.suggestion import did_you_mean

# ImageNet in full has 21,841. Beyond, a label is an identity or a damaged number.
MOST_CLASSES = 100_000
_LONGEST_NAME = 200
_SHOWN = 5


@dataclasses.dataclass(frozen=True, eq=False)
class Labels:
    """What the labels of a data set say.

    Attributes:
        numbers: from each split to its class numbers, int64 (n,).
        class_names: one a class.
        numbered: whether classes are known by their number alone, so that there may be more.
        notes: what was read how, a sentence each.
    """

    numbers: dict
    class_names: tuple[str, ...]
    numbered: bool
    notes: tuple[str, ...] = ()


def read_labels(
    arrays: Mapping[str, np.ndarray],
    sources: Mapping[str, str],
    class_names: np.ndarray | None = None,
) -> Labels:
    """Reads labels that are class numbers, one-hot rows, truth values or names.

    Args:
        arrays: from each split to an array (n,), (n, 1) or, one-hot, (n, classes); the training
            split first where there is one: it decides which classes there are.
        sources: from each split to the words for its labels in errors.
        class_names: text array (classes,), or None.

    Raises:
        InputError: they cannot be read, or not in one way only.
    """
    notes: list[str] = []
    vectors = {split: _vector(arrays[split], sources[split], notes) for split in arrays}
    kinds = {split: "names" if v.dtype.kind == "U" else "numbers" for split, v in vectors.items()}
    first = next(iter(kinds))
    for split, kind in kinds.items():
        if kind != kinds[first]:
            raise InputError.expected(sources[split], f"{kinds[first]} as in {first}", kind)
    known = None if class_names is None else _names(class_names, "class names")
    if kinds[first] == "names":
        return _from_names(vectors, sources, known, notes)
    return _from_numbers(vectors, arrays, sources, known, notes)


def _from_names(vectors, sources, known, notes):
    first = next(iter(vectors))
    if known is None:
        known = np.unique(vectors[first]).tolist()
        notes.append("labels are names; their classes are numbered in alphabetical order")
    places = {name: place for place, name in enumerate(known)}
    numbers = {}
    for split, vector in vectors.items():
        present, inverse = np.unique(vector, return_inverse=True)
        for name in present.tolist():
            if name not in places:
                raise InputError.expected(
                    sources[split],
                    f"the {len(known)} names of {first}'s classes, such as {', '.join(known[:3])}",
                    f"{name}{did_you_mean(name, known)}",
                )
        order = np.array([places[name] for name in present.tolist()], np.int64)
        numbers[split] = order[inverse]
    return Labels(numbers, tuple(known), numbered=False, notes=tuple(dict.fromkeys(notes)))


def _from_numbers(vectors, arrays, sources, known, notes):
    for split, vector in vectors.items():
        _check_numbers(vector, sources[split])
    first = next(iter(vectors))
    numbered = known is None
    if numbered:
        width = max((_width(array) for array in arrays.values()), default=0)
        # Two, so that a test set of one class can be evaluated; training asks for more.
        count = max(int(vectors[first].max()) + 1, width, 2)
        known = [str(number) for number in range(count)]
    numbers = {split: vector.astype(np.int64) for split, vector in vectors.items()}
    if first != "test":
        notes += _gaps(numbers[first], known, first)
    return Labels(numbers, tuple(known), numbered, tuple(dict.fromkeys(notes)))


def _gaps(numbers, known, split):
    """A note on classes without an image, where there are some."""
    empty = sorted({*range(len(known))} - {*numbers.tolist()})
    shown = ", ".join(known[number] for number in empty[:_SHOWN])
    more = ", ..." if len(empty) > _SHOWN else ""
    note = f"{len(empty)} of {len(known)} classes have no image in {split}: {shown}{more}"
    return [note] if empty else []


def _vector(labels, source, notes):
    """Class numbers, or names as text, of shape (n,)."""
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.ndim == 2 and labels.dtype.kind in "biuf" and labels.shape[1] > 1:
        labels = _from_one_hot(labels, source)
        notes.append("labels are one-hot rows")
    if labels.ndim != 1:
        raise InputError.expected(
            source, "labels of shape (n,), or one-hot (n, classes)", f"shape {labels.shape}"
        )
    if labels.size == 0:
        raise InputError.expected(source, "at least one label", "none")
    if labels.dtype.kind in "SU":
        return _text(labels, source, notes)
    if labels.dtype.kind == "b":
        notes.append("labels are truth values: false is class 0, true is class 1")
        return labels.astype(np.int64)
    return _whole(labels, source, notes) if labels.dtype.kind == "f" else labels


def _from_one_hot(labels, source):
    ones = labels == 1
    if not ((ones.sum(axis=1) == 1) & ((labels == 0).sum(axis=1) == labels.shape[1] - 1)).all():
        raise InputError.expected(
            source,
            "one class an image: a class number, or a one-hot row of a single 1 and zeros (for "
            "probabilities take numpy.argmax(labels, axis=1))",
            f"rows of shape {labels.shape} that are not one-hot",
        )
    return ones.argmax(axis=1)


def _width(labels):
    return labels.shape[1] if labels.ndim == 2 and labels.dtype.kind in "biuf" else 0


def _whole(labels, source, notes):
    odd = labels[~(np.isfinite(labels) & (labels == np.floor(labels)))]
    if odd.size:
        raise InputError.expected(source, "class numbers, whole and from 0", f"{odd[0]:g}")
    if float(np.abs(labels).max()) > MOST_CLASSES:
        raise _too_many(source, labels.max())
    notes.append("labels are floats, all whole")
    return labels.astype(np.int64)


def _text(labels, source, notes):
    names = _names(labels, source)
    if all(name.isdecimal() and len(name) < 10 for name in set(names)):
        notes.append("labels are numbers written as text")
        return np.array([int(name) for name in names], np.int64)
    return np.array(names, dtype=np.str_)


def _names(names, source):
    """A list of strings that can be shown."""
    if names.ndim != 1 or names.dtype.kind not in "SU" or not names.size:
        shown = f"shape {names.shape} and type {names.dtype}"
        raise InputError.expected(source, "names as text in an array of shape (n,)", shown)
    if names.dtype.itemsize // (4 if names.dtype.kind == "U" else 1) > _LONGEST_NAME:
        raise InputError.expected(
            source, f"names of at most {_LONGEST_NAME} characters", f"type {names.dtype}"
        )
    found = _decoded(names, source)
    if not all(name.strip() for name in found):
        raise InputError.expected(source, "names that are not empty", "an empty one")
    return found


def _decoded(names, source):
    """The strings of an array of text, each of which can be written."""
    try:
        if names.dtype.kind == "S":
            names = np.char.decode(names, "utf-8")
        names = np.ascontiguousarray(names, names.dtype.newbyteorder("="))
        # numpy makes no string of damaged characters, and raises a SystemError of its own.
        if names.size and names.view(np.uint32).max() > sys.maxunicode:
            raise UnicodeError("characters that do not exist")
        found = names.tolist()
        "".join(found).encode("utf-8")
    except UnicodeError as error:
        raise InputError.expected(source, "names in Unicode", f"others ({error})") from error
    return found


def _check_numbers(labels, source):
    low, high = int(labels.min()), int(labels.max())
    if low < 0:
        raise InputError.expected(
            source, "labels in 0..classes - 1 (class numbers count from 0)", f"{low}..{high}"
        )
    if high >= MOST_CLASSES:
        raise _too_many(source, high)


def _too_many(source, highest):
    return InputError.expected(
        source,
        f"labels in 0..{MOST_CLASSES - 1} (numpy.unique(labels, return_inverse=True)[1] numbers "
        "the classes from 0)",
        f"a label of {highest:g}",
    )
