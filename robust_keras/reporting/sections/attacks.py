"""Each attack and what it cost."""

from typing import Any

from robust_keras.findings import Report
from robust_keras.reporting import wording
from robust_keras.reporting.section import Section, part


class Attacks(Section):
    """A row an attack, and the worst case."""

    template = part("attacks.html")

    def show(self, report: Report, model: Any) -> dict[str, Any] | None:
        return {"rows": [_row(report, attack) for attack in model.attacks]}


def _row(report, attack):
    examples = report.dataset.examples
    return {
        "attack": attack,
        "gradients": wording.per_image(attack.gradient_evaluations, examples),
        "forwards": wording.per_image(attack.forward_evaluations, examples),
    }
