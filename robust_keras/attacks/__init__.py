"""Attacks on image classifiers: frozen settings, one engine, results that are checked again."""

from robust_keras.attacks import engine
from robust_keras.attacks.apgd import APGDCE, APGDDLR, APGDTargeted
from robust_keras.attacks.attack import Attack
from robust_keras.attacks.cascade import AutoAttack, Quick
from robust_keras.attacks.cleverhans_attacks import BIM, FGSM, MIM, PGD, StepLL
from robust_keras.attacks.cw import CarliniWagner
from robust_keras.attacks.deepfool import DeepFool
from robust_keras.attacks.evaluation import (
    AdversarialExample,
    AttackResult,
    Evaluation,
    StageResult,
)
from robust_keras.attacks.fab import FABTargeted
from robust_keras.attacks.jsma import JSMA
from robust_keras.attacks.margin_pgd import MarginPGD
from robust_keras.attacks.noise import GaussianNoise, UniformNoise
from robust_keras.attacks.square import Square
from robust_keras.attacks.threat_model import ThreatModel

ATTACKS = {
    "fgsm": FGSM,
    "step_ll": StepLL,
    "bim": BIM,
    "pgd": PGD,
    "mim": MIM,
    "margin_pgd": MarginPGD,
    "apgd_ce": APGDCE,
    "apgd_dlr": APGDDLR,
    "apgd_targeted": APGDTargeted,
    "fab_targeted": FABTargeted,
    "deepfool": DeepFool,
    "cw": CarliniWagner,
    "jsma": JSMA,
    "square": Square,
    "autoattack": AutoAttack,
    "quick": Quick,
    "uniform_noise": UniformNoise,
    "gaussian_noise": GaussianNoise,
}

__all__ = [
    "APGDCE",
    "APGDDLR",
    "ATTACKS",
    "APGDTargeted",
    "BIM",
    "FABTargeted",
    "FGSM",
    "JSMA",
    "MIM",
    "PGD",
    "AdversarialExample",
    "Attack",
    "AutoAttack",
    "AttackResult",
    "CarliniWagner",
    "DeepFool",
    "Evaluation",
    "GaussianNoise",
    "MarginPGD",
    "Quick",
    "Square",
    "StageResult",
    "StepLL",
    "ThreatModel",
    "UniformNoise",
    "engine",
]
