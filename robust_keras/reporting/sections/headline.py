"""The verdict on a model: what its numbers mean, before any number is shown."""

from typing import Any

from robust_keras.findings import Report
from robust_keras.reporting import plain_words, wording
from robust_keras.reporting.section import Section, part
from robust_keras.reporting.verdict import verdict

# Begins the one line in the terminal that is a command, to be copied whole.
TO_QUOTE = "to quote it: "


class Headline(Section):
    """Verdict, headline and scores."""

    template = part("headline.html")

    def show(self, report: Report, model: Any) -> dict[str, Any] | None:
        return {
            "verdict": verdict(report, model),
            "scores": _scores(report, model),
            "plain": plain_words.of_model(report, model),
            "half": plain_words.half_falls(report, model),
        }

    def lines(self, report: Report) -> list[str]:
        lines, command = [], ""
        for name, model in zip(wording.terminal_names(report), report.models, strict=True):
            found = verdict(report, model)
            if found.short:
                lines.append(f"{name}: {found.level}: {found.short}")
            command = command or found.command
        return [*lines, f"{TO_QUOTE}{command}"] if command else lines


def _scores(report, model):
    """Gives the clean accuracy and the worst case per epsilon, each with its interval."""
    measured = [("no attack", model.clean_accuracy)]
    if model.measured:
        pairs = zip(model.worst_case.epsilons, model.worst_case.accuracy, strict=True)
        measured += [(f"epsilon {wording.epsilon(e)}", accuracy) for e, accuracy in pairs]
    return [
        {
            "title": title,
            "accuracy": wording.percent(accuracy),
            "low": wording.percent(report.interval(accuracy)[0]),
            "high": wording.percent(report.interval(accuracy)[1]),
        }
        for title, accuracy in measured
    ]
