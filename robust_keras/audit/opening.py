"""What stops or falsifies gradients, and a counter-attack that goes straight through it."""

from collections.abc import Iterator

import numpy as np

from robust_keras.attackable import Attackable
from robust_keras.attacks import APGDTargeted, NearestPGD
from robust_keras.attacks.attack import Attack
from robust_keras.audit.averaging import steady
from robust_keras.audit.counter_attack import OF_GRADIENTS, CounterAttack
from robust_keras.findings import check_names
from robust_keras.findings.audit_check import AuditCheck, not_applicable
from robust_keras.serving.classifier import Classifier
from robust_keras.serving.views.masking import Masking, examine

_TRIED = 16
# Each copy is compiled anew.
_COPIES = 2


def operations_that_mask(masking: Masking) -> AuditCheck:
    """Whether operations between images and logits stop or falsify gradients, by name and place.

    Args:
        masking: what was found in the model's graph.
    """
    name = check_names.OPERATIONS_THAT_MASK
    if masking.error is not None:
        return not_applicable(name, masking.error.removesuffix("."))
    # Chance is what the check of repeatable answers is about.
    evidence = {
        "seen": [str(operation) for operation in masking.operations],
        "masking": [str(found) for found in masking.masking if found.kind != "chance"],
    }
    if not evidence["masking"]:
        message = "No operation between images and logits stops or falsifies a gradient."
        return AuditCheck(name, True, message, evidence)
    names = ", ".join(evidence["masking"][:4])
    more = " and others" if len(evidence["masking"]) > 4 else ""
    message = (
        f"Gradients are stopped or falsified on their way: {names}{more}. Those that go straight "
        "through lead lower."
    )
    return AuditCheck(name, False, message, evidence)


def looked_into(classifier: Attackable, images: np.ndarray) -> Masking:
    """What stops or falsifies gradients in the model's graph.

    Args:
        classifier: the attacked one; the graph of any but a `serving.Classifier` is not known.
        images: float32 array (images, height, width, channels); a few are tried.
    """
    if not isinstance(classifier, Classifier):
        return Masking(error="The graph of this model cannot be looked into.")
    return examine(classifier, images[:_TRIED] if len(images) else None)


class Opening(CounterAttack):
    """Forward as the model is, backward straight through what stops or falsifies gradients.

    Reference: Athalye et al., "Obfuscated Gradients Give a False Sense of Security", 2018,
    arXiv 1802.00420 (BPDA).
    """

    name = "straight through"
    follows_gradients = True
    against = OF_GRADIENTS | {check_names.REPEATABLE_ANSWERS, check_names.OPERATIONS_THAT_MASK}

    @property
    def obstacle(self) -> str | None:
        """No copy of the graph."""
        masking = self.account.masking
        if masking.copies:
            return None
        return masking.error or "No operation of the model stops or falsifies gradients."

    def attacks(self, allowed: float) -> Iterator[Attack]:
        """The margin, begun towards five classes, then the ratio towards them, on each copy."""
        for number, copy in enumerate(self.account.masking.copies[:_COPIES]):
            view = steady(copy)
            yield self.through(NearestPGD(again=0, near=1.0), view, number)
            yield self.through(APGDTargeted(steps=30, targets=5), view, number)
