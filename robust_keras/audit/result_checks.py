"""Contradictions within the results of the attacks."""

import numpy as np

from robust_keras.attacks.threat_model import ThreatModel
from robust_keras.engine.results import Evaluation
from robust_keras.findings import check_names
from robust_keras.findings.audit_check import AuditCheck, floats, not_applicable, percent
from robust_keras.proportions import clearly_above, clearly_more
from robust_keras.strength import FEW_QUERIES, FEW_STEPS, is_long

# Share of the images, as far as their number can tell.
_TOLERATED = 0.01
_INCOMPARABLE = "each attack met only the images that those before it had left"


def attack_strength(evaluation: Evaluation) -> AuditCheck:
    """Whether an attack ran that deserves the name.

    That is one that follows gradients for many steps, or searches long without them.
    """
    name = check_names.ATTACK_STRENGTH
    ran = {result.name: result.kind for result in evaluation.attacks if result.skipped is None}
    strong = [r.name for r in evaluation.attacks if r.skipped is None and is_long(r)]
    evidence = {"ran": sorted(ran), "strong": sorted(strong)}
    if strong:
        message = "At least one attack followed gradients, or searched, for long enough."
        return AuditCheck(name, True, message, evidence)
    kinds = set(ran.values())
    if "iterative" in kinds:
        tried = f"The longest attack took too few steps (under {FEW_STEPS}, or too short ones)"
    elif "one_step" in kinds:
        tried = "No attack took more than one step along the gradient"
    elif kinds & {"score", "decision"}:
        tried = f"The longest search without gradients took under {FEW_QUERIES} queries"
    elif "sparse" in kinds:
        tried = "No attack changed more than a few pixels by the gradient"
    elif kinds == {"given"}:
        tried = "Only somebody else's examples were tried"
    elif "given" in kinds:
        tried = "Only random noise and somebody else's examples were tried"
    elif kinds:
        tried = "Only random noise was tried"
    else:
        tried = "No attack ran"
    message = f"{tried}. The figure is an upper bound from a weak attack; run --attacks=quick."
    return AuditCheck(name, False, message, evidence)


def noise_against_gradients(evaluation: Evaluation, threat_model: ThreatModel) -> AuditCheck:
    """Whether noise fools images that no attack with gradients could fool.

    Args:
        evaluation: `Evaluation`.
        threat_model: `ThreatModel` it was made under.
    """
    name = check_names.NOISE_AGAINST_GRADIENTS
    if evaluation.survivors_only:
        return not_applicable(name, _INCOMPARABLE)
    noise = _robust(evaluation, ["noise"])
    guided = _robust(evaluation, ["one_step", "iterative"])
    if noise is None or guided is None:
        return not_applicable(name, "that takes one attack with noise and one with gradients")
    by_noise_alone = guided & ~noise
    missed = by_noise_alone.mean(axis=1)
    row = int(np.argmax(missed))
    evidence = {"epsilons": list(threat_model.epsilons), "missed_share": floats(missed)}
    if not clearly_above(int(by_noise_alone[row].sum()), guided.shape[1], _TOLERATED):
        message = "Noise found next to nothing that attacks with gradients had missed."
        return AuditCheck(name, True, message, evidence)
    message = (
        f"At epsilon {threat_model.epsilons[row]:.4g} no attack with gradients could fool "
        f"{percent(missed[row])} of the images that random noise did fool. Gradients that do worse "
        "than chance point the wrong way: the attacks were misled, not defeated."
    )
    return AuditCheck(name, False, message, evidence)


def one_step_against_iterative(evaluation: Evaluation, threat_model: ThreatModel) -> AuditCheck:
    """Whether a single step fools more images than many small ones.

    Args:
        evaluation: `Evaluation`.
        threat_model: `ThreatModel` it was made under.
    """
    name = check_names.ONE_STEP_AGAINST_MANY
    if evaluation.survivors_only:
        return not_applicable(name, _INCOMPARABLE)
    single = _robust(evaluation, ["one_step"])
    many = _robust(evaluation, ["iterative"])
    if single is None or many is None:
        return not_applicable(name, "that takes one attack of a single step and one of many")
    gap = many.mean(axis=1) - single.mean(axis=1)
    row = int(np.argmax(gap))
    evidence = {
        "epsilons": list(threat_model.epsilons),
        "one_step_accuracy": floats(single.mean(axis=1)),
        "iterative_accuracy": floats(many.mean(axis=1)),
    }
    alone = int((many[row] & ~single[row]).sum()), int((single[row] & ~many[row]).sum())
    if gap[row] <= _TOLERATED or not clearly_more(*alone):
        message = "Many small steps fool at least as many images as a single one."
        return AuditCheck(name, True, message, evidence)
    message = (
        f"At epsilon {threat_model.epsilons[row]:.4g} one step leaves "
        f"{percent(single[row].mean())} of the images and many steps leave "
        f"{percent(many[row].mean())}. More steps should never find less: the gradients near the "
        "images lead astray."
    )
    return AuditCheck(name, False, message, evidence)


def _robust(evaluation, kinds):
    """What every attack of these kinds left, bool (epsilons, images), or None if none ran."""
    left = [r.robust for r in evaluation.attacks if r.kind in kinds and r.skipped is None]
    return np.logical_and.reduce(left) if left else None
