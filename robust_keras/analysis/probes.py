"""Small attacks of the audit's own, on a sample of the images."""

import dataclasses

import numpy as np

from robust_keras.analysis.check import AuditCheck, floats, not_applicable, percent
from robust_keras.attacks import BIM, PGD, ThreatModel, engine

_STEPS = 20
_TOLERATED = 0.02
_NO_GRADIENTS = "the model has no gradients"
_NO_IMAGES = "no image is classified correctly"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Sample:
    """Some of the images that are classified correctly.

    Args:
        classifier: the attacked `serving.Classifier`.
        images: float32 array (sample, height, width, channels).
        labels: int array (sample,).
        survivors: bool array (epsilons, sample): what all attacks left.
        threat_model: `ThreatModel` they ran under.
        batch_size: images a pass.
        seed: whole number >= 0.
        journal: `Journal` or `Unrecorded`.
    """

    classifier: object
    images: np.ndarray
    labels: np.ndarray
    survivors: np.ndarray
    threat_model: ThreatModel
    batch_size: int
    seed: int
    journal: object

    @property
    def obstacle(self):
        """Why nothing can be tried on the sample, or None."""
        if self.classifier.gradient_error is not None:
            return _NO_GRADIENTS
        return None if len(self.images) else _NO_IMAGES

    def attack(self, attack, epsilons, survivors=None):
        """Which of the images an attack leaves, bool array (epsilons, sample)."""
        threat_model = dataclasses.replace(self.threat_model, epsilons=epsilons)
        found = engine.evaluate(
            self.classifier,
            self.images,
            self.labels,
            [attack],
            threat_model,
            batch_size=self.batch_size,
            seed=self.seed,
            survivors=survivors,
            journal=self.journal,
        )
        return found.worst_case


def growing_ball(sample, evaluation):
    """Two checks: an attack without limits succeeds, and a larger ball helps.

    The probe is BIM, which starts at the image itself: from a random start even an attack without a
    useful gradient would succeed, by leaving the image behind.

    Args:
        sample: `Sample`.
        evaluation: `Evaluation`.

    Returns:
        Two `AuditCheck`s.
    """
    names = ("unbounded attack", "falling accuracy")
    if sample.obstacle:
        return [not_applicable(name, sample.obstacle) for name in names]
    model = sample.threat_model
    everything = model.largest_epsilon(sample.images.shape[1:])
    wider = min(4.0 * model.epsilons[-1], everything)
    epsilons = (everything,) if wider in (0.0, everything) else (wider, everything)
    left = sample.attack(BIM(steps=_STEPS), epsilons).mean(axis=1)
    evidence = {"images": len(sample.images), "epsilons": list(epsilons), "left": floats(left)}
    return [
        _unbounded(names[0], sample.classifier.num_classes, evidence),
        _falling(names[1], evaluation, model, evidence),
    ]


def _unbounded(name, num_classes, probe):
    left, chance = probe["left"][-1], 1.0 / num_classes
    evidence = {**probe, "chance": chance}
    if left <= chance:
        message = "An attack that may change every pixel to anything succeeds, as it must."
        return AuditCheck(name, True, message, evidence)
    message = (
        f"An attack that may change every pixel to anything still leaves {percent(left)} of the "
        f"images classified correctly, where guessing would leave {percent(chance)}. It cannot "
        "find what is certainly there, so its failures at smaller epsilons prove nothing."
    )
    return AuditCheck(name, False, message, evidence)


def _falling(name, evaluation, model, probe):
    curve = evaluation.worst_case.mean(axis=1)
    positive = [row for row, epsilon in enumerate(model.epsilons) if epsilon > 0.0]
    if len(positive) < 2 or model.epsilons[-1] < 2.0 * model.epsilons[positive[0]]:
        return not_applicable(
            name, "that takes two epsilons, the larger at least twice the smaller"
        )
    evidence = {**probe, "curve_epsilons": list(model.epsilons), "accuracy": floats(curve)}
    smallest, largest = model.epsilons[positive[0]], model.epsilons[-1]
    flat = curve[-1] == curve[positive[0]] and curve[-1] > 0.0
    if not flat or probe["left"][0] < 1.0:
        message = "A larger epsilon lets attacks fool more images."
        return AuditCheck(name, True, message, evidence)
    message = (
        f"Not one image more falls when epsilon grows from {smallest:.4g} to {largest:.4g}, and "
        f"none at {probe['epsilons'][0]:.4g} either. Real robustness wears off as epsilon grows."
    )
    return AuditCheck(name, False, message, evidence)


def scale_free_loss(sample, evaluation):
    """Whether an attack that the logits' scale cannot blind finds more than the attacks did.

    A short PGD on the margin between the label's logit and the best other, at up to three epsilons,
    on images of the sample that every attack left. What it breaks of those is taken for what it
    would break of all survivors; the check fails where that is more than two points, the error
    of sampling allowed for (95 % Wilson bound, none where the sample holds all survivors).

    Args:
        sample: `Sample`.
        evaluation: `Evaluation`.

    Returns:
        An `AuditCheck` whose evidence holds the corrected accuracies.
    """
    name, epsilons = "scale-free loss", sample.threat_model.epsilons
    rows = [row for row, epsilon in enumerate(epsilons) if epsilon > 0.0]
    if sample.obstacle or not rows:
        return not_applicable(name, sample.obstacle or "no epsilon is above 0")
    rows = sorted({rows[0], rows[len(rows) // 2], rows[-1]})
    epsilons = tuple(epsilons[row] for row in rows)
    before = sample.survivors[rows]
    after = sample.attack(PGD(steps=_STEPS, loss="margin"), epsilons, before)
    tried, broken = before.sum(axis=1), (before & ~after).sum(axis=1)
    reported = evaluation.worst_case[rows].mean(axis=1)
    everyone = tried == evaluation.worst_case[rows].sum(axis=1)
    share = broken / np.maximum(tried, 1)
    excess = reported * np.where(everyone, share, _wilson_lower(broken, tried))
    corrected = reported * (1.0 - share)
    evidence = {
        "images": tried.tolist(),
        "broken": broken.tolist(),
        "epsilons": list(epsilons),
        "reported": floats(reported),
        "corrected": floats(corrected),
        "too_high_by_at_least": floats(excess),
    }
    worst = int(np.argmax(excess))
    if excess[worst] <= _TOLERATED:
        message = "An attack on a loss that ignores the size of the logits finds hardly more."
        return AuditCheck(name, True, message, evidence)
    message = (
        f"At epsilon {epsilons[worst]:.4g} a short attack on a loss that ignores the size of the "
        f"logits lowers robust accuracy from {percent(reported[worst])} to about "
        f"{percent(corrected[worst])}. The reported figure is too high."
    )
    return AuditCheck(name, False, message, evidence)


def _wilson_lower(successes, trials):
    """Lower end of the 95 % Wilson interval of a proportion, 0 where nothing was tried."""
    trials = np.maximum(trials, 1)
    share, z = successes / trials, 1.959964
    centre = share + z**2 / (2 * trials)
    spread = z * np.sqrt(share * (1 - share) / trials + z**2 / (4 * trials**2))
    return np.maximum(centre - spread, 0.0) / (1 + z**2 / trials)
