"""Whether the numbers can be believed: the checks of the audit."""

from typing import Any

from robust_keras.findings import Report
from robust_keras.reporting.section import Section, part


class Audit(Section):
    """A row a check, in the check's own words."""

    template = part("audit.html")

    def show(self, report: Report, model: Any) -> dict[str, Any] | None:
        return {}
