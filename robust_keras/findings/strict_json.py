"""JSON that anybody may have damaged: what our own writer never writes is refused."""

import collections
import json
import math
import os
from typing import Any

# A report with the pictures of a hundred models takes less.
MOST_BYTES = 64 * 2**20
_DEEPEST = 50
_LONGEST_INTEGER = 18


def read_text(path: str | os.PathLike[str]) -> str:
    """The text of a file.

    Raises:
        ValueError: it cannot be read, is larger than `MOST_BYTES`, or is not UTF-8.
    """
    try:
        with open(path, "rb") as file:
            size = os.fstat(file.fileno()).st_size
            # A pipe has no size, so what is read is limited as well.
            content = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise ValueError(f"a file that can be read. Received: {error.strerror}") from error
    if max(size, len(content)) > MOST_BYTES:
        raise ValueError(f"at most {MOST_BYTES // 2**20} MiB. Received: more")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"text in UTF-8. Received: {error}") from error


def parse(content: str) -> Any:
    """The value of JSON text: mappings, lists, strings, finite numbers, booleans and None.

    Raises:
        ValueError: it is no JSON; or a name comes twice in a mapping, a number is not finite or
            beyond 64 bits, or mappings and lists are nested too deep.
    """
    try:
        value = json.loads(
            content,
            object_pairs_hook=_once_each,
            parse_constant=_refuse_constant,
            parse_int=_integer,
            parse_float=_finite,
        )
    except RecursionError:
        raise _too_deep() from None
    _check_depth(value)
    return value


def _once_each(pairs):
    found = dict(pairs)
    if len(found) < len(pairs):
        ((twice, _),) = collections.Counter(name for name, _ in pairs).most_common(1)
        raise ValueError(f"each name must come once. Received: {twice[:100]!r} twice")
    return found


def _refuse_constant(text):
    raise ValueError(f"numbers must be finite. Received: {text}")


def _integer(text):
    if len(text) > _LONGEST_INTEGER:
        raise ValueError(f"whole numbers must have at most 18 digits. Received: {len(text)}")
    return int(text)


def _finite(text):
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"numbers must be finite. Received: {text[:100]}")
    return number


def _check_depth(value):
    """Looks at every value, level by level, without calling itself."""
    level = [value]
    for _ in range(_DEEPEST):
        below = []
        for item in level:
            if isinstance(item, list):
                below += item
            elif isinstance(item, dict):
                below += item.values()
        if not below:
            return
        level = below
    raise _too_deep()


def _too_deep():
    return ValueError(f"at most {_DEEPEST} lists and mappings within each other. Received: more")
