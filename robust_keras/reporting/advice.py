"""What would make a number quotable, as a command to type."""

import shlex

# The cheapest attack that a robust accuracy may be quoted from.
ATTACK = "quick"
_REPLACED = ("attacks", "output_dir")


def stronger_command(report):
    """Gives the command that measures the same anew with an attack to quote from.

    Args:
        report: `Report`.

    Returns:
        The report's own command with another attack and another directory; "" if the report was
        made from Python.

    Example:
        `python evaluate.py --models=m --attacks=pgd` becomes
        `python evaluate.py --models=m --attacks=quick --output_dir=runs/evaluation-quick`.
    """
    try:
        words = shlex.split(report.command)
    except ValueError:
        # Whoever wrote this report quoted its command as no shell does.
        return ""
    if not words:
        return ""
    kept, given = _without(words, _REPLACED)
    directory = given.get("output_dir", "runs/evaluation").rstrip("/")
    kept += [f"--attacks={ATTACK}", f"--output_dir={directory}-{ATTACK}"]
    return shlex.join(kept)


def _without(words, names):
    """The words without some flags, written `--name=value` or `--name value`; and their values."""
    kept, given, waiting = [], {}, None
    for word in words:
        name, equals, value = word.lstrip("-").partition("=")
        if waiting is not None:
            given[waiting], waiting = word, None
        elif word.startswith("-") and name in names:
            given[name] = value
            waiting = None if equals else name
        else:
            kept.append(word)
    return kept, given
