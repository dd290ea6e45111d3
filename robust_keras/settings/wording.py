"""How a refused value is worded: what was expected, what came, and what may have been meant."""

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
