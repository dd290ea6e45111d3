"""What a report of several models takes with the audit and the inside view, and how large it is.

    python benchmarks/report_benchmark.py --models=A,B,... [any other flag of evaluate.py]

Prints seconds of one processor, which computes with one thread, so that it can be run beside other
work: of the whole evaluation, of each view of the inside of each model, and of writing the report.
"""

import os
import pathlib
import sys
import time

# Before TensorFlow: with one thread, time passes on the processor as it does on a clock.
THREADS = ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")
os.environ.update(dict.fromkeys(THREADS, "1"))

ROOT = pathlib.Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from robust_keras import reporting
from robust_keras.engine.journal import Unrecorded
from robust_keras.inside import views
from robust_keras.progress import RunProgress
from robust_keras.runs import evaluation
from robust_keras.settings.config import EvaluateConfig

CHOSEN = {"attacks": ("quick",), "inside": True}


class ProcessorClock(Unrecorded):
    """A journal that keeps nothing, on whose clock this process alone runs."""

    now = staticmethod(time.process_time)


def timed(name, view, seconds):
    """A view of the inside that adds what it takes to the last model's row."""

    def measured(subject):
        if not seconds or name in seconds[-1]:
            seconds.append({})
        begin = time.process_time()
        found = view(subject)
        seconds[-1][name] = time.process_time() - begin
        return found

    return measured


def settings(arguments):
    """The settings that flags name, beside the chosen ones."""
    known = EvaluateConfig.__dataclass_fields__
    given = (argument.removeprefix("--").partition("=") for argument in arguments)
    return {name: known[name].metadata["parse"].parse(text or "true") for name, _, text in given}


def main():
    seconds, config = [], EvaluateConfig(**CHOSEN | settings(sys.argv[1:]))
    for name, view in views.VIEWS.items():
        views.VIEWS[name] = timed(name, view, seconds)
    begin = time.process_time()
    clock = ProcessorClock()
    with RunProgress(now=clock.now) as progress:
        report, examples, tables = evaluation.evaluate(config, journal=clock, progress=progress)
    found = time.process_time()
    directory = pathlib.Path(config.output_dir)
    reporting.write(report, examples, directory, tables)
    written = time.process_time() - found
    names = list(views.VIEWS)
    print(f"| model | robust | {' | '.join(names)} | inside |\n|" + " --- |" * (len(names) + 3))
    for model, row in zip(report.models, seconds, strict=True):
        cells = [f"{value:.1f}" for value in (*(row[n] for n in names), sum(row.values()))]
        print(f"| {model.path} | {model.worst_case.accuracy[-1]:.1%} | {' | '.join(cells)} |")
    size = (directory / "report.html").stat().st_size / 2**20
    print(
        f"whole evaluation {found - begin:.0f} s, report written in {written:.0f} s: {size:.2f} MiB"
    )


if __name__ == "__main__":
    main()
