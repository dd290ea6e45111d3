"""Runs attacks and believes none of them: every example is projected and predicted again."""

from robust_keras.engine.evaluate_attacks import evaluate, generators
from robust_keras.engine.journal import Journal
from robust_keras.engine.replicas import Replicas
from robust_keras.engine.results import (
    AdversarialExample,
    AttackResult,
    Evaluation,
    PerImage,
    StageResult,
)

__all__ = [
    "AdversarialExample",
    "AttackResult",
    "Evaluation",
    "Journal",
    "PerImage",
    "Replicas",
    "StageResult",
    "evaluate",
    "generators",
]
