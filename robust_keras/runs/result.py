"""What an evaluation in Python gives back."""

import base64
import dataclasses
import html
import os
import pathlib
from collections.abc import Mapping
from typing import Any

from robust_keras import reporting
from robust_keras.findings import ModelReport, Report
from robust_keras.reporting.output import figure_files


@dataclasses.dataclass(frozen=True)
class EvaluationResult:
    """The numbers of an evaluation, with the fields of report.json under the same names.

    Args:
        report: all that was found, `findings.Report`.
        examples: model name -> the adversarial examples that the page shows.
        tables: model name -> `engine.PerImage`, one entry an image, in the order of the images.

    Example:
        `result.models[0].worst_case.accuracy`
    """

    report: Report
    examples: Mapping[str, Any] = dataclasses.field(repr=False)
    tables: Mapping[str, Any] = dataclasses.field(repr=False)

    @property
    def models(self) -> tuple[ModelReport, ...]:
        """One `ModelReport` a model: `clean_accuracy`, `worst_case`, `verdict`, `audit`, ..."""
        return tuple(self.report.models)

    def summary(self) -> str:
        """The table that evaluate.py prints."""
        return reporting.summary_table(self.report)

    def save(self, directory: str | os.PathLike[str]) -> pathlib.Path:
        """Writes report.json, report.html, the figures and tables.

        Args:
            directory: made if it is missing; one with a finished report is not touched.

        Returns:
            The path of report.json.

        Raises:
            InputError: the directory holds a finished report, or cannot be written.
        """
        return reporting.write(self.report, self.examples, directory, self.tables)

    def __repr__(self) -> str:
        found = ", ".join(f"{model.path}: {model.verdict}" for model in self.models)
        return f"EvaluationResult({found})"

    def _repr_html_(self) -> str:
        """For notebooks: the summary and the curves."""
        name, picture = next(iter(figure_files(self.report)))
        code = base64.b64encode(picture).decode("ascii")
        shown = f'<img alt="{html.escape(name)}" src="data:image/png;base64,{code}">'
        return f"<pre>{html.escape(self.summary())}</pre>{shown}"
