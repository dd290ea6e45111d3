"""What to type next, told at the end of a run."""

import pathlib
import shlex
import sys


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


def after_evaluation(report, report_path):
    """The command that makes the number stronger, or what to look at where that was done.

    Args:
        report: the `Report`.
        report_path: of report.html.
    """
    # Imported when there is a report: --help must not wait for it.
    from robust_keras.reporting.advice import stronger_command
    from robust_keras.strength import STRONG

    weak = any(model.strength != STRONG for model in report.models)
    # The table says it already below preliminary numbers.
    told = any(model.verdict == "preliminary" for model in report.models)
    command = stronger_command(report) if weak and not told else ""
    return command or f"open {report_path} in a browser"


def _text(value):
    """A number as people write it: 8/255 rather than 0.03137254901960784."""
    if isinstance(value, float) and len(repr(value)) > 8:
        steps = round(value * 255)
        if steps / 255 == value:
            return f"{steps}/255"
    return str(value)
