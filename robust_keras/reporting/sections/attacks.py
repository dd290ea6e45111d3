"""Each attack and what it cost."""

from collections.abc import Iterator
from typing import Any

from robust_keras.findings import Report
from robust_keras.reporting import wording
from robust_keras.reporting.section import Section, part
from robust_keras.reporting.table import Table


class Attacks(Section):
    """A row an attack, and the worst case."""

    template = part("attacks.html")

    def show(self, report: Report, model: Any) -> dict[str, Any] | None:
        return {"rows": [_row(report, attack) for attack in model.attacks]}

    def tables(self, report: Report, model: Any, name: str) -> Iterator[tuple[str, Table]]:
        epsilons = (f"epsilon\n{wording.epsilon(value)}" for value in report.threat_model.epsilons)
        rows = [_cells(_row(report, attack)) for attack in model.attacks]
        if model.ran:
            worst = map(wording.percent, model.worst_case.accuracy)
            rows.append(("worst case", *worst, "", "", ""))
        yield (
            "attacks",
            Table(
                caption=f"Accuracy of {name} under each attack and its cost, "
                f"{wording.images_of(report)}, {report.threat_model.norm}",
                columns=("Attack", *epsilons, "Time", "gradients\nan image", "passes\nan image"),
                rows=tuple(rows),
            ),
        )


def _cells(row):
    attack = row["attack"]
    accuracies = [
        "did not run" if attack.skipped else wording.percent(accuracy)
        for accuracy in attack.accuracy
    ]
    costs = wording.seconds(attack.seconds), row["gradients"], row["forwards"]
    return wording.visible(attack.name), *accuracies, *costs


def _row(report, attack):
    examples = report.dataset.examples
    return {
        "attack": attack,
        "gradients": wording.per_image(attack.gradient_evaluations, examples),
        "forwards": wording.per_image(attack.forward_evaluations, examples),
    }
