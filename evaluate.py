"""Attacks trained classifiers, audits the result and writes report.json and report.html.

    python evaluate.py --models=runs/quickstart/serving --output_dir=runs/quickstart/report
    python evaluate.py --models=A/serving,B/model.keras --dataset=cifar10 --norm=linf
    --epsilons=2/255,8/255

Takes SavedModels (ours or anybody's, as long as the default signature maps images to logits or
probabilities) and .keras files. Images and epsilons are in [0, 1].
"""

import shlex
import sys

import command_line
from robust_keras.config import EvaluateConfig
from robust_keras.quiet_start import start_tensorflow
from robust_keras.run_directory import check_report_directory


def main(config):
    """One evaluation, from the config to the report."""
    directory = check_report_directory(config.output_dir)
    start_tensorflow()
    from robust_keras import evaluation, reporting

    command = shlex.join(["python", *sys.argv])
    report, examples = evaluation.evaluate(config, command=command)
    reporting.write(report, examples, directory)
    print(reporting.summary_table(report))
    print(f"report  {directory / 'report.html'}")
    print(f"data    {directory / 'report.json'}")


if __name__ == "__main__":
    command_line.run(main, EvaluateConfig, __doc__)
