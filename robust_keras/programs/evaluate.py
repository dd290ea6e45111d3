"""Attacks trained classifiers, audits the result, writes report.json and .html.

    python evaluate.py --models=runs/quickstart/serving --attacks=autoattack
    python evaluate.py --models=A/serving,B/model.keras --epsilons=2/255,8/255

The same command on an evaluation that was interrupted goes on with it.

Takes SavedModels, ours or anybody's, that map images to logits or
probabilities, .keras and .h5 files (docs/models.md). Images and epsilons are in
[0, 1].
"""

import io
import sys
import time
from typing import Any

from robust_keras import cluster, durations
from robust_keras.directories import whole_files
from robust_keras.programs import assistants, next_step, packages, terminal
from robust_keras.quiet_start import start_tensorflow
from robust_keras.runs.report_directory import report_directory
from robust_keras.settings.config import EvaluateConfig
from robust_keras.settings.threshold import read_thresholds

EXIT_BELOW = 3


def main(config: Any) -> None:
    """One evaluation, from the config to the report."""
    began = time.monotonic()
    if not cluster.writes(config.distribute):
        return _take_part(config)
    directory = report_directory(config)
    with whole_files.reasons(directory.path, only_disk=True):
        start_tensorflow()
        _evaluate(config, directory, began)


def _take_part(config):
    """The part of a process that has not to write the report."""
    with cluster.unseen():
        start_tensorflow()
        from robust_keras.engine.journal import Unrecorded
        from robust_keras.progress import RunProgress
        from robust_keras.runs import evaluation, shared_evaluation

        with (
            shared_evaluation.shared(config, Unrecorded()) as journal,
            RunProgress(io.StringIO()) as progress,
        ):
            evaluation.evaluate(config, journal=journal, progress=progress)


def _evaluate(config, directory, began):
    from robust_keras import reporting
    from robust_keras.engine import Journal
    from robust_keras.progress import RunProgress
    from robust_keras.runs import evaluation, shared_evaluation

    kept, command = Journal(directory.journal_path, directory.begin), next_step.typed(sys.argv[1:])
    with (
        shared_evaluation.shared(config, kept) as journal,
        RunProgress(began=began) as progress,
    ):
        with assistants.company_of(config, directory) as company:
            report, examples, tables = evaluation.evaluate(
                config, command=command, journal=journal, progress=progress, company=company
            )
        directory.begin()
        with progress.part("report"):
            reporting.write(report, examples, directory.path, tables)
    directory.finish()
    print(reporting.summary_table(report, terminal.columns()))
    print(f"report  {directory.path / 'report.html'}")
    print(f"data    {directory.path / 'report.json'}")
    print(f"took    {durations.measured(time.monotonic() - began)}")
    print(f"next    {next_step.after_evaluation(report, directory.path / 'report.html')}")
    _compare(config, report)


def _compare(config, report):
    """Leaves with an exit code of its own where a model is not as robust as --fail_below asks."""
    from robust_keras import reporting

    found = reporting.shortfalls(report, read_thresholds(config.fail_below))
    for sentence in found:
        print(f"--fail_below: {sentence}", file=sys.stderr)
    if found:
        raise SystemExit(EXIT_BELOW)


def run() -> None:
    """The program, from the command line to the exit code."""
    packages.start(main, EvaluateConfig, __doc__)
