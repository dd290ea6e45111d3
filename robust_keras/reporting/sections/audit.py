"""Whether the numbers can be believed: the checks of the audit."""

from collections.abc import Iterator
from typing import Any

from robust_keras.findings import Report
from robust_keras.reporting.section import Section, part


class Audit(Section):
    """A row a check, in the check's own words."""

    template = part("audit.html")

    def show(self, report: Report, model: Any) -> dict[str, Any] | None:
        return {}

    def measures(self, report: Report, model: Any) -> Iterator[tuple[str, str]]:
        failed = ", ".join(check.check for check in model.failed)
        made = f"{len(model.checked)} made"
        yield "Audit's checks", f"{made}, failed: {failed}" if failed else f"{made}, none failed"
