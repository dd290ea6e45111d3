"""How much of a data set may be held in memory."""

import os

from robust_keras.errors import InputError

_GIB = 2**30
# What a set may take at most, and which share of the machine: training needs room beside it.
_MOST = 4 * _GIB
_SHARE = 0.5


def limit() -> int:
    """Bytes that the arrays of one data set may take: 4 GiB, or half of a smaller machine's."""
    try:
        machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        # Not every system tells.
        return _MOST
    return min(_MOST, int(machine * _SHARE))


def check_size(size: int, name: str) -> None:
    """Raises unless so many bytes may be held.

    Args:
        size: bytes, as headers claim them; nothing has been read yet.
        name: whose bytes, for the error text.

    Raises:
        InputError: more than `limit()`.
    """
    if size > limit():
        raise InputError.expected(
            name,
            f"at most {limit() / _GIB:.3g} GiB of images and labels, as they are held in memory "
            "(take fewer or smaller images, or bytes in place of floats)",
            f"{size / _GIB:.3g} GiB",
        )
