"""What was found out about every image, as a table and as a file of adversarial images."""

import csv
import io
import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

EXAMPLES_CSV = "examples.csv"
COLUMNS = (
    "model",
    "image",
    "label",
    "clean_class",
    "clean_correct",
    "attack",
    "epsilon",
    "distance",
    "clean_margin",
    "margin",
    "adversarial_class",
    "proved",
)
_NUMBERS = ("epsilon", "distance", "clean_margin", "margin")


def table(tables: Mapping[str, Any]) -> str:
    """Gives the table of all models as CSV text, one line an image.

    Args:
        tables: mapping from a model's path to what was found: arrays `label`, `clean_class`,
            `clean_correct`, `attack`, `epsilon`, `distance`, `clean_margin`, `margin` and
            `adversarial_class` with one entry an image; `proved` likewise or None.
    """
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(COLUMNS)
    for path, found in tables.items():
        for image, label in enumerate(found.label):
            writer.writerow(
                [
                    path,
                    image,
                    int(label),
                    int(found.clean_class[image]),
                    str(bool(found.clean_correct[image])).lower(),
                    found.attack[image] or "",
                    *(_number(getattr(found, name)[image]) for name in _NUMBERS),
                    int(found.adversarial_class[image]) if found.attack[image] else "",
                    "" if found.proved is None else _number(found.proved[image]),
                ]
            )
    return stream.getvalue()


def adversarial_files(tables: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, np.ndarray]]]:
    """Gives the adversarial images that were kept: pairs of a file's name and its arrays.

    Args:
        tables: as for `table`; `adversarial` is None or a dict from an image to its change,
            and `images` are all images as they were.
    """
    kept = [(number, found) for number, found in enumerate(tables.values(), 1)]
    for number, found in kept:
        if found.adversarial is None:
            continue
        name = "adversarial_examples" + (f"_{number}" if len(kept) > 1 else "") + ".npz"
        yield name, _arrays(found)


def npz(arrays: Mapping[str, np.ndarray]) -> bytes:
    """Gives the bytes of an .npz file."""
    stream = io.BytesIO()
    np.savez_compressed(stream, allow_pickle=True, **arrays)
    return stream.getvalue()


def _arrays(found):
    """The images that an attack broke, and those that are misclassified as they are."""
    wrong = np.flatnonzero(~np.asarray(found.clean_correct))
    indices = np.union1d(np.array(sorted(found.adversarial), np.int64), wrong)
    originals = np.asarray(found.images, np.float32)[indices]
    pictures = np.array(originals)
    for row, index in enumerate(indices.tolist()):
        pictures[row] = found.adversarial.get(index, originals[row])
    return {
        "images": pictures,
        "originals": originals,
        "indices": indices,
        "labels": np.asarray(found.label)[indices],
        "epsilon": np.nan_to_num(np.asarray(found.epsilon)[indices]),
        "attack": np.array([found.attack[index] or "" for index in indices.tolist()], np.str_),
    }


def _number(value):
    """A number that reads back as it is, or nothing where there is none."""
    return "" if math.isnan(value) else repr(float(value))
