"""Keeps a few adversarial examples to show, without keeping them all."""

import collections
import dataclasses
from collections.abc import Sequence

import numpy as np

from robust_keras.attackable import Attackable, unscaled
from robust_keras.attacks.loops.prediction import predict
from robust_keras.engine.results import AdversarialExample

_PER_CLASS = 4

# Examples of a model that are shown.
MOST_SHOWN = 10


class Gallery:
    """The easiest images to fool of every class: those that fell at the smallest epsilon.

    Args:
        images: float32 array (images, height, width, channels).
        labels: int array (images,).
        clean_logits: array (images, classes).
    """

    def __init__(self, images: np.ndarray, labels: np.ndarray, clean_logits: np.ndarray):
        self._images = images
        self._labels = labels
        self._clean_logits = clean_logits
        self._kept: dict[int, dict] = collections.defaultdict(dict)

    def offer(
        self, index: int, adversarial: np.ndarray, logits: np.ndarray, epsilon: float, attack: str
    ) -> None:
        """Keeps an example if the image has none yet at so small an epsilon, and there is room.

        The arguments are those of `image_findings.Findings.offer`.
        """
        if not (np.isfinite(logits).all() and np.isfinite(self._clean_logits[index]).all()):
            return
        kept = self._kept[int(self._labels[index])]
        if index in kept and kept[index].epsilon <= epsilon:
            return
        if index not in kept and len(kept) == _PER_CLASS:
            # What is thrown out or turned away here fell at no smaller epsilon than what stays, so
            # a later attack cannot bring it back with an epsilon that is not its smallest.
            hardest = max(kept, key=lambda other: (kept[other].epsilon, other))
            if kept[hardest].epsilon <= epsilon:
                return
            del kept[hardest]
        kept[index] = self._example(index, adversarial, logits, epsilon, attack)

    def _example(self, index, adversarial, logits, epsilon, attack):
        clean = self._clean_logits[index]
        return AdversarialExample(
            index=int(index),
            image=np.array(self._images[index]),
            adversarial=np.array(adversarial),
            label=int(self._labels[index]),
            clean_class=int(np.argmax(clean)),
            adversarial_class=int(np.argmax(logits)),
            clean_confidence=confidence(clean),
            adversarial_confidence=confidence(logits),
            epsilon=float(epsilon),
            attack=attack,
        )

    def choose(self, limit: int = MOST_SHOWN) -> tuple[AdversarialExample, ...]:
        """Up to `limit` examples, taken from the classes in turn, easiest first.

        Args:
            limit: largest number of examples.

        Returns:
            Tuple of `AdversarialExample`s in the order of their labels.
        """
        queues = {
            label: sorted(kept.values(), key=lambda e: (e.epsilon, e.index))
            for label, kept in sorted(self._kept.items())
        }
        chosen = []
        for rank in range(_PER_CLASS):
            chosen += [queue[rank] for queue in queues.values() if rank < len(queue)]
        return tuple(sorted(chosen[:limit], key=lambda e: (e.label, e.epsilon, e.index)))


def own_confidences(
    examples: Sequence[AdversarialExample], classifier: Attackable
) -> tuple[AdversarialExample, ...]:
    """The examples with the confidence of the model itself, where the attacker scaled its logits.

    Args:
        examples: `AdversarialExample`s.
        classifier: the attacked one; `unscaled`, if it has that, is the model itself.
    """
    model = unscaled(classifier)
    if model is classifier or not examples:
        return tuple(examples)
    pictures = [example.image for example in examples], [e.adversarial for e in examples]
    rows = (predict(model, np.stack(images), len(images)) for images in pictures)
    return tuple(
        dataclasses.replace(
            example,
            clean_confidence=confidence(clean, example.clean_class),
            adversarial_confidence=confidence(changed, example.adversarial_class),
        )
        for example, clean, changed in zip(examples, *rows, strict=True)
    )


def confidence(logits: np.ndarray, winner: int | None = None) -> float:
    """Softmax of one row of logits at a class, the likeliest where none is given."""
    shifted = np.asarray(logits, np.float64)
    largest = shifted.max()
    own = largest if winner is None else shifted[winner]
    return float(np.exp(own - largest) / np.exp(shifted - largest).sum())
