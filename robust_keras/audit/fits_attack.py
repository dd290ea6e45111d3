"""Which adaptive attack goes with which of our own layers."""

import dataclasses

import keras

from robust_keras.attackable import Attackable
from robust_keras.audit.counter_attack import CounterAttack
from robust_keras.audit.no_scale import NoScale
from robust_keras.audit.searching import Evolution, Squares
from robust_keras.findings import check_names
from robust_keras.findings.audit_check import AuditCheck, not_applicable
from robust_keras.layers import (
    KernelActivation,
    KWinnersTakeAll,
    SymmetricActivation,
    TemperatureSoftmax,
)
from robust_keras.layers.keras_private import all_layers
from robust_keras.serving.classifier import keras_model


@dataclasses.dataclass(frozen=True)
class Fit:
    """What is known of a layer.

    Args:
        attack: the counter-attack that goes with it.
        misleads: whether such a layer alone is reason to doubt; otherwise the other checks see what
            there is to see: zero gradients, a scale of the logits.
        why: what the layer does to an attack, as the end of a sentence.
        before: counter-attacks that find more of it for less, and so come before that.
    """

    attack: type[CounterAttack]
    misleads: bool
    why: str
    before: tuple[type[CounterAttack], ...] = ()


FITS_ATTACK: dict[type[keras.layers.Layer], Fit] = {
    # Of a LeNet's images on which both were tried, squares fooled a fifth, slopes none.
    KWinnersTakeAll: Fit(
        Evolution,
        True,
        "answers jump everywhere, and gradients say nothing of where a jump leads",
        before=(Squares,),
    ),
    TemperatureSoftmax: Fit(
        NoScale, False, "logits may be so large that cross-entropy has no gradient"
    ),
    KernelActivation: Fit(
        Evolution, False, "beyond the dictionary's ends the curve is flat, and so is the gradient"
    ),
    SymmetricActivation: Fit(
        NoScale, False, "far from its centre a unit answers nothing, whatever the change"
    ),
}


def fits_attack(layer: keras.layers.Layer) -> Fit | None:
    """What is known of a layer, or None.

    Args:
        layer: any Keras layer.

    Example:
        >>> fits_attack(KWinnersTakeAll(0.1)).attack.name
        'evolution strategy'
    """
    return next((fit for kind, fit in FITS_ATTACK.items() if isinstance(layer, kind)), None)


def called_for(classifier: Attackable) -> tuple[type[CounterAttack], ...]:
    """The counter-attacks that go with layers of a model which mislead.

    Args:
        classifier: the attacked one.
    """
    fits = [fit for fit in (_fits(classifier) or {}).values() if fit.misleads]
    return tuple(dict.fromkeys(kind for fit in fits for kind in (*fit.before, fit.attack)))


def layers_that_mislead(classifier: Attackable) -> AuditCheck:
    """Whether the model has layers that are known to mislead attacks along gradients.

    Args:
        classifier: the attacked one; its layers are known in memory and from a `.keras` file.
    """
    name, fits = check_names.LAYERS_THAT_MISLEAD, _fits(classifier)
    if fits is None:
        return not_applicable(name, "the layers of this model are not known")
    evidence = {layer: fit.attack.name for layer, fit in fits.items()}
    found = {layer: fit.why for layer, fit in fits.items() if fit.misleads}
    if not found:
        message = "The model has no layer that is known to mislead attacks along gradients."
        return AuditCheck(name, True, message, evidence)
    names, why = ", ".join(found), next(iter(found.values()))
    message = f"With the layer{'s' if len(found) > 1 else ''} {names} {why}."
    return AuditCheck(name, False, message, evidence)


def _fits(classifier):
    """What is known of layers, by their names; None where the layers are not known."""
    model = keras_model(classifier)
    if model is None:
        return None
    fits = {layer.name: fits_attack(layer) for layer in all_layers(model)}
    return {name: fit for name, fit in fits.items() if fit is not None}
