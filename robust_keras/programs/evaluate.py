"""Attacks trained classifiers, audits the result and writes report.json and report.html.

    python evaluate.py --models=runs/quickstart/serving --output_dir=runs/quickstart/report
    python evaluate.py --models=A/serving,B/model.keras --dataset=cifar10 --norm=linf
    --epsilons=2/255,8/255

The same command on an evaluation that was interrupted goes on with it.

Takes SavedModels (ours or anybody's, as long as the default signature maps images to logits or
probabilities) and .keras files. Images and epsilons are in [0, 1].
"""

import pathlib
import shlex
import sys

from robust_keras.config import EvaluateConfig
from robust_keras.directories import whole_files
from robust_keras.flags.threshold import read_thresholds
from robust_keras.programs import packages
from robust_keras.quiet_start import start_tensorflow
from robust_keras.report_directory import report_directory

EXIT_BELOW = 3


def main(config):
    """One evaluation, from the config to the report."""
    directory = report_directory(config)
    with whole_files.reasons(directory.path, only_disk=True):
        start_tensorflow()
        _evaluate(config, directory)


def _evaluate(config, directory):
    from robust_keras import evaluation, reporting
    from robust_keras.attacks import Journal

    journal = Journal(directory.journal_path, directory.begin)
    report, examples, tables = evaluation.evaluate(config, command=_command(), journal=journal)
    directory.begin()
    reporting.write(report, examples, directory.path, tables)
    directory.finish()
    print(reporting.summary_table(report))
    print(f"report  {directory.path / 'report.html'}")
    print(f"data    {directory.path / 'report.json'}")
    _compare(config, report)


def _compare(config, report):
    """Leaves with an exit code of its own where a model is not as robust as --fail_below asks."""
    from robust_keras import reporting

    found = reporting.shortfalls(report, read_thresholds(config.fail_below))
    for sentence in found:
        print(f"--fail_below: {sentence}", file=sys.stderr)
    if found:
        raise SystemExit(EXIT_BELOW)


def _command():
    """What was typed, as it can be typed again."""
    program, *arguments = sys.argv
    if program.endswith(".py"):
        return shlex.join(["python", program, *arguments])
    return shlex.join([pathlib.Path(program).name, *arguments])


def run():
    """The program, from the command line to the exit code."""
    packages.start(main, EvaluateConfig, __doc__)
