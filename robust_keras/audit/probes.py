"""Small attacks of the audit's own, on a sample of the images."""

import dataclasses
from typing import Any

import numpy as np

from robust_keras import engine
from robust_keras.attackable import told
from robust_keras.attacks import BIM, EvolutionPGD, MarginPGD, ThreatModel
from robust_keras.attacks.attack import Attack
from robust_keras.audit.account import Account, Round
from robust_keras.audit.counter_attack import Through
from robust_keras.engine.results import Evaluation
from robust_keras.findings.audit_check import AuditCheck, floats, not_applicable, percent
from robust_keras.proportions import clearly_above
from robust_keras.serving.classifier import Classifier
from robust_keras.strength import FEW_QUERIES

_STEPS = 20
# Images that are searched, and queries for each.
_SEARCHED, _QUERIES = 32, 1500
_ATTACKS = ("scale-free loss", "converged attack", "search against gradients")
# A model of which nothing falls is told from chance by so many images.
_FEWEST = 10
_NO_GRADIENTS = "the model has no gradients"
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


def probing_attacks(account: Account) -> tuple[AuditCheck, ...]:
    """The checks that are attacks, which lower the number that there is.

    Args:
        account: `Account`, which is lowered.
    """
    if not account.measured:
        return tuple(not_applicable(name, "no attack measured anything") for name in _ATTACKS)
    return scale_free_loss(account), converged(account), search_against_gradients(account)


def scale_free_loss(account: Account) -> AuditCheck:
    """Whether an attack that the logits' scale cannot blind finds more than the attacks did.

    A short PGD on the margin between the label's logit and the best other, on all that they left.
    What it fools counts; the check fails where that is clearly more than two points of robust
    accuracy.

    Args:
        account: `Account`, which is lowered.
    """
    name = "scale-free loss"
    obstacle = account.classifier.gradient_error
    if obstacle is not None:
        return not_applicable(name, _NO_GRADIENTS)
    return more_found(
        name,
        account,
        account.attack(
            Through(name="audit_margin", inner=MarginPGD(steps=_STEPS), view=account.classifier)
        ),
        "An attack on a loss that ignores the size of the logits finds hardly more.",
        "a short attack on a loss that ignores the size of the logits",
    )


def converged(account: Account) -> AuditCheck:
    """Whether twice the steps, from more starts, find hardly more than the short attack.

    On a few of the images that are left at the largest epsilon. What it fools counts.

    Args:
        account: `Account`, which is lowered.
    """
    name, places = "converged attack", _few(account)
    if account.classifier.gradient_error is not None:
        return not_applicable(name, _NO_GRADIENTS)
    if len(places) < _FEWEST:
        return not_applicable(name, f"that takes {_FEWEST} images that are left")
    attack = MarginPGD(steps=2 * _STEPS, step=0.05, restarts=2)
    return more_found(
        name,
        account,
        account.attack(
            Through(name="audit_converged", inner=attack, view=account.classifier), places
        ),
        "Twice the steps from two starts find hardly more.",
        "an attack of twice the steps from two starts",
    )


def search_against_gradients(account: Account) -> AuditCheck:
    """Whether a short search without gradients finds what attacks along them did not.

    An evolution strategy on a few of the images that are left at the largest epsilon. What it fools
    counts; the check fails where that is clearly more than gradients that lead somewhere leave.

    Args:
        account: `Account`, which is lowered.
    """
    name, places = "search against gradients", _few(account)
    if len(places) < _FEWEST:
        return not_applicable(name, f"that takes {_FEWEST} images that are left")
    queries = _QUERIES // told(account.classifier, "passes")
    if queries < FEW_QUERIES:
        return not_applicable(name, "an answer of this model takes too many passes")
    attack = EvolutionPGD(queries=_QUERIES, samples=50, growth=2)
    return more_found(
        name,
        account,
        account.attack(Through(name="audit_search", inner=attack, view=account.classifier), places),
        "A short search without gradients finds hardly anything that gradients did not.",
        "a short search without gradients",
    )


def _few(account):
    """Some of the images that are left at the largest epsilon."""
    standing = np.flatnonzero(account.left[-1]) if account.rows.size else []
    order = np.random.default_rng([account.seed, _SEARCHED])
    return np.sort(order.permutation(standing)[:_SEARCHED]).astype(int)


def more_found(
    name: str, account: Account, found: Round | None, passed: str, attack: str
) -> AuditCheck:
    """The check that one more attack makes of what the attacks had left.

    Args:
        name: of the check.
        account: `Account`.
        found: what the attack came to, or None where nothing was left.
        passed: message where it found hardly more.
        attack: what it was, for the message where it found more.
    """
    if found is None:
        return not_applicable(name, "no image is left at an epsilon above 0")
    tried = np.maximum(found.tried, 1)
    share = found.broken / tried
    evidence = {
        "epsilons": list(account.threat_model.epsilons),
        "images": found.tried.tolist(),
        "broken": found.broken.tolist(),
        "corrected": floats(found.left),
    }
    if not found.too_high.any():
        return AuditCheck(name, True, passed, evidence)
    worst = int(np.argmax(np.where(found.too_high, share, -1.0)))
    message = (
        f"At epsilon {account.threat_model.epsilons[worst]:.4g} {attack} fools "
        f"{percent(share[worst])} of the images that it met and that the attacks had left. The "
        "number as first measured is too high."
    )
    return AuditCheck(name, False, message, evidence)
