"""Did you mean: the known names nearest to one that is not known. Standard library only."""

import difflib
import os
from collections.abc import Iterable


def did_you_mean(typed: str, names: Iterable[str], *, mark: str = "") -> str:
    """` (did you mean lenet5?)`, or nothing where no name is near.

    Near are names that begin with the text, that its letters are the initials of (lr for
    learning_rate), and of nearly the same letters, in upper or lower case.

    Args:
        typed: what the user wrote.
        names: what could have been written.
        mark: what users write before a name.
    """
    if not isinstance(typed, str) or not 1 < len(typed) <= 100:
        return ""
    small = {name.lower(): name for name in names}
    text = typed.lower().replace("-", "_").strip("_")
    begun = sorted((name for name in small if text and name.startswith(text)), key=len)
    spelt = [name for name in small if "".join(word[:1] for word in name.split("_")) == text]
    near = difflib.get_close_matches(text, small, n=1, cutoff=0.6)
    found = begun or spelt or near
    meant = " or ".join(mark + small[name] for name in found[:2])
    return f" (did you mean {meant}?)" if meant else ""


def beside(path: str | os.PathLike, *, mark: str = "") -> str:
    """The same for a path that is not there: what lies beside it and is spelt nearly so.

    Args:
        path: what the user wrote.
        mark: what is shown before the name.
    """
    parent, name = os.path.split(path)
    try:
        return did_you_mean(name, os.listdir(parent or os.curdir), mark=mark)
    except (OSError, ValueError):
        return ""
