"""What was found out about every single image, over all attacks and epsilons."""

import numpy as np

from robust_keras.attacks.loops.fooled import correct
from robust_keras.attacks.threat_model import ThreatModel
from robust_keras.engine.gallery import Gallery
from robust_keras.engine.results import TOP, AdversarialExample, PerImage


class Findings:
    """The nearest success on every image: the smallest epsilon, and the first attack there.

    Args:
        images: float32 array (images, height, width, channels).
        labels: int array (images,).
        clean_logits: array (images, classes).
        threat_model: `ThreatModel`, whose norm measures the changes.
        keep: whether all adversarial images are kept, beside the few to show.
    """

    def __init__(
        self,
        images: np.ndarray,
        labels: np.ndarray,
        clean_logits: np.ndarray,
        threat_model: ThreatModel,
        keep: bool = False,
    ):
        self._images = images
        self._labels = labels
        self._clean_logits = clean_logits
        self._threat_model = threat_model
        self._gallery = Gallery(images, labels, clean_logits)
        self._epsilon = np.full(len(images), np.inf)
        self._attack: list[str | None] = [None] * len(images)
        self._distance = np.full(len(images), np.nan)
        self._margin = np.full(len(images), np.nan)
        self._lowest = margins(clean_logits, labels)
        self._answer = np.argmax(clean_logits, axis=1)
        self._top_epsilon = np.where(in_top(clean_logits, labels), np.inf, 0.0)
        self._kept: dict[int, np.ndarray] | None = {} if keep else None

    def see(self, indices: np.ndarray, logits: np.ndarray, epsilons: np.ndarray) -> None:
        """Notes the model's answers to whatever was made of the images, within what epsilons."""
        labels = self._labels[indices]
        self._lowest[indices] = np.fmin(self._lowest[indices], margins(logits, labels))
        left_out = np.where(in_top(logits, labels), np.inf, epsilons)
        self._top_epsilon[indices] = np.minimum(self._top_epsilon[indices], left_out)

    def offer(
        self, index: int, adversarial: np.ndarray, logits: np.ndarray, epsilon: float, attack: str
    ) -> None:
        """Notes an example that fooled the model, if the image has none at so small an epsilon.

        Args:
            index: of the image.
            adversarial: float32 array (height, width, channels).
            logits: array (classes,), the model's answer to it.
            epsilon: at which it was found.
            attack: name of the attack.
        """
        self._gallery.offer(index, adversarial, logits, epsilon, attack)
        if epsilon >= self._epsilon[index]:
            return
        image, changed = self._images[index][None], adversarial[None]
        self._epsilon[index] = epsilon
        self._attack[index] = attack
        self._answer[index] = np.argmax(logits)
        self._distance[index] = self._threat_model.distances(image, changed)[0]
        self._margin[index] = margins(logits[None], self._labels[index : index + 1])[0]
        if self._kept is not None:
            self._kept[index] = np.array(adversarial)

    def examples(self) -> tuple[AdversarialExample, ...]:
        """The few to show, `AdversarialExample`s."""
        return self._gallery.choose()

    def per_image(self) -> PerImage:
        """The table of all images, `PerImage`."""
        broken = np.isfinite(self._epsilon)
        top = np.where(np.isfinite(self._top_epsilon), self._top_epsilon, np.nan)
        return PerImage(
            label=np.array(self._labels),
            clean_class=np.argmax(self._clean_logits, axis=1),
            clean_correct=correct(self._clean_logits, self._labels),
            clean_margin=margins(self._clean_logits, self._labels),
            attack=tuple(self._attack),
            epsilon=np.where(broken, self._epsilon, np.nan),
            distance=np.array(self._distance),
            margin=np.where(broken, self._margin, self._lowest),
            adversarial_class=np.array(self._answer),
            top_epsilon=top if self._clean_logits.shape[1] > TOP else None,
            image_shape=self._images.shape[1:],
            adversarial=self._kept,
            images=None if self._kept is None else self._images,
        )


def in_top(logits: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Whether fewer than `TOP` classes are likelier than the label, all logits being finite.

    Args:
        logits: array (images, classes).
        labels: int array (images,).

    Returns:
        bool array (images,).
    """
    logits = np.asarray(logits)
    own = np.take_along_axis(logits, np.asarray(labels)[:, None], axis=1)
    return ((logits > own).sum(axis=1) < TOP) & np.isfinite(logits).all(axis=1)


def margins(logits: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """How far the label's logit is ahead of the largest other, below 0 where it is behind.

    Args:
        logits: array (images, classes).
        labels: int array (images,).

    Returns:
        float64 array (images,); NaN where a logit is not finite.
    """
    logits = np.array(logits, np.float64)
    places = np.arange(len(labels))
    own = logits[places, labels]
    finite = np.isfinite(logits).all(axis=1)
    logits[places, labels] = -np.inf
    return np.where(finite, np.where(finite, own, 0.0) - logits.max(axis=1), np.nan)
