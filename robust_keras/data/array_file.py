"""A user's own data in numpy's files: one `.npz`, or a directory of `.npy` files."""

import pathlib

from robust_keras.data import array_images, array_labels, array_roles, memory
from robust_keras.data.archive import Archive
from robust_keras.data.datasets import ImageDataset, ImageSplit
from robust_keras.data.one_part import divided
from robust_keras.errors import InputError

_OTHER_KINDS = {
    b"\x93NUMPY": "one array alone, a .npy file",
    b"\x89HDF": "an HDF5 file",
    b"\x1f\x8b": "a gzip file",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"MATLAB": "a MATLAB file",
    b"\x80\x04": "a pickle, which could run code",
    b"\x80\x02": "a pickle, which could run code",
}


def load(path: str) -> ImageDataset:
    """Loads a data set of one's own.

    Args:
        path: an `.npz` file, or a directory of `.npy` files, with the arrays `x_train`, `y_train`,
            `x_test` and `y_test`; other usual names are known (`array_roles`), and what images and
            labels may look like is told in docs/data.md. Without training images the set can be
            evaluated on; one in one piece (`images`, `labels`) is divided (`one_part`).

    Returns:
        An `ImageDataset` named by the path.

    Raises:
        InputError: an array is missing, too large or damaged, or images and labels cannot be used.

    Example:
        np.savez("mine.npz", x_train=..., y_train=..., x_test=..., y_test=...)
        dataset = load("mine.npz")
    """
    archive = Archive(path)
    parts, class_names = array_roles.find_roles(archive)
    parts, notes = _used(parts)
    used = [name for pair in parts.values() for name in pair]
    memory.check_size(sum(archive.headers[name].size for name in used), f"--dataset={path}")
    for pair in parts.values():
        _check_counts(archive, *pair)
    images, read = array_images.read_images(
        {split: archive.read(pair[0]) for split, pair in parts.items()},
        {split: f"{path} {pair[0]}" for split, pair in parts.items()},
    )
    labels = array_labels.read_labels(
        {split: archive.read(pair[1]) for split, pair in parts.items()},
        {split: f"{path} {pair[1]}" for split, pair in parts.items()},
        None if class_names is None else archive.read(class_names),
    )
    splits = {split: ImageSplit(images[split], labels.numbers[split]) for split in parts}
    train, test, cut = divided(splits)
    return ImageDataset(
        path,
        train,
        test,
        labels.class_names,
        numbered=labels.numbered,
        notes=(*notes, *read, *labels.notes, *cut),
    )


def _check_counts(archive, images, labels):
    counts = [archive.headers[name].shape[:1] for name in (images, labels)]
    if all(counts) and counts[0] != counts[1]:
        raise InputError.expected(
            f"{archive.path} {labels}",
            f"one for each of {counts[0][0]} images in {images}",
            f"{counts[1][0]} labels",
        )


def _used(parts):
    """The pairs to read, training first, and notes on those taken for another or left aside."""
    notes = []
    train, test = parts.get("train"), parts.get("test")
    if test is None and "validation" in parts:
        test = parts["validation"]
        notes.append(f"there is no test split: {test[0]} and {test[1]} are taken for it")
    elif "validation" in parts:
        notes.append(f"{parts['validation'][0]} is not used")
    used = {"train": train, "test": test}
    if train is None and test is None:
        used = {array_roles.WHOLE: parts[array_roles.WHOLE]}
    used = {split: pair for split, pair in used.items() if pair is not None}
    other = [name for pair in used.values() for name in pair if name not in array_roles.ARRAYS]
    if other:
        notes.insert(0, f"images and labels are the arrays {', '.join(other)}")
    return used, notes


def kind_of(path: str | pathlib.Path) -> str:
    """What a file is by its first bytes: `zip`, or words for a kind that is no data set here."""
    with open(path, "rb") as file:
        start = file.read(8)
    if start[:2] == b"PK":
        return "zip"
    kinds = [words for magic, words in _OTHER_KINDS.items() if start.startswith(magic)]
    return kinds[0] if kinds else "another kind of file"
