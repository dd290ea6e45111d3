"""What would make a number quotable, as a command to type."""

import shlex
from collections.abc import Mapping

from robust_keras.findings import ModelReport, Report, check_names

# What a robust accuracy may be quoted from, the cheapest first.
ENSEMBLES = ("quick", "autoattack")
# What a check found fault with, and the flag under which it need not any more.
_ANSWERS = {
    check_names.SATURATED_LOGITS: ("attacker_temperature", "removed"),
    check_names.REPEATABLE_ANSWERS: ("expectation_samples", "20"),
}
# These find fault with the model itself.
_OF_GRADIENTS = {
    check_names.GRADIENT_AVAILABLE,
    check_names.GRADIENTS_AGAINST_DIFFERENCES,
    check_names.SEARCH_AGAINST_GRADIENTS,
    check_names.LAYERS_THAT_MISLEAD,
}
_REPLACED = ("attacks", "output_dir")


def stronger_attack(model: ModelReport) -> str:
    """Gives the next attack that may make a preliminary number quotable, or "".

    None does where a part of such an attack could not run, where the strongest one ran, or where
    the model's own gradients mislead: whatever the command, that stays so.
    """
    if any(attack.settings.get("left_out") for attack in model.ran):
        return ""
    if {check.check for check in model.failed} & _OF_GRADIENTS:
        return ""
    answered = answering_flags(model)
    tried = [ENSEMBLES.index(a.name) for a in model.ran if a.name in ENSEMBLES and not answered]
    return (*ENSEMBLES, "")[max(tried, default=-1) + 1]


def answering_flags(model: ModelReport) -> dict[str, str]:
    """Gives the flags, from name to value, under which the checks that failed may pass."""
    failed = {check.check for check in model.failed}
    return {flag: value for check, (flag, value) in _ANSWERS.items() if check in failed}


def stronger_command(report: Report, attack: str, flags: Mapping[str, str] | None = None) -> str:
    """Gives the command that measures the same anew with an attack to quote from.

    Args:
        report: `Report`.
        attack: name of the attack; "" gives no command.
        flags: more flags, from name to value.

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
    if not words or not attack:
        return ""
    flags = dict(flags or {})
    kept, given = _without(words, (*_REPLACED, *flags))
    directory = given.get("output_dir", "runs/evaluation").rstrip("/")
    kept += [f"--attacks={attack}", *(f"--{name}={value}" for name, value in flags.items())]
    kept.append(f"--output_dir={directory}-{attack}")
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
