"""The table of attacks by name, and how one's own gets into it."""

import dataclasses
import inspect

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
from robust_keras.attacks.spsa import SPSA
from robust_keras.attacks.square import Square
from robust_keras.errors import InputError
from robust_keras.settings import names
from robust_keras.settings.attacks import REGISTERED
from robust_keras.strength import DECLARED, NEEDS
from robust_keras.suggestion import did_you_mean

_OWN = (
    *(FGSM, StepLL, BIM, PGD, MIM, MarginPGD, NearestPGD, JumpingPGD),
    *(APGDCE, APGDDLR, APGDTargeted, APGDAccepted),
    *(FABTargeted, DeepFool, CarliniWagner, JSMA),
    *(Square, SPSA, EvolutionPGD, HopSkipJump),
    *(AutoAttack, Quick, UniformNoise, GaussianNoise),
)
ATTACKS: dict[str, type[Attack]] = names.table(
    names.ATTACKS, {attack.name: attack for attack in _OWN}
)


def register(attack: type[Attack]) -> type[Attack]:
    """Makes an attack known by its name, as `ATTACKS[name]`.

    It can be used as a decorator of the class. To register the same class again changes nothing.

    Args:
        attack: subclass of `Attack`, a frozen dataclass all of whose settings have defaults, with
            `name`, `kind` and `propose` of its own.

    Returns:
        The class.

    Raises:
        InputError: it is no such class, it declares what is unknown, or another attack has its
            name.

    Example:
        >>> @register
        ... @dataclasses.dataclass(frozen=True, kw_only=True)
        ... class Inverted(Attack):
        ...     name, kind = "inverted", "noise"
        ...     def propose(self, classifier, images, labels, **settings):
        ...         return self.priced(1.0 - images)
        >>> ATTACKS.pop("inverted")().needs
        'nothing'
    """
    _check(attack)
    if ATTACKS.get(attack.name, attack) is not attack:
        raise InputError.expected("name of an attack", "one that no other has", attack.name)
    if attack.name not in ATTACKS:
        ATTACKS[attack.name] = attack
        REGISTERED.append(attack.name)
    return attack


def named(name: str, setting: str = "attacks", norm: str | None = None) -> Attack:
    """The attack of a name, with its usual settings.

    Args:
        name: of one that is registered.
        setting: what named it, for the error text.
        norm: one that it must be for, or None.

    Raises:
        InputError: there is none, or not in that norm.
    """
    if name not in ATTACKS:
        expected = f"some of {', '.join(ATTACKS)}{did_you_mean(name, ATTACKS)}"
        raise InputError.expected(setting, expected, name)
    if norm not in (None, *ATTACKS[name].norms):
        raise InputError.expected(setting, f"an attack for --norm={norm}", name)
    return ATTACKS[name]()


def _check(attack):
    if not inspect.isclass(attack) or not issubclass(attack, Attack):
        raise InputError.expected("attack", "a subclass of attacks.Attack", attack)
    given = f"attack {attack.__name__}"
    if not isinstance(getattr(attack, "name", None), str) or not attack.name.isidentifier():
        raise InputError.expected(
            given, "a `name` of letters, digits and _", repr(getattr(attack, "name", None))
        )
    if getattr(attack, "kind", None) not in NEEDS:
        expected = f"a `kind`, one of {', '.join(NEEDS)}"
        raise InputError.expected(given, expected, repr(getattr(attack, "kind", None)))
    undefined = attack.propose is Attack.propose and attack.attack is Attack.attack
    if undefined and not attack.cascade:
        raise InputError.expected(given, "a method `propose`", "none")
    if any(field.init and _required(field) for field in dataclasses.fields(attack)):
        raise InputError.expected(given, "a default for every setting", "one without")
    if attack().strength not in DECLARED:
        expected = f"a `strength`, one of {', '.join(DECLARED)}"
        raise InputError.expected(given, expected, repr(attack().strength))


def _required(field):
    return field.default is field.default_factory is dataclasses.MISSING
