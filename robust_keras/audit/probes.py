"""Small attacks of the audit's own, on a sample of the images."""

import dataclasses
from typing import Any

import numpy as np

from robust_keras import engine
from robust_keras.attacks import BIM, ThreatModel
from robust_keras.attacks.attack import Attack
from robust_keras.engine.results import Evaluation
from robust_keras.findings import check_names
from robust_keras.findings.audit_check import AuditCheck, floats, not_applicable, percent
from robust_keras.proportions import clearly_above
from robust_keras.serving.classifier import Classifier

_STEPS = 20
# A model of which nothing falls is told from chance by so many images.
FEWEST = 10
NO_GRADIENTS = "the model has no gradients"
OF_CHANCE = "the model is random, so its answers change by themselves"
_NO_IMAGES = "no image is classified correctly"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Sample:
    """Some of the images that are classified correctly.

    Args:
        classifier: the attacked `serving.Classifier`.
        images: float32 array (sample, height, width, channels).
        labels: int array (sample,).
        threat_model: `ThreatModel` they ran under.
        batch_size: images a pass.
        seed: whole number >= 0.
        journal: `Journal` or `Unrecorded`.
        random: whether the same image gets another answer each time.
    """

    classifier: Classifier
    images: np.ndarray
    labels: np.ndarray
    threat_model: ThreatModel
    batch_size: int
    seed: int
    journal: object
    random: bool = False

    @property
    def obstacle(self) -> str | None:
        """Why nothing can be tried on the sample, or None."""
        if self.classifier.gradient_error is not None:
            return NO_GRADIENTS
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
    """
    names = (check_names.UNBOUNDED_ATTACK, check_names.FALLING_ACCURACY)
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
    if probe["images"] < FEWEST:
        return not_applicable(name, f"that takes {FEWEST} images that are classified correctly")
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
