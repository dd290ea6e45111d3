"""Attacks on image classifiers: frozen settings, and proposals that the engine checks again."""

from robust_keras.attacks.acceptance import APGDAccepted
from robust_keras.attacks.apgd import APGDCE, APGDDLR, APGDTargeted
from robust_keras.attacks.attack import Attack
from robust_keras.attacks.cascade import AutoAttack, Quick
from robust_keras.attacks.cleverhans_attacks import BIM, FGSM, MIM, PGD, StepLL
from robust_keras.attacks.cw import CarliniWagner
from robust_keras.attacks.deepfool import DeepFool
from robust_keras.attacks.es_pgd import EvolutionPGD
from robust_keras.attacks.fab import FABTargeted
from robust_keras.attacks.hopskipjump import HopSkipJump
from robust_keras.attacks.jsma import JSMA
from robust_keras.attacks.jumping_pgd import JumpingPGD
from robust_keras.attacks.margin_pgd import MarginPGD
from robust_keras.attacks.nearest_pgd import NearestPGD
from robust_keras.attacks.noise import GaussianNoise, UniformNoise
from robust_keras.attacks.registry import ATTACKS, register
from robust_keras.attacks.spsa import SPSA
from robust_keras.attacks.square import Square
from robust_keras.attacks.threat_model import ThreatModel

__all__ = [
    "APGDAccepted",
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
    "SPSA",
    "Attack",
    "AutoAttack",
    "CarliniWagner",
    "DeepFool",
    "EvolutionPGD",
    "GaussianNoise",
    "HopSkipJump",
    "JumpingPGD",
    "MarginPGD",
    "NearestPGD",
    "Quick",
    "Square",
    "StepLL",
    "ThreatModel",
    "UniformNoise",
    "register",
]
