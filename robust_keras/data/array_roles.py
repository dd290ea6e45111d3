"""Which array of a file is what: the names that people give to images and labels."""

import re
from typing import Any

from robust_keras.data.archive import Archive
from robust_keras.errors import InputError
from robust_keras.suggestion import did_you_mean

ARRAYS = ("x_train", "y_train", "x_test", "y_test")
# The names of the classes, in the order of their numbers.
_CLASS_NAMES = {"classnames", "labelnames", "targetnames", "classes", "names"}
_ROLES = {
    "images": "x|xs|images?|imgs?|inputs?|data|features?|pixels",
    "labels": "y|ys|labels?|targets?|outputs?|lbls?",
}
_SPLITS = {
    "train": "train|training|tr",
    "test": "test|testing|te|eval|evaluation",
    "validation": "val|valid|validation|dev",
}
# A set in one piece, as in `images` and `labels`.
WHOLE = "whole"


def find_roles(archive: Archive) -> tuple[dict[str, tuple[str, str]], str | None]:
    """Finds the images and labels of each split by their arrays' names.

    Returns:
        `(parts, class_names)`: from a split (`train`, `test`, `validation` or `WHOLE`) to the names
        of its images and of its labels; and the name of the array of class names, or None.

    Raises:
        InputError: no pair of images and labels is to be found, or two arrays could be the same.
    """
    named = {name: role for name in archive.headers if (role := _role(name)) is not None}
    found: dict[Any, list[str]] = {}
    for name, role in named.items():
        found.setdefault(role, []).append(name)
    chosen = {role: _one(archive, role, names) for role, names in found.items()}
    parts = {
        split: (chosen[split, "images"], chosen[split, "labels"])
        for split in (*_SPLITS, WHOLE)
        if (split, "images") in chosen and (split, "labels") in chosen
    }
    class_names = [n for n in archive.headers if _squeezed(n) in _CLASS_NAMES and n not in named]
    if not parts and not chosen:
        parts = _by_shape(archive, [n for n in archive.headers if n not in class_names])
    # Test images and their labels are enough to evaluate on, whatever else lacks its other half.
    optional = {"validation", *(("train", WHOLE) if "test" in parts else ())}
    halves = [role for role in chosen if role[0] not in {*parts, *optional}]
    if not parts or halves:
        raise _missing(archive, parts, halves)
    return parts, class_names[0] if class_names else None


def _squeezed(name):
    return re.sub(r"[\W_]", "", name).lower()


def _role(name):
    squeezed = _squeezed(name)
    for role, spellings in _ROLES.items():
        if re.fullmatch(spellings, squeezed):
            return WHOLE, role
        for split, words in _SPLITS.items():
            if re.fullmatch(f"(?:{spellings})(?:{words})|(?:{words})(?:{spellings})", squeezed):
                return split, role
    return None


def _one(archive, role, names):
    """The one name of a role; the documented one wins."""
    documented = [name for name in names if name in ARRAYS]
    if len(documented or names) > 1:
        split, kind = role
        raise archive.error(f"one array of {kind} for {split}", " and ".join(names))
    return (documented or names)[0]


def _by_shape(archive, names):
    """Two arrays of any name, as `numpy.savez(path, x, y)` writes: pictures and their labels."""
    if len(names) != 2:
        return {}
    labels, images = sorted(names, key=lambda name: len(archive.headers[name].shape))
    shapes = archive.headers[labels].shape, archive.headers[images].shape
    fits = len(shapes[0]) in (1, 2) and len(shapes[1]) in (3, 4) and shapes[0][0] == shapes[1][0]
    return {WHOLE: (images, labels)} if fits else {}


def _missing(archive, parts, halves):
    """The error that says which arrays are missing."""
    present = {name for name in archive.headers if name in ARRAYS}
    lone = {f"{'y' if kind == 'images' else 'x'}_{split}" for split, kind in halves}
    missing = [name for name in ARRAYS if name in lone] if halves else list(ARRAYS)
    unknown = [name for name in archive.headers if _role(name) is None]
    near = {name: did_you_mean(name, set(ARRAYS) - present) for name in unknown[:3]}
    shown = ", ".join(f"{name}{near.get(name, '')}" for name in list(archive.headers)[:12])
    return InputError.expected(
        "--dataset",
        f"the arrays {', '.join(ARRAYS)} in {archive.path} (or x_test and y_test alone to "
        "evaluate, or images and labels)",
        f"none named {', '.join(missing) or 'labels'}, but {shown or 'no array at all'}",
    )
