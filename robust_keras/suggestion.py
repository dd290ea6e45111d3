"""Did you mean: the known name nearest to one that is not known."""

import difflib

_NEAR = 0.6


def did_you_mean(name, known):
    """Words to add to an error.

    Args:
        name: what was written.
        known: names that would have been right.

    Returns:
        ` (did you mean NAME?)`, or nothing where no known name is near.

    Example: `did_you_mean("mnits", ["mnist", "cifar10"])` gives ` (did you mean mnist?)`.
    """
    lower = {other.lower(): other for other in known}
    found = difflib.get_close_matches(name.lower(), lower, n=1, cutoff=_NEAR)
    return f" (did you mean {lower[found[0]]}?)" if found else ""
