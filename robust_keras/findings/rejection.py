"""What the rejection rule of a model changes."""

import dataclasses

from robust_keras.findings import fields
from robust_keras.findings.accuracies import check_falling
from robust_keras.findings.finding import Finding


@dataclasses.dataclass(frozen=True, kw_only=True)
class RejectionReport(Finding):
    """What a model's rejection rule changes, beside the numbers without it."""

    nonsense_classes: int = fields.count(
        "how many classes of the model, the last ones, mean nonsense; such an answer is rejected"
    )
    threshold: float = fields.fraction("an answer of lower confidence is rejected")
    clean_accepted: float = fields.fraction("images accepted without attack")
    clean_accuracy: float = fields.fraction(
        "images classified correctly and accepted without attack"
    )
    accuracy: tuple[float, ...] = fields.fractions(
        "per epsilon: images classified correctly and accepted without attack, for which no attack "
        "found one that is misclassified and accepted"
    )
    targeted: bool = fields.boolean(
        "whether an attack that ran aimed at the rule, as `apgd_accepted` does. Where none did, an "
        "attacker who knows the rule can do better",
        default=False,
    )

    def check_together(self) -> None:
        limits = (self.clean_accepted, self.clean_accuracy, *self.accuracy)
        rule = "accepted, accepted and correct, and that per epsilon must never rise"
        check_falling(rule, limits)
