"""What results with one entry an image come to: findings with shares of all images."""

from typing import Any

from robust_keras.attackable import Attackable
from robust_keras.attacks.threat_model import ThreatModel
from robust_keras.engine.passes import in_passes
from robust_keras.engine.results import AttackResult, Evaluation
from robust_keras.findings import AttackReport, RejectionReport, WorstCaseReport


def attack_report(result: AttackResult, classifier: Attackable) -> AttackReport:
    """The finding on one attack.

    Args:
        result: `AttackResult`.
        classifier: the attacked one, whose answer may take several passes.
    """
    result, with_rejection = in_passes(result, classifier), result.robust_with_rejection
    return AttackReport(
        name=result.name,
        settings=result.settings | _stages(result),
        accuracy=result.robust.mean(axis=1),
        seconds=result.seconds,
        gradient_evaluations=result.gradient_evaluations,
        forward_evaluations=result.forward_evaluations,
        kind=result.kind,
        strength=result.strength,
        skipped=result.skipped,
        accuracy_with_rejection=None if with_rejection is None else with_rejection.mean(axis=1),
    )


def worst_case_report(
    evaluation: Evaluation, before: Evaluation, threat_model: ThreatModel
) -> WorstCaseReport:
    """The finding on all attacks together.

    Args:
        evaluation: `Evaluation`, all that was found counted in.
        before: `Evaluation` of the attacks alone.
        threat_model: the `ThreatModel` it was made under.
    """
    return WorstCaseReport(
        epsilons=threat_model.epsilons,
        accuracy=evaluation.worst_case.mean(axis=1),
        before_audit=tuple(before.worst_case.mean(axis=1)),
    )


def rejection_report(evaluation: Evaluation, rejection: Any) -> RejectionReport | None:
    """The finding on a rejection rule, or None where there is none.

    Args:
        evaluation: `Evaluation`.
        rejection: the classifier's `serving.rejection.Rejection`, or None.
    """
    accepted, robust = evaluation.clean_accepted, evaluation.worst_case_with_rejection
    if accepted is None or robust is None:
        return None
    ran = [result for result in evaluation.attacks if result.skipped is None]
    return RejectionReport(
        nonsense_classes=rejection.nonsense_classes,
        threshold=rejection.threshold,
        clean_accepted=accepted.mean(),
        clean_accuracy=(evaluation.clean_correct & accepted).mean(),
        accuracy=robust.mean(axis=1),
        targeted=any(result.aims_at_rule for result in ran),
    )


def _stages(result):
    """What the stages of a cascade left, beside its settings."""
    ran = [stage for stage in result.stages if stage.skipped is None]
    left_out = [stage.name for stage in result.stages if stage.skipped is not None]
    told = {"accuracy_after": {stage.name: list(stage.accuracy) for stage in ran}} if ran else {}
    return told | ({"left_out": left_out} if left_out else {})
