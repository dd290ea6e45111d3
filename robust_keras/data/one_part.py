"""A data set that came in one piece, divided into training and test images the same way always."""

from typing import cast

from robust_keras.data.datasets import ImageSplit, hold_out
from robust_keras.errors import InputError

# Fixed for good: train.py and evaluate.py must mean the same images by "test".
_SHARE, _SEED = 0.2, 0


def divided(splits: dict[str, ImageSplit]) -> tuple[ImageSplit | None, ImageSplit, tuple[str, ...]]:
    """Training and test images of a set that may have one part only.

    A set in one piece, or of training images alone, gives a fifth of each class as test images,
    the same fifth in every run. Test images alone stay whole.

    Args:
        splits: from `train`, `test` or any other word for a set in one piece to an `ImageSplit`.

    Returns:
        `(train, test, notes)`: `ImageSplit`s, train None where there is none; and what was done,
        a sentence each.
    """
    if "test" in splits:
        return splits.get("train"), splits["test"], ()
    (whole,) = splits.values()
    try:
        train, test = hold_out(whole, _SHARE, _SEED)
        test = cast(ImageSplit, test)  # A share above 0 leaves some.
    except InputError:
        # Too few images a class for a fifth: they can be evaluated on.
        return None, whole, ("the set is in one piece and too small to divide: all is test",)
    return (
        train,
        test,
        (
            f"the set is in one piece: {len(test)} images, a fifth of each class, are test images, "
            f"the others training images (--split=all evaluates on all {len(whole)})",
        ),
    )
