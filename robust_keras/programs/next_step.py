"""What to type next, told at the end of a run."""

import pathlib
import shlex
import sys
from collections.abc import Sequence
from typing import Any


def typed(arguments: Sequence[str], program: str | None = None) -> str:
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


def after_training(config: Any, serving_path: Any) -> str:
    """The command that attacks what was exported."""
    flags = [f"--models={serving_path}"]
    for name, value in (("dataset", config.dataset), ("data_dir", config.data_dir)):
        if value not in ("mnist5k", None):
            flags.append(f"--{name}={value}")
    epsilon = config.train_epsilon or config.denoiser_epsilon
    if epsilon:
        flags.append(f"--epsilons={_text(epsilon)}")
    flags.append(f"--output_dir={pathlib.Path(config.output_dir) / 'report'}")
    return typed(flags, "evaluate")


def after_evaluation(report: Any, report_path: pathlib.Path) -> str:
    """What to look at; the table above tells already how to make a preliminary number stronger.

    No attack mends a number that is not to be believed: the page says what is wrong with it.
    """
    # Imported when there is a report: --help must not wait for it.
    from robust_keras.reporting import wording

    names = zip(wording.display_names(report.models), report.models, strict=True)
    doubtful = [name for name, model in names if model.verdict == "unreliable"]
    why = f": why not to believe {wording.listed(doubtful)}" if doubtful else ""
    return f"open {report_path} in a browser{why}"


def _text(value):
    """A number as people write it: 8/255 rather than 0.03137254901960784."""
    if isinstance(value, float) and len(repr(value)) > 8:
        steps = round(value * 255)
        if steps / 255 == value:
            return f"{steps}/255"
    return str(value)
