"""Flags of how a data set is read."""

import dataclasses
from typing import Any

from robust_keras.settings import values
from robust_keras.settings.field import flag, optional_text, switch


def data_dir() -> Any:
    """The flag of where data sets are kept, the same of every program."""
    return optional_text(
        "Where TensorFlow Datasets keeps its data (default: its own, ~/tensorflow_datasets)."
    )


@dataclasses.dataclass(frozen=True)
class ReadingFlags:
    """Reading of the data set."""

    image_size: int | None = flag(
        None,
        values.Whole(1, 4096, optional=True),
        "Height and width that images of a TensorFlow Datasets set are brought to, such as 224 for "
        "imagenet2012: the shorter side to 8/7 of it, and of that the middle (default: their own, "
        "which must be one).",
    )
    stream: bool = switch(
        "Read the images of a TensorFlow Datasets set from the disk batch by batch, as is done by "
        "itself where they do not fit into memory. What comes out is the same.",
        decides_results=False,
    )
