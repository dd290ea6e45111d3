"""A user's own data as a directory with one folder of pictures a class."""

import os
import pathlib

import numpy as np

from robust_keras.data import memory, pictures
from robust_keras.data.datasets import ImageDataset, ImageSplit
from robust_keras.data.one_part import divided
from robust_keras.errors import InputError
from robust_keras.suggestion import did_you_mean

_SPLITS = {
    "train": ("train", "training"),
    "test": ("test", "testing"),
    "validation": ("val", "valid", "validation", "dev"),
}
_WHOLE = "whole"


def load(path: str) -> ImageDataset:
    """Loads pictures whose folders name their classes.

    Args:
        path: a directory `DIR/CLASS/picture.png`, or `DIR/train/CLASS/...` and `DIR/test/CLASS/...`
            (`val` where there is no test). Classes are numbered in the alphabetical order of their
            folders, as Keras and torchvision do. A directory without splits is divided
            (`one_part`).

    Returns:
        An `ImageDataset` of uint8 images named by the path.

    Raises:
        InputError: there are no such folders, or pictures cannot be read or differ in size.

    Example: `load("flowers")` of `flowers/daisy/1.jpg`, `flowers/rose/1.jpg` and so on.
    """
    root, source = pathlib.Path(path), f"--dataset={path}"
    folders, notes = _split_folders(root)
    class_names = _class_names(folders, source)
    files = {split: _files(folder, class_names, source) for split, folder in folders.items()}
    every = [file for split in files.values() for file, _ in split]
    if not every:
        raise _no_folders(root, source)
    picture_format, read = pictures.look_at(every, source)
    memory.check_size(len(every) * int(np.prod(picture_format.shape)), source)
    splits = {split: _split(found, picture_format, source) for split, found in files.items()}
    train, test, cut = divided(splits)
    notes = ("classes are folders, numbered in alphabetical order", *notes, *read, *cut)
    return ImageDataset(path, train, test, class_names, notes=(*notes, *_left_aside(folders)))


def holds_pictures(path: str) -> bool:
    """Whether there is a picture anywhere below a directory."""
    return any(_is_picture(name) for _, _, names in os.walk(path) for name in names)


def _split_folders(root):
    """From each split to its directory, and notes; the directory itself where there is no split."""
    named = {folder.name.lower(): folder for folder in _folders(root)}
    found = {}
    for split, names in _SPLITS.items():
        for name in names:
            if name in named:
                found.setdefault(split, named[name])
    if "train" not in found and "test" not in found:
        return {_WHOLE: root}, ()
    validation = found.pop("validation", None)
    if validation is not None and "test" not in found:
        return found | {"test": validation}, (f"folder {validation.name} is taken for test",)
    return found, () if validation is None else (f"folder {validation.name} is not used",)


def _class_names(folders, source):
    first, *others = folders
    names = tuple(folder.name for folder in _folders(folders[first]))
    if len(names) < 2:
        raise InputError.expected(
            source,
            f"a folder a class in {folders[first]}, two or more",
            f"{', '.join(names) or 'none'}{_deeper(folders[first], names)}",
        )
    for split in others:
        for folder in _folders(folders[split]):
            if folder.name not in names:
                raise InputError.expected(
                    source,
                    f"the classes of {first}, {', '.join(names[:5])}, in {split} as well",
                    f"{folder}{did_you_mean(folder.name, names)}",
                )
    return names


def _files(root, class_names, source):
    """`(file, label)` of every picture, in an order that depends on names only."""
    found = []
    for label, name in enumerate(class_names):
        for directory, below, files in os.walk(root / name):
            below.sort()
            found += [
                (pathlib.Path(directory) / file, label)
                for file in sorted(files)
                # A pipe by the name of a picture would be waited for without end.
                if _is_picture(file) and (pathlib.Path(directory) / file).is_file()
            ]
    if not found:
        raise _no_folders(root, source)
    return found


def _split(files, picture_format, source):
    paths, labels = zip(*files, strict=True)
    return ImageSplit(pictures.read(paths, picture_format, source), np.array(labels))


def _folders(root):
    try:
        entries = sorted(root.iterdir(), key=lambda entry: entry.name)
    except OSError as error:
        raise InputError.expected(
            "--dataset", "a directory that can be read", f"{root} ({error.strerror})"
        ) from error
    return [entry for entry in entries if entry.is_dir() and not entry.name.startswith((".", "__"))]


def _is_picture(name):
    return not name.startswith(".") and os.path.splitext(name)[1].lower() in pictures.SUFFIXES


def _deeper(root, names):
    """The directory that was probably meant, where one folder holds all others."""
    if len(names) == 1 and len(_folders(root / names[0])) > 1:
        return f" (did you mean {root / names[0]}?)"
    return ""


def _left_aside(folders):
    """A note on files among the pictures that are none."""
    count = sum(
        not _is_picture(name) and not name.startswith(".")
        for folder in folders.values()
        for _, _, names in os.walk(folder)
        for name in names
    )
    return (f"{count} files that are no pictures are left aside",) if count else ()


def _no_folders(root, source):
    return InputError.expected(
        source,
        f"pictures ({', '.join(sorted(pictures.SUFFIXES))}) in one folder a class, such as "
        f"{root / 'CLASS' / '1.png'}, or arrays in .npy files",
        "no picture in any folder of it",
    )
