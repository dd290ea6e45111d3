"""Images of another data set, shown as nonsense."""

import dataclasses
import zlib

import numpy as np

from robust_keras import data
from robust_keras.data.foreign_images import in_shape
from robust_keras.errors import InputError
from robust_keras.findings import NonsenseReport
from robust_keras.settings.config import EvaluateConfig
from robust_keras.settings.unusual import NOISE

_SPLIT = "test"


@dataclasses.dataclass(frozen=True, eq=False)
class NonsenseSet:
    """Images in the shape of those that are attacked, and what they are.

    Args:
        images: float32 array (images, height, width, channels) in [0, 1].
        report: `NonsenseReport`.
    """

    images: np.ndarray
    report: NonsenseReport

    @property
    def mark(self) -> str:
        """What tells these images from others, for the journal."""
        return f"{self.report.name} {zlib.crc32(self.images.tobytes()):08x}"


def nonsense_set(
    config: EvaluateConfig, shape: tuple[int, ...], count: int, seed: int
) -> NonsenseSet | None:
    """The images that --nonsense names, or None for noise.

    Args:
        config: an `EvaluateConfig`.
        shape: (height, width, channels) that the models take.
        count: how many at most; the first of an order that the seed decides.
        seed: of that order.

    Raises:
        InputError: there is no such data set, or its images do not fit.
    """
    if config.nonsense == NOISE:
        return None
    try:
        split = data.load(config.nonsense, config.data_dir).part(_SPLIT).take(count, seed)
    except InputError as error:
        raise InputError(str(error).replace("--dataset", "--nonsense")) from error
    images, fitting = in_shape(split.float_images(), shape)
    report = NonsenseReport(
        name=config.nonsense, split=_SPLIT, images=len(images), fitting=fitting or None
    )
    return NonsenseSet(images, report)
