"""Attacks on image classifiers: frozen settings, one engine, results that are checked again."""

from robust_keras.attacks import engine
from robust_keras.attacks.attack import Attack
from robust_keras.attacks.cleverhans_attacks import BIM, FGSM, MIM, PGD
from robust_keras.attacks.evaluation import AdversarialExample, AttackResult, Evaluation
from robust_keras.attacks.noise import GaussianNoise, UniformNoise
from robust_keras.attacks.threat_model import ThreatModel

ATTACKS = {
    "fgsm": FGSM,
    "bim": BIM,
    "pgd": PGD,
    "mim": MIM,
    "uniform_noise": UniformNoise,
    "gaussian_noise": GaussianNoise,
}

__all__ = [
    "ATTACKS",
    "BIM",
    "FGSM",
    "MIM",
    "PGD",
    "AdversarialExample",
    "Attack",
    "AttackResult",
    "Evaluation",
    "GaussianNoise",
    "ThreatModel",
    "UniformNoise",
    "engine",
]
