"""Attacks on image classifiers: frozen settings, one engine, results that are checked again."""

from robust_keras.attacks import engine
from robust_keras.attacks.apgd import APGDCE, APGDDLR, APGDTargeted
from robust_keras.attacks.attack import Attack
from robust_keras.attacks.cleverhans_attacks import BIM, FGSM, MIM, PGD
from robust_keras.attacks.evaluation import AdversarialExample, AttackResult, Evaluation
from robust_keras.attacks.fab import FABTargeted
from robust_keras.attacks.noise import GaussianNoise, UniformNoise
from robust_keras.attacks.square import Square
from robust_keras.attacks.threat_model import ThreatModel

ATTACKS = {
    "fgsm": FGSM,
    "bim": BIM,
    "pgd": PGD,
    "mim": MIM,
    "apgd_ce": APGDCE,
    "apgd_dlr": APGDDLR,
    "apgd_targeted": APGDTargeted,
    "fab_targeted": FABTargeted,
    "square": Square,
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
    "MIM",
    "PGD",
    "AdversarialExample",
    "Attack",
    "AttackResult",
    "Evaluation",
    "GaussianNoise",
    "Square",
    "ThreatModel",
    "UniformNoise",
    "engine",
]
