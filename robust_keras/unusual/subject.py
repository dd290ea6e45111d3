"""A classifier under examination: its confidences and what it accepts, in batches of one shape."""

import dataclasses
import zlib
from collections.abc import Callable

import numpy as np
import tensorflow as tf

from robust_keras import compiled
from robust_keras.attackable import told
from robust_keras.attacks.loops.prediction import padded, rejected
from robust_keras.serving.classifier import Classifier
from robust_keras.serving.confidence import ConfidenceRule

# The study's: without a rule of its own, a model answers where it is more than half sure.
STUDY_THRESHOLD = 0.5


@dataclasses.dataclass(frozen=True)
class Judgement:
    """What a model makes of some images.

    Args:
        classes: int array (images,), its answers, those that mean nonsense included; -1 where it
            gives something that is no number.
        confidences: float64 array (images, classes that mean something), in [0, 1].
        accepted: bool array (images,).
    """

    classes: np.ndarray
    confidences: np.ndarray
    accepted: np.ndarray

    @property
    def largest(self) -> np.ndarray:
        """The confidence in the likeliest class that means something, float64 (images,)."""
        return self.confidences.max(axis=1)


class Subject:
    """A classifier, and the images of a data set that stand for what it should see.

    Args:
        classifier: a `serving.Classifier`, or anything with its `logits`, `num_classes` and
            `gradient_error`.
        images: float32 array (images, height, width, channels) in [0, 1].
        labels: int array (images,).
        batch_size: images a pass, at most.
        seed: whole number >= 0.

    Attributes:
        classifier, images, labels, batch_size, seed: as given.
        image_shape: (height, width, channels).
        classes: how many classes mean something.
        confidence: the `ConfidenceRule` by which the model is served.
        forward_evaluations: forward passes so far, summed over images.
    """

    def __init__(
        self,
        classifier: Classifier,
        images: np.ndarray,
        labels: np.ndarray,
        *,
        batch_size: int,
        seed: int,
    ):
        self.classifier = classifier
        self.images = np.asarray(images, np.float32)
        self.labels = np.asarray(labels)
        self.batch_size = batch_size
        self.seed = seed
        self.image_shape = self.images.shape[1:]
        self.classes = classifier.num_classes - told(classifier, "nonsense_classes")
        self.confidence = told(classifier, "confidence") or ConfidenceRule()
        self.forward_evaluations = 0

    def logarithms(self, images: np.ndarray, *, rows: int | None = None) -> np.ndarray:
        """Logarithms of all confidences, float32 (images, classes), nonsense included.

        Args:
            images: float32 array (images, height, width, channels).
            rows: size of all batches; at most the batch size, which it is by default.
        """
        size = min(rows or self.batch_size, self.batch_size)
        function = self.compiled("confidences", self._confidences)
        found = []
        for first in range(0, len(images), size):
            batch = images[first : first + size]
            found.append(function(tf.constant(padded(batch, size))).numpy()[: len(batch)])
        self.forward_evaluations += len(images)
        return np.concatenate(found)

    def judge(self, images: np.ndarray) -> Judgement:
        """What the model makes of the images: its own rule decides, else a confidence above 0.5."""
        images = np.asarray(images, np.float32)
        logarithms = self.logarithms(images)
        # An answer that is no number is none.
        finite = ~np.isnan(logarithms).any(axis=1)
        logarithms = np.where(finite[:, np.newaxis], logarithms, -np.inf)
        confidences = np.exp(logarithms.astype(np.float64))[:, : self.classes]
        if told(self.classifier, "rejection") is None:
            accepted = confidences.max(axis=1) > STUDY_THRESHOLD
        else:
            accepted = ~rejected(self.classifier, images, self.batch_size)
        classes = np.where(finite, np.argmax(logarithms, axis=1), -1)
        return Judgement(classes, confidences, accepted & finite)

    def compiled(self, name: str, make: Callable) -> Callable:
        """The compiled function of that name, made once for each classifier.

        Args:
            name: of the function.
            make: makes it; called without arguments, the first time.
        """
        return compiled.once(self.classifier, ("unusual", name, self.image_shape), make)

    def generator(self, name: str, index: int | None = None) -> np.random.Generator:
        """A random generator that depends on the seed, a name, and maybe an image's place alone."""
        stream = [self.seed, zlib.crc32(name.encode())]
        return np.random.default_rng(stream if index is None else [*stream, index])

    def _confidences(self):
        logits, rule = self.classifier.logits, self.confidence
        pixels = tf.TensorSpec((None, *self.image_shape), tf.float32)
        return compiled.function(lambda images: rule.logarithms(logits(images)), [pixels])
