"""Images that show nothing, moved towards the class that the model is most sensitive to."""

import dataclasses
import time
import typing
from collections.abc import Callable

import numpy as np
import tensorflow as tf

from robust_keras import compiled
from robust_keras.attacks.attack import require_whole
from robust_keras.attacks.loops.prediction import padded
from robust_keras.findings import SampleReport
from robust_keras.hybrid_loss import HYBRID_CIFAR10, HYBRID_MNIST, HybridLoss
from robust_keras.settings.unusual import NOISE
from robust_keras.unusual.noisy_samples import (
    check_strengths,
    published_strengths,
    strength_results,
)
from robust_keras.unusual.subject import Subject

# No class.
_NONE = -1


@dataclasses.dataclass(frozen=True, kw_only=True)
class NonsenseSamples:
    """Shows the model noise, as it is and one step along a gradient: does it say that it is none?

    Formula: x is normal noise scaled so that its least pixel is 0 and its largest 1, or an image of
    another data set; with t the
    class that means something of the largest `sum |grad_x L(x, t)|`, the sample of a strength is
    `x - strength sign(grad_x L(x, t))`. L is the cross-entropy, or the hybrid loss where the model
    is served with the confidence of an RBF unit.

    Args:
        samples: how many images; 0 for as many as the data set's images that are looked at.
        strengths: as in `NoisySamples`.
        clip: as in `NoisySamples`.
        foreign: float32 array (images, height, width, channels) to show in place of noise, or None.
        source: what these are, as a report tells it.

    Raises:
        ValueError: a setting is out of its range.

    Reference: Zhao and Griffin, 2016, arXiv 1603.05145; details from the authors' program, which
    takes the gradient with batch normalisation in training mode. Here it is that of the model as
    it is served.

    Example: `NonsenseSamples(samples=100).run(subject).strengths[0].accepted`
    """

    name: typing.ClassVar[str] = "nonsense"

    samples: int = 0
    strengths: tuple[float, ...] = ()
    clip: bool = True
    foreign: np.ndarray | None = dataclasses.field(default=None, repr=False)
    source: str = NOISE

    def __post_init__(self):
        require_whole("samples", self.samples, minimum=0)
        check_strengths(self.strengths)

    def run(self, subject: Subject, progress: Callable | None = None) -> SampleReport:
        """Counts what a `Subject`'s model makes of images that show nothing.

        Args:
            subject: `Subject`.
            progress: None, or called as `progress(done, total)` after every strength.
        """
        start, before = time.monotonic(), subject.forward_evaluations
        count = self._count(subject)
        strengths = self.strengths or published_strengths(subject)
        skipped, found = subject.classifier.gradient_error, ()
        if skipped is None:
            images = nonsense_images(subject, count) if self.foreign is None else self.foreign
            changes = -most_sensitive_signs(subject, images)
            found = strength_results(
                subject, images, changes, strengths, self.clip, progress=progress
            )
        return SampleReport(
            name=self.name,
            settings={"strengths": strengths, "clip": self.clip}
            | ({} if self.foreign is None else {"source": self.source}),
            samples=count,
            strengths=found,
            seconds=time.monotonic() - start,
            gradient_evaluations=count * subject.classes * (skipped is None),
            forward_evaluations=subject.forward_evaluations - before,
            skipped=skipped,
        )

    def _count(self, subject):
        if self.foreign is not None:
            return len(self.foreign)
        return self.samples or len(subject.images)


def nonsense_images(subject: Subject, count: int) -> np.ndarray:
    """Normal noise, each image scaled to lie between 0 and 1: float32 (count, height, ...)."""
    images = []
    for index in range(count):
        image = subject.generator("nonsense", index).standard_normal(
            subject.image_shape, np.float32
        )
        images.append((image - image.min()) / (image.max() - image.min()))
    return np.stack(images)


def most_sensitive_signs(
    subject: Subject, images: np.ndarray, labels: np.ndarray | None = None
) -> np.ndarray:
    """Signs of the loss' gradient for the class whose gradient has the largest l1 norm.

    Args:
        subject: `Subject` whose classifier can be differentiated.
        images: float32 array (images, height, width, channels).
        labels: int array (images,) of the classes that are not to be chosen, or None.

    Returns:
        float32 array of the same shape.
    """
    spared = np.full(len(images), _NONE) if labels is None else labels
    function = subject.compiled("nonsense", lambda: _compile(subject))
    # Each image is repeated for every class.
    rows = min(len(images), max(1, subject.batch_size // subject.classes))
    signs = []
    for first in range(0, len(images), rows):
        batch = images[first : first + rows]
        given = batch, spared[first : first + rows].astype(np.int32)
        found = function(*(tf.constant(padded(part, rows)) for part in given))
        signs.append(found.numpy()[: len(batch)])
    return np.concatenate(signs)


def _compile(subject):
    logits, classes, rule = subject.classifier.logits, subject.classes, subject.confidence
    # The functions outlive the subject, and must not keep its classifier alive.
    image_shape = subject.image_shape
    hybrid = HybridLoss(**(HYBRID_MNIST if image_shape[-1] == 1 else HYBRID_CIFAR10))

    def losses(targets, scores):
        if rule.kind == "rbf":
            return hybrid.call(targets, rule.logarithms(scores))
        return tf.nn.sparse_softmax_cross_entropy_with_logits(labels=targets, logits=scores)

    def signs(images, spared):
        repeated = tf.repeat(images, classes, axis=0)
        targets = tf.tile(tf.range(classes), tf.shape(images)[:1])
        with tf.GradientTape() as tape:
            tape.watch(repeated)
            loss = losses(targets, logits(repeated))
        gradient = tape.gradient(loss, repeated, unconnected_gradients="zero")
        gradient = tf.reshape(gradient, (-1, classes, *image_shape))
        lengths = tf.reduce_sum(tf.abs(gradient), axis=(2, 3, 4))
        lengths = tf.where(tf.one_hot(spared, classes, True, False), -1.0, lengths)
        return tf.sign(tf.gather(gradient, tf.argmax(lengths, axis=1), batch_dims=1))

    pixels = tf.TensorSpec((None, *image_shape), tf.float32)
    return compiled.function(signs, [pixels, tf.TensorSpec((None,), tf.int32)])
