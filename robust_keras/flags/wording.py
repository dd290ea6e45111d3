"""How a refused value is worded: what was expected, what came, and what may have been meant."""

import difflib

from robust_keras.errors import shown


def refuse(expected, received, meant=""):
    """Raises ValueError("expected ...; received ...").

    Args:
        expected: what would have been right, in words.
        received: the value that came instead.
        meant: what `did_you_mean` makes of it.
    """
    raise ValueError(f"expected {expected}; received {shown(received)}{meant}")


def joined(value):
    """A tuple as the user would type it; anything else as it is."""
    return ",".join(map(shown, value)) if isinstance(value, tuple) else value


def did_you_mean(typed, names):
    """` (did you mean lenet5?)`, or nothing where no name is near.

    Near are names that the text begins, one that its first letters spell (lr for learning_rate),
    and names of nearly the same letters, upper or lower case.

    Args:
        typed: what the user wrote.
        names: what could have been written.
    """
    if not isinstance(typed, str) or not 1 < len(typed) <= 100:
        return ""
    small = {name.lower(): name for name in names}
    text = typed.lower().replace("-", "_").strip("_")
    near = difflib.get_close_matches(text, small, n=1, cutoff=0.6)
    begun = [name for name in small if name.startswith(text)]
    spelt = [name for name in small if "".join(word[:1] for word in name.split("_")) == text]
    found = [*begun, *near, *spelt] if len(begun) == 1 else [*near, *begun, *spelt]
    return f" (did you mean {small[found[0]]}?)" if found else ""
