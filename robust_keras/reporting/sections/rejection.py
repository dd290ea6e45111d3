"""What the rule changes by which a model may decline to answer."""

from robust_keras.findings import RejectionReport, Report
from robust_keras.reporting import wording
from robust_keras.reporting.section import Section, named_lines


class Rejection(Section):
    """A line in the terminal; on the page it stands among the facts and the notes."""

    def lines(self, report: Report) -> list[str]:
        epsilon = report.threat_model.epsilons[-1]
        return named_lines(
            report,
            lambda model: (
                [rejection_note(model.rejection, epsilon)]
                if model.rejection and model.attacked
                else []
            ),
        )


def rule_in_words(rejection: RejectionReport) -> str:
    """Writes the rule: which answers are rejected."""
    rules = []
    if rejection.nonsense_classes:
        rules.append(f"in its last {rejection.nonsense_classes} classes, which mean nonsense")
    if rejection.threshold:
        rules.append(f"of confidence below {rejection.threshold:g}")
    return "answers " + ", or ".join(rules) if rules else "nothing"


def rejection_note(rejection: RejectionReport, epsilon: float) -> str:
    """Writes what the rule changes at the largest epsilon, and what the attacks knew of it."""
    knowledge = (
        "At least one attack aimed at the rule."
        if rejection.targeted
        else "No attack aimed at the rule, as apgd_accepted would: an attacker who knows it can "
        "do better."
    )
    return (
        f"The model rejects {rule_in_words(rejection)}. It accepts "
        f"{wording.percent(rejection.clean_accepted)} of the images without attack. Where a "
        "rejected adversarial image is no success of the attack, accuracy is "
        f"{wording.percent(rejection.clean_accuracy)} without attack and at most "
        f"{wording.percent(rejection.accuracy[-1])} at epsilon {wording.epsilon(epsilon)}. "
        + knowledge
    )
