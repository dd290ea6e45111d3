"""Images that a model takes for each class in turn, found by climbing its confidence."""

import dataclasses
import time
import typing
from collections.abc import Callable

import numpy as np
import tensorflow as tf

from robust_keras import compiled
from robust_keras.attacks.attack import require, require_number, require_whole
from robust_keras.attacks.loops.prediction import padded
from robust_keras.findings import FoolingReport
from robust_keras.settings.unusual import FOOLING_STARTS
from robust_keras.unusual.fooling_image import fooling_images, to_bytes
from robust_keras.unusual.subject import Subject

# Confidences whose first time is noted; an image that has the last is left alone.
LEVELS = (0.99, 0.999, 0.9999)
MARKS = ("top", *(str(level) for level in LEVELS))
# The study's noise on the mean image has standard deviation 1 on a scale of 255.
_NOISE = 1.0 / 255.0


@dataclasses.dataclass(frozen=True, kw_only=True)
class GradientAscent:
    """Climbs the confidence of each class from an image that shows none of them.

    Formula: `x <- m + (1 - decay) (x + rate g - m)`, cut off at 0 and 1, with p the confidence of
    the class, g its gradient, m the mean image and `rate = min(early, late (1 - p)) / |g|^2`: to
    first order, a step raises p by `early`, and by a share `late` of what is left near the top.

    The gradient is that of log p times p, so that a class whose p is 0 in float32 has a direction;
    the step is no longer than `longest` times the square root of the number of pixels. The study
    limits the rate instead, by a number that hardly ever matters.

    Args:
        steps: how many at most, >= 1; published: 300.
        decay: in [0, 1); published: 0.01. Where it equals the step, the image climbs no further:
            with 0.01 and a uniform start eight classes of ten stayed below 0.99 on a LeNet-5, with
            0 none.
        start: "uniform" (noise in [0, 1]) or "mean" (the mean image with a little normal noise; of
            digits that is half a digit already); published: both.
        early: above 0; published: 0.03.
        late: above 0; published: 0.1.
        longest: above 0, in pixel units.

    Raises:
        ValueError: a setting is out of its range.

    Reference: Nguyen, Yosinski and Clune, "Deep Neural Networks are Easily Fooled", 2015,
    arXiv 1412.1897; numbers from the authors' program.

    Example: `GradientAscent(steps=100).run(subject).images[3].confidence`
    """

    name: typing.ClassVar[str] = "fooling_gradient"

    steps: int = 300
    decay: float = 0.0
    start: str = "uniform"
    early: float = 0.03
    late: float = 0.1
    longest: float = 0.1

    def __post_init__(self):
        require_whole("steps", self.steps)
        require_number("decay", self.decay, 0.0, 1.0)
        require(self.decay < 1.0, "decay", "below 1", self.decay)
        require(
            self.start in FOOLING_STARTS, "start", f"one of {', '.join(FOOLING_STARTS)}", self.start
        )
        for name in ("early", "late", "longest"):
            require_number(name, getattr(self, name), above=True)

    def run(self, subject: Subject, progress: Callable | None = None) -> FoolingReport:
        """Climbs for every class that means something.

        Args:
            subject: `Subject`.
            progress: None, or called as `progress(done, total)` when it is done: all classes climb
                in one compiled loop.
        """
        begin, before = time.monotonic(), subject.forward_evaluations
        skipped, found, gradients = subject.classifier.gradient_error, (), 0
        if skipped is None:
            mean = subject.images.mean(axis=0, dtype=np.float64).astype(np.float32)
            images, first, gradients = self._climb(subject, mean)
            iterations = [
                {m: int(n) if n >= 0 else None for m, n in zip(MARKS, row, strict=True)}
                for row in first
            ]
            found = fooling_images(subject, images, iterations)
        if progress is not None:
            progress(self.steps, self.steps)
        return FoolingReport(
            name=self.name,
            settings=dataclasses.asdict(self),
            images=found,
            generations=None,
            seconds=time.monotonic() - begin,
            gradient_evaluations=gradients,
            forward_evaluations=subject.forward_evaluations - before,
            skipped=skipped,
        )

    def _climb(self, subject, mean):
        """The best images as bytes, when each reached its marks (-1: never), gradients taken."""
        climb = subject.compiled(self, lambda: self._compile(subject, len(mean.reshape(-1))))
        rows = min(subject.classes, subject.batch_size)
        images, marks, taken = [], [], 0
        for first in range(0, subject.classes, rows):
            targets = np.arange(first, min(first + rows, subject.classes))
            starts = np.stack([self._start(subject, mean, target) for target in targets])
            inputs = padded(starts, rows), padded(targets.astype(np.int32), rows), mean
            best, reached, steps = climb(*map(tf.constant, inputs))
            images.append(best.numpy()[: len(targets)])
            marks.append(reached.numpy()[: len(targets)])
            taken += int(steps) * len(targets)
        return to_bytes(np.concatenate(images)), np.concatenate(marks), taken

    def _start(self, subject, mean, target):
        generator = subject.generator(self.name, target)
        if self.start == "uniform":
            return generator.uniform(0.0, 1.0, mean.shape).astype(np.float32)
        noise = generator.normal(0.0, _NOISE, mean.shape)
        return np.clip(mean + noise, 0.0, 1.0).astype(np.float32)

    def _compile(self, subject, pixels):
        """A function from starts, their classes and the mean image to what was found."""
        logits, rule = subject.classifier.logits, subject.confidence
        longest = self.longest * pixels**0.5

        def climb(starts, targets, mean):
            def step(index, images, best, highest, reached):
                with tf.GradientTape() as tape:
                    tape.watch(images)
                    logarithms = rule.logarithms(logits(images))
                    own = tf.gather(logarithms, targets, batch_dims=1)
                gradient = tape.gradient(own, images, unconnected_gradients="zero")
                reached = _note(index, logarithms, own, targets, reached)
                better = own > highest
                best = tf.where(_column(better), images, best)
                highest = tf.maximum(own, highest)
                moved = images + self._change(gradient, tf.exp(own), longest)
                moved = tf.clip_by_value(mean + (1.0 - self.decay) * (moved - mean), 0.0, 1.0)
                done = _column(reached[:, -1] >= 0)
                return index + 1, tf.where(done, images, moved), best, highest, reached

            def unfinished(index, images, best, highest, reached):
                return (index <= self.steps) & tf.reduce_any(reached[:, -1] < 0)

            highest = tf.fill(tf.shape(targets), -np.inf)
            reached = tf.fill((tf.shape(targets)[0], len(MARKS)), -1)
            state = tf.while_loop(unfinished, step, (0, starts, starts, highest, reached))
            return state[2], state[4], state[0]

        image = tf.TensorSpec(subject.image_shape, tf.float32)
        batch = tf.TensorSpec((None, *subject.image_shape), tf.float32)
        whole = tf.TensorSpec((None,), tf.int32)
        return compiled.function(climb, [batch, whole, image])

    def _change(self, gradient, confidence, longest):
        """The step from the gradient of log p; its length is the gain divided by |grad p|."""
        finite = tf.where(tf.math.is_finite(gradient), gradient, tf.zeros_like(gradient))
        # Divided by its largest entry first, as squares of small ones would vanish.
        scale = tf.reduce_max(tf.abs(finite), axis=(1, 2, 3), keepdims=True)
        direction = tf.math.divide_no_nan(finite, scale)
        norm = tf.sqrt(tf.reduce_sum(tf.square(direction), axis=(1, 2, 3), keepdims=True))
        gain = _column(tf.minimum(self.early, self.late * (1.0 - confidence)))
        slope = _column(confidence) * scale * norm
        length = tf.where(slope * longest > gain, tf.math.divide_no_nan(gain, slope), longest)
        return length * tf.math.divide_no_nan(direction, norm)


def _note(index, logarithms, own, targets, reached):
    """Puts the step into `reached` where an image has a mark for the first time."""
    top = tf.argmax(logarithms, axis=1, output_type=tf.int32) == targets
    high = [tf.exp(own) >= level for level in LEVELS]
    return tf.where(tf.stack([top, *high], axis=1) & (reached < 0), index, reached)


def _column(values):
    return tf.reshape(values, (-1, 1, 1, 1))
