"""Works with finished reports, without TensorFlow and without the models.

    robust-keras-report join A B ... --output_dir=DIR
        models of several reports in one
    robust-keras-report rebuild A --output_dir=DIR
        page and figures from report.json alone
    robust-keras-report export A --output_dir=DIR
        figures as SVG and PDF; tables as LaTeX, Markdown and CSV; a card; SARIF

A, B: a report.json, or the directory that holds one.
`python -m robust_keras.programs.report` is the same program.
"""

import argparse
import os
import pathlib
import sys
from collections.abc import Sequence

from robust_keras import standard_streams
from robust_keras.directories import whole_files
from robust_keras.errors import InputError
from robust_keras.programs import terminal

EXIT_INPUT_ERROR = 2
_FILE = "report.json"
_FREE = "a new directory, or an empty one"


def main(arguments: Sequence[str]) -> int:
    """Does what the arguments say; a user's mistake becomes one line and exit code 2.

    Args:
        arguments: what follows the program's name.

    Returns:
        The exit code.
    """
    try:
        given = _parser().parse_args(arguments)
        _check_free(given.output_dir)
        with whole_files.reasons(given.output_dir, only_disk=True):
            print({"join": _join, "rebuild": _rebuild, "export": _export}[given.verb](given))
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return EXIT_INPUT_ERROR
    return 0


class _Parser(argparse.ArgumentParser):
    def error(self, message):
        raise InputError(f"command line: {message} (--help tells more)")


def _parser():
    parser = _Parser(
        prog="robust-keras-report",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="join|rebuild|export")
    for verb, many in (("join", "+"), ("rebuild", 1), ("export", 1)):
        added = verbs.add_parser(verb)
        added.add_argument("reports", nargs=many, help="report.json, or its directory")
        added.add_argument("--output_dir", required=True, type=pathlib.Path)
    return parser


def _check_free(directory):
    try:
        free = not os.listdir(directory)
    except FileNotFoundError:
        return
    except OSError as error:
        raise InputError.expected(
            "--output_dir", _FREE, f"{directory} ({error.strerror})"
        ) from error
    if not free:
        raise InputError.expected("--output_dir", _FREE, f"{directory}, which holds something")


def _read(name):
    from robust_keras.findings import Report

    path = pathlib.Path(name)
    return Report.read(path / _FILE if os.path.isdir(path) else path)


def _join(given):
    from robust_keras import reporting
    from robust_keras.reporting import joining

    reports = {name: _read(name) for name in given.reports}
    if len(given.reports) < 2 or len(reports) < len(given.reports):
        expected = "two or more reports, each once"
        raise InputError.expected("join", expected, " ".join(given.reports))
    report = joining.joined(reports)
    written = reporting.write(report, {}, given.output_dir)
    table = reporting.summary_table(report, terminal.columns())
    return f"{table}\nreport  {written.with_name('report.html')}"


def _rebuild(given):
    from robust_keras import reporting

    written = reporting.write(_read(given.reports[0]), {}, given.output_dir)
    return f"report  {written.with_name('report.html')}"


def _export(given):
    from robust_keras.reporting import exports

    written = exports.write(_read(given.reports[0]), given.output_dir)
    return f"{len(written)} files in {given.output_dir}, to begin with {written[0]}"


def run() -> None:
    """The program, from the command line to the exit code."""
    with standard_streams.forgiving():
        raise SystemExit(main(sys.argv[1:]))


if __name__ == "__main__":
    run()
