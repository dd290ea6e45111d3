"""What the rejection rule of a model changes."""

import dataclasses

from robust_keras.findings.finding import Finding, field
from robust_keras.findings.kinds import BOOLEAN, COUNT, FRACTION, FRACTIONS, TOLERANCE


@dataclasses.dataclass(frozen=True, kw_only=True)
class RejectionReport(Finding):
    """What a model's rejection rule changes, beside the numbers without it."""

    nonsense_classes: int = field(
        COUNT,
        "how many classes of the model, the last ones, mean nonsense; such an answer is rejected",
    )
    threshold: float = field(FRACTION, "an answer of lower confidence is rejected")
    clean_accepted: float = field(FRACTION, "images accepted without attack")
    clean_accuracy: float = field(
        FRACTION, "images classified correctly and accepted without attack"
    )
    accuracy: tuple[float, ...] = field(
        FRACTIONS,
        "per epsilon: images classified correctly and accepted without attack, for which no attack "
        "found one that is misclassified and accepted",
    )
    targeted: bool = field(
        BOOLEAN,
        "whether an attack that ran aimed at the rule, as `apgd_accepted` does. Where none did, an "
        "attacker who knows the rule can do better",
        default=False,
    )

    def check_together(self):
        limits = (self.clean_accepted, self.clean_accuracy, *self.accuracy)
        if any(b > a + TOLERANCE for a, b in zip(limits, limits[1:], strict=False)):
            raise ValueError(
                "accepted, accepted and correct, and that per epsilon must never rise. "
                f"Received: {limits}"
            )
