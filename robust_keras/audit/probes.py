"""Small attacks of the audit's own, on a sample of the images."""

import dataclasses
from typing import Any

import numpy as np

from robust_keras import engine
from robust_keras.attacks import BIM, MarginPGD, ThreatModel
from robust_keras.attacks.attack import Attack
from robust_keras.engine.results import Evaluation
from robust_keras.findings.audit_check import AuditCheck, floats, not_applicable, percent
from robust_keras.proportions import clearly_above
from robust_keras.serving.classifier import Classifier

_STEPS = 20
# Share of all images, as far as the number that was tried can tell.
_TOLERATED = 0.02
# A model of which nothing falls is told from chance by so many images.
_FEWEST = 10
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

    classifier: Classifier
    images: np.ndarray
    labels: np.ndarray
    survivors: np.ndarray
    threat_model: ThreatModel
    batch_size: int
    seed: int
    journal: object

    @property
    def obstacle(self) -> str | None:
        """Why nothing can be tried on the sample, or None."""
        if self.classifier.gradient_error is not None:
            return _NO_GRADIENTS
        return None if len(self.images) else _NO_IMAGES

    def attack(
        self, attack: Attack, epsilons: tuple[float, ...], survivors: Any = None
    ) -> np.ndarray:
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


def growing_ball(sample: Sample, evaluation: Evaluation) -> list[AuditCheck]:
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
    epsilons = _growing(model.epsilons[-1], everything)
    left = sample.attack(BIM(steps=_STEPS), epsilons).mean(axis=1)
    evidence = {"images": len(sample.images), "epsilons": list(epsilons), "left": floats(left)}
    return [
        _unbounded(names[0], sample.classifier.num_classes, evidence),
        _falling(names[1], evaluation, model, evidence),
    ]


def _growing(epsilon, everything):
    """Four, sixteen and so on times epsilon, up to a ball that holds every image."""
    epsilons = []
    while 0.0 < 4.0 * epsilon < everything:
        epsilon *= 4.0
        epsilons.append(epsilon)
    return (*epsilons, everything)


def _unbounded(name, num_classes, probe):
    left, chance = probe["left"][-1], 1.0 / num_classes
    evidence = {**probe, "chance": chance}
    if not clearly_above(round(left * probe["images"]), probe["images"], chance):
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
    if probe["images"] < _FEWEST:
        return not_applicable(name, f"that takes {_FEWEST} images that are classified correctly")
    evidence = {**probe, "curve_epsilons": list(model.epsilons), "accuracy": floats(curve)}
    smallest, largest = model.epsilons[positive[0]], model.epsilons[-1]
    flat = curve[-1] == curve[positive[0]] and curve[-1] > 0.0
    widest = len(probe["left"][:-1] or probe["left"]) - 1
    if not flat or probe["left"][widest] < 1.0:
        message = "A larger epsilon lets attacks fool more images."
        return AuditCheck(name, True, message, evidence)
    reach = probe["epsilons"][widest]
    message = (
        f"Not one image more falls when epsilon grows from {smallest:.4g} to {largest:.4g}, and "
        f"none at {reach:.4g} either. Real robustness wears off as epsilon grows."
    )
    return AuditCheck(name, False, message, evidence)


def scale_free_loss(sample: Sample, evaluation: Evaluation) -> AuditCheck:
    """Whether an attack that the logits' scale cannot blind finds more than the attacks did.

    A short PGD on the margin between the label's logit and the best other, at up to three epsilons,
    on images of the sample that every attack left. What it breaks of those is taken for what it
    would break of all survivors; the check fails where that is clearly more than two points of
    robust accuracy (exact binomial test on the images that were tried).

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
    after = sample.attack(MarginPGD(steps=_STEPS), epsilons, before)
    tried, broken = before.sum(axis=1), (before & ~after).sum(axis=1)
    reported = evaluation.worst_case[rows].mean(axis=1)
    excess = reported * broken / np.maximum(tried, 1)
    too_high = [_clearly_too_high(*row) for row in zip(broken, tried, reported, strict=True)]
    evidence = {
        "images": tried.tolist(),
        "broken": broken.tolist(),
        "epsilons": list(epsilons),
        "reported": floats(reported),
        "corrected": floats(reported - excess),
    }
    if not any(too_high):
        message = "An attack on a loss that ignores the size of the logits finds hardly more."
        return AuditCheck(name, True, message, evidence)
    worst = int(np.argmax(np.where(too_high, excess, -1.0)))
    message = (
        f"At epsilon {epsilons[worst]:.4g} a short attack on a loss that ignores the size of the "
        f"logits lowers robust accuracy from {percent(reported[worst])} to about "
        f"{percent(reported[worst] - excess[worst])}. The reported figure is too high."
    )
    return AuditCheck(name, False, message, evidence)


def _clearly_too_high(broken, tried, reported):
    """Whether more than two points of what was reported would fall with the images tried."""
    tolerated = _TOLERATED / reported if reported > 0.0 else 1.0
    return clearly_above(int(broken), int(tried), tolerated)
