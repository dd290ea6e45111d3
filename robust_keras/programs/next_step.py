"""What to type next, told at the end of a run. Standard library only."""

import dataclasses
import pathlib
import shlex
import sys

from robust_keras.flags.minimal import MinimalFlags
from robust_keras.flags.unusual import UnusualFlags

# Attacks that are strong enough for a number to be quoted.
_STRONG = {"quick", "autoattack"}
# What a second evaluation for a stronger number has no need to do again.
_NOT_AGAIN = {
    *(field.name for flags in (MinimalFlags, UnusualFlags) for field in dataclasses.fields(flags)),
    "attacks",
    "output_dir",
    "transfer",
    "transfer_attack",
    "substitute",
    "substitute_images",
    "keep_examples",
    "sweep",
}


def typed(arguments, program=None):
    """A command as it can be typed.

    Args:
        arguments: what follows the program's name.
        program: "train" or "evaluate"; by default what this process is.
    """
    name = sys.argv[0]
    if name.endswith(".py"):
        path = pathlib.Path(name)
        words = ["python", str(path.with_name(f"{program}.py") if program else path)]
    else:
        words = [f"robust-keras-{program}" if program else pathlib.Path(name).name]
    return shlex.join([*words, *arguments])


def after_training(config, serving_path):
    """The command that attacks what was exported.

    Args:
        config: the `TrainConfig`.
        serving_path: the directory of the export.
    """
    flags = [f"--models={serving_path}"]
    for name, value in (("dataset", config.dataset), ("data_dir", config.data_dir)):
        if value not in ("mnist5k", None):
            flags.append(f"--{name}={value}")
    epsilon = config.train_epsilon or config.denoiser_epsilon
    if epsilon:
        flags.append(f"--epsilons={_text(epsilon)}")
    flags.append(f"--output_dir={pathlib.Path(config.output_dir) / 'report'}")
    return typed(flags, "evaluate")


def after_evaluation(config, report_path):
    """The command that makes the number stronger, or the report to look at.

    Args:
        config: the `EvaluateConfig`.
        report_path: of report.html.
    """
    if _STRONG & set(config.attacks):
        return f"open {report_path} in a browser"
    changed = [
        flag
        for field in dataclasses.fields(config)
        if field.name not in _NOT_AGAIN
        for flag in _as_flag(field, getattr(config, field.name))
    ]
    again = ["--attacks=quick", f"--output_dir={config.output_dir}-quick"]
    return typed([*changed, *again], "evaluate")


def _as_flag(field, value):
    """[A flag], or [] where the value is the default."""
    if value == field.default:
        return []
    if isinstance(value, bool):
        return [f"--{field.name}" if value else f"--no{field.name}"]
    values = value if isinstance(value, tuple) else (value,)
    return [f"--{field.name}={','.join(map(_text, values))}"]


def _text(value):
    """A number as people write it: 8/255 rather than 0.03137254901960784."""
    if isinstance(value, float) and len(repr(value)) > 8:
        steps = round(value * 255)
        if steps / 255 == value:
            return f"{steps}/255"
    return str(value)
