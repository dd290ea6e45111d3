"""Adversarial images that somebody else made, tried as if an attack had proposed them."""

import dataclasses
import typing
from collections.abc import Mapping
from typing import Any

import numpy as np

from robust_keras.attacks.attack import Attack
from robust_keras.attacks.loops.fooled import is_fooled
from robust_keras.attacks.loops.prediction import predict, rejected
from robust_keras.attacks.loops.proposal import Proposal
from robust_keras.attacks.loops.task import Task
from robust_keras.attacks.threat_model import ThreatModel

# Arithmetic in float32, in which examples are made and kept, goes this far beyond a ball.
_ROUNDING = 1e-5


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class GivenExamples(Attack):
    """Proposes for each image the given one that fools the model, where one lies in the ball.

    An image is recognised by its pixels, so that any part of them can be asked for in any order.
    Examples outside of the ball are not drawn in: they count from the epsilon on at which they were
    made.

    Args:
        given: number of examples.
        refused: how many of them can never count: further away than the largest epsilon, outside
            the pixel range, or not finite.
        elsewhere: how many are of images that are not attacked.
        digest: of all of them, for the journal.
        by_image: from the bytes of an image to its examples, float32 (examples, height, width,
            channels).
    """

    name: typing.ClassVar[str] = "adversarial_images"
    kind: typing.ClassVar[str] = "given"
    any_batch: typing.ClassVar[bool] = True
    transfers: typing.ClassVar[bool] = False

    given: int
    refused: int
    elsewhere: int
    digest: str
    by_image: Mapping[bytes, np.ndarray] = dataclasses.field(repr=False)

    @property
    def forward_evaluations(self) -> int:
        """One an example, and that of the candidate."""
        return 1 + max(map(len, self.by_image.values()), default=0)

    def settings(self) -> dict:
        """The numbers of examples."""
        return {name: getattr(self, name) for name in ("given", "refused", "elsewhere")}

    def attack(self, task: Task) -> Proposal:
        """Looks for one that fools the model; see `Attack.propose`."""
        chosen, asked = task.images.copy(), np.zeros(len(task.images), int)
        for row, image in enumerate(task.images):
            near = self._near(image, task.threat_model, task.epsilon)
            if len(near):
                chosen[row], asked[row] = _best(task.classifier, near, task.labels[row]), len(near)
        return Proposal(chosen, np.zeros_like(asked), asked)

    def _near(self, image, threat_model, epsilon):
        """Its examples within epsilon."""
        examples = self.by_image.get(_key(image), np.zeros((0, *image.shape), np.float32))
        return examples[within(image[None], examples, threat_model, epsilon)]


def within(
    images: np.ndarray, examples: np.ndarray, threat_model: ThreatModel, epsilon: float
) -> np.ndarray:
    """Which examples an attacker may make of their images, rounding errors forgiven.

    Args:
        images: float32 array (examples, height, width, channels), or one for all.
        examples: float32 array (examples, height, width, channels), anything.
        threat_model: `ThreatModel`.
        epsilon: radius.

    Returns:
        bool array (examples,).
    """
    finite = np.isfinite(examples).all(axis=(1, 2, 3))
    safe = np.where(finite[:, None, None, None], examples, images)
    lowest, highest = threat_model.bounds
    beyond = np.maximum(lowest - safe, safe - highest).max(axis=(1, 2, 3), initial=0.0)
    near = threat_model.distances(images, safe) <= epsilon * (1.0 + _ROUNDING) + _ROUNDING
    return finite & near & (beyond <= _ROUNDING)


def recognised(
    index: np.ndarray,
    examples: np.ndarray,
    images: np.ndarray,
    attack: type[GivenExamples] = GivenExamples,
    **counted: Any,
) -> GivenExamples:
    """The `GivenExamples` of images by their places.

    Args:
        index: int array (examples,), places among the images, of those that may count.
        examples: float32 array (examples, height, width, channels).
        images: float32 array (images, height, width, channels), those attacked.
        attack: the class, for one of another name.
        **counted: `given`, `refused`, `elsewhere` and `digest`.
    """
    by_image: dict[bytes, np.ndarray] = {}
    for place in np.unique(index):
        # Two images may be the same; what fools one fools the other.
        old = by_image.get(_key(images[place]), examples[:0])
        by_image[_key(images[place])] = np.concatenate([old, examples[index == place]])
    return attack(by_image=by_image, **counted)


def _key(image):
    return np.ascontiguousarray(image, np.float32).tobytes()


def _best(classifier, examples, label):
    """The first that fools the model, rather one that its rejection rule accepts."""
    fooled = is_fooled(predict(classifier, examples, len(examples)), label)
    accepted = fooled & ~rejected(classifier, examples, len(examples))
    return examples[int(np.argmax(fooled.astype(int) + accepted))]
