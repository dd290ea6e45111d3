"""The part of a report about a model that may decline to answer."""

import dataclasses

from robust_keras.reporting import parts, validation, wording


@dataclasses.dataclass(frozen=True, kw_only=True)
class RejectionReport:
    """What a model's rejection rule changes, beside the numbers without it.

    Args:
        nonsense_classes: how many of the model's classes, the last ones, mean nonsense.
        threshold: lowest confidence in [0, 1) that it accepts.
        clean_accepted: fraction of the images that it accepts without attack.
        clean_accuracy: fraction that it classifies correctly and accepts without attack.
        accuracy: per epsilon, the fraction that it classifies correctly and accepts without attack,
            and for which no attack found an image that it misclassifies and accepts.
        targeted: whether an attack that ran aimed at the rule.
    """

    nonsense_classes: int
    threshold: float
    clean_accepted: float
    clean_accuracy: float
    accuracy: tuple[float, ...]
    targeted: bool = False

    def __post_init__(self):
        """Checks every field."""
        parts.store(
            self,
            nonsense_classes=validation.integer("nonsense_classes", self.nonsense_classes),
            threshold=validation.fraction("threshold", self.threshold),
            clean_accepted=validation.fraction("clean_accepted", self.clean_accepted),
            clean_accuracy=validation.fraction("clean_accuracy", self.clean_accuracy),
            accuracy=validation.sequence("accuracy", self.accuracy, validation.fraction),
            targeted=validation.boolean("targeted", self.targeted),
        )
        limits = (self.clean_accepted, self.clean_accuracy, *self.accuracy)
        if any(b > a + parts.TOLERANCE for a, b in zip(limits, limits[1:], strict=False)):
            raise ValueError(
                "accepted, accepted and correct, and that per epsilon must never rise. "
                f"Received: {limits}"
            )


def rule_in_words(rejection):
    """Writes the rule: which answers are rejected."""
    rules = []
    if rejection.nonsense_classes:
        rules.append(f"in its last {rejection.nonsense_classes} classes, which mean nonsense")
    if rejection.threshold:
        rules.append(f"of confidence below {rejection.threshold:g}")
    return "answers " + ", or ".join(rules) if rules else "nothing"


def rejection_note(rejection, epsilon):
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
