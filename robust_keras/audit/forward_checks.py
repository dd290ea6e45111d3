"""Whether the model gives the same answer to the same image."""

import numpy as np

from robust_keras.attackable import told
from robust_keras.attacks.loops.prediction import predict
from robust_keras.findings import check_names
from robust_keras.findings.audit_check import AuditCheck, not_applicable, percent
from robust_keras.proportions import clearly_above
from robust_keras.serving.classifier import Classifier

# Sums in another order differ by about 1e-6 of the largest logit; anything random by far more.
_TOLERATED = 1e-3
# A model that draws once for a whole batch, from few possibilities, may draw the same again.
_CALLS = 4
# Of the images, where every answer is a mean over a model's randomness.
_TOLERATED_CLASSES = 0.01


def repeatable_answers(classifier: Classifier, images: np.ndarray, batch_size: int) -> AuditCheck:
    """Whether identical calls give identical logits.

    Where every answer is the mean of several passes of a random model, the same classes suffice.

    Args:
        classifier: has `logits`, and `passes` where an answer takes several.
        images: float32 array (images, height, width, channels).
        batch_size: images a pass.
    """
    name = check_names.REPEATABLE_ANSWERS
    batch = images[:batch_size]
    if not len(batch):
        return not_applicable(name, "there are no images")
    answers = [predict(classifier, batch, len(batch)) for _ in range(_CALLS)]
    difference = max(_difference(answers[0], other) for other in answers[1:])
    passes = told(classifier, "passes")
    evidence = {"images": len(batch), "relative_difference": difference}
    if passes > 1:
        return _steady_classes(name, answers, passes, evidence)
    if difference <= _TOLERATED:
        return AuditCheck(name, True, "The same image gets the same logits twice.", evidence)
    message = (
        "The same image gets other logits every time. An attack that does not average over this "
        "randomness follows a gradient of chance, so the true robust accuracy may be far lower. "
        "Try --expectation_samples=20."
    )
    return AuditCheck(name, False, message, evidence)


def _steady_classes(name, answers, passes, evidence):
    other = np.argmax(answers[0], axis=1) != np.argmax(answers[1], axis=1)
    changed = float(np.mean(other))
    evidence = {**evidence, "passes": passes, "changed_classes": changed}
    if not clearly_above(int(other.sum()), len(other), _TOLERATED_CLASSES):
        message = f"The model is random, and the mean of {passes} passes gives steady classes."
        return AuditCheck(name, True, message, evidence)
    message = (
        f"The model is random, and even the mean of {passes} passes gives {percent(changed)} of "
        "the images another class the next time. More passes an answer "
        "(--expectation_samples) may find much lower robust accuracy."
    )
    return AuditCheck(name, False, message, evidence)


def batch_independence(
    classifier: Classifier, images: np.ndarray, batch_size: int, random: bool = False
) -> AuditCheck:
    """Whether an image's logits depend on the images beside it.

    Args:
        classifier: has `logits`.
        images: float32 array (images, height, width, channels).
        batch_size: images a pass.
        random: whether the same image gets other logits every time.
    """
    name = check_names.BATCH_INDEPENDENCE
    batch = images[: max(2, batch_size)]
    if len(batch) < 2:
        return not_applicable(name, "that takes two images")
    if random or told(classifier, "passes") > 1:
        return not_applicable(name, "the model is random, so its answers change by themselves")
    # Of every other image the neighbours are replaced by copies of the first.
    apart = batch.copy()
    apart[1::2] = batch[0]
    together = predict(classifier, batch, len(batch))[::2]
    difference = _difference(together, predict(classifier, apart, len(batch))[::2])
    evidence = {"images": len(together), "relative_difference": difference}
    if difference <= _TOLERATED:
        message = "An image's logits do not depend on the other images of its batch."
        return AuditCheck(name, True, message, evidence)
    message = (
        "An image's logits depend on the other images of its batch, as with batch normalization "
        "left in training mode. Results hold for these very batches only."
    )
    return AuditCheck(name, False, message, evidence)


def _difference(first, second):
    """Largest difference of finite logits in units of the largest finite logit."""
    finite = np.isfinite(first) & np.isfinite(second)
    if np.any(np.isfinite(first) != np.isfinite(second)):
        return 1.0
    scale = np.max(np.abs(first), initial=0.0, where=finite)
    gap = np.abs(np.where(finite, first, 0.0) - np.where(finite, second, 0.0))
    return float(gap.max(initial=0.0) / scale) if scale > 0.0 else 0.0
