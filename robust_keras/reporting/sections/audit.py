"""Whether the numbers can be believed: the checks of the audit."""

from collections.abc import Iterator
from typing import Any

from robust_keras.findings import Report
from robust_keras.reporting import wording
from robust_keras.reporting.section import Section, part
from robust_keras.reporting.table import Table


class Audit(Section):
    """A row a check, in the check's own words."""

    template = part("audit.html")

    def show(self, report: Report, model: Any) -> dict[str, Any] | None:
        return {}

    def tables(self, report: Report, model: Any, name: str) -> Iterator[tuple[str, Table]]:
        if model.audit:
            rows = [
                tuple(map(wording.visible, (c.check, c.result, c.message))) for c in model.audit
            ]
            columns = ("Check", "Result", "What was found")
            caption = f"Checks of the robustness of {name}, {wording.images_of(report)}"
            yield (
                "audit",
                Table(caption=caption, columns=columns, rows=tuple(rows), words=(0, 1, 2)),
            )

    def measures(self, report: Report, model: Any) -> Iterator[tuple[str, str]]:
        failed = ", ".join(check.check for check in model.failed)
        made = f"{len(model.checked)} made"
        yield "Audit's checks", f"{made}, failed: {failed}" if failed else f"{made}, none failed"
