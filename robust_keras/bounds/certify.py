"""Which images are proved to keep their class under every change up to epsilon."""

import dataclasses
import functools
import math
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf
import tqdm

from robust_keras.bounds import network
from robust_keras.bounds.interval import ROUNDING, Interval
from robust_keras.bounds.linear import Place, least, lower_bounds, tightened
from robust_keras.bounds.rules import rules

# From the fastest to the tightest.
METHODS = ("intervals", "linear", "thorough")
# Multiplications an image that "thorough" may take where nobody asks for it: a tenth of a second.
_CHEAP = 3e8
# By so much one logit must lead another for a softmax in float32 to tell them apart.
_SOFTMAX = 1e-3


@dataclasses.dataclass(frozen=True)
class Stage:
    """A rule at work.

    Args:
        rule: of `rules`.
        sources: numbers of the values that it takes; 0 is the image.
        mixed: through how many sums of several entries its input has gone; of one, intervals are
            exact.
    """

    rule: Any
    sources: tuple[int, ...]
    mixed: int

    @property
    def gains(self) -> bool:
        """Whether linear bounds of its input would make its own tighter."""
        return self.mixed > 1 and hasattr(self.rule, "undecided")


def certify(
    model: keras.Model,
    images: np.ndarray,
    labels: np.ndarray,
    epsilon: float,
    *,
    method: str | None = None,
    batch_size: int = 50,
    progress: bool = False,
) -> np.ndarray:
    """Proves, where it can, that no change of at most epsilon a pixel alters an image's class.

    A proof holds for every image within the threat model, whatever attack will be thought of, and
    for the model as it computes in float32. No proof means nothing: bounds are loose.

    Args:
        model: a built `keras.Model` from images in [0, 1] to logits, Sequential or functional; a
            softmax at its end changes no order and is left out.
        images: float array (images, height, width, channels) in [0, 1].
        labels: int array (images,).
        epsilon: largest change of a pixel (l-infinity), at least 0.
        method: "intervals" (fast, loose), "linear" (intervals inside, linear bounds of the
            margins back to the pixels), "thorough" (linear bounds of every hidden layer, too); None
            for thorough where that is cheap, else linear.
        batch_size: images a pass.
        progress: whether to draw a bar on stderr.

    Returns:
        bool array (images,): True where the label is proved to be the answer throughout.

    Raises:
        InputError: a layer for which no bounds are known, or a subclassed model.
        ValueError: an argument is out of range.

    References:
        Gowal et al., "On the Effectiveness of Interval Bound Propagation for Training Verifiably
        Robust Models", 2018, arXiv 1810.12715; Zhang et al., 2018, arXiv 1811.00866 (CROWN).
    """
    settings: dict[str, Any] = {"method": method, "batch_size": batch_size, "progress": progress}
    return Bounds(model).certify(images, labels, epsilon, **settings)


class Bounds:
    """A model taken apart into the rules of its layers, once for any number of images and epsilons.

    Args:
        model: as for `certify`.
        rounding: whether bounds hold for the model as it computes, in float32; False for the model
            in exact arithmetic, as other tools bound it.

    Attributes:
        stages: its `Stage`s in the order of computation.
        least: by how much a label's logit must lead every other for its answer to be proved.

    Raises:
        InputError: a layer for which no bounds are known, which it names, or a subclassed model.
    """

    def __init__(self, model: keras.Model, *, rounding: bool = True):
        steps = network.steps(model)
        self.stages = _stages(steps)
        self._shape = model.inputs[0].shape[1:]
        self.classes = model.outputs[0].shape[-1]
        self._unit = ROUNDING if rounding else 0.0
        self.least = _SOFTMAX if steps[-1].ends_in_softmax else 0.0

    def certify(
        self, images: np.ndarray, labels: np.ndarray, epsilon: float, **settings: Any
    ) -> np.ndarray:
        """As the function `certify`; a method is tried where the faster ones have no proof."""
        method = settings.pop("method", None) or self.best
        images, labels = np.asarray(images), np.asarray(labels)
        proved = np.zeros(len(images), bool)
        for tried in METHODS[: METHODS.index(method) + 1] if method in METHODS else (method,):
            left = np.flatnonzero(~proved)
            bound = self.margins(images[left], labels[left], epsilon, method=tried, **settings)
            proved[left] = np.all(bound > self.least, axis=1)
        return proved

    def leads(self, images: np.ndarray, labels: np.ndarray, *, batch_size: int = 50) -> np.ndarray:
        """By how much each label's logit leads every other, float32 rounding taken off twice.

        Once for the image itself, once for another near it.

        Args:
            images: as for `certify`.
            labels: see there.
            batch_size: see there.

        Returns:
            float64 array (images,); below 0 where the answer is another.
        """
        found = []
        for start in range(0, len(images), batch_size):
            part = slice(start, start + batch_size)
            forms = tf.constant(margin_forms(np.asarray(labels[part]), self.classes))
            _, places = walk(
                self.stages, point := ball(images[part], 0.0, self._unit), thorough=False
            )
            lower, upper = (sign * lower_bounds(places, sign * forms, point) for sign in (1, -1))
            found.append(tf.reduce_min(lower - (upper - lower) / 2.0, axis=1))
        return np.concatenate(found) if found else np.zeros(0)

    @functools.cached_property
    def best(self) -> str:
        """The tightest method that is cheap for this model."""
        cost = _hidden_cost(self.stages, self._shape)
        return "thorough" if cost < _CHEAP else "linear"

    def margins(
        self,
        images: np.ndarray,
        labels: np.ndarray,
        epsilon: float,
        *,
        method: str | None = None,
        batch_size: int = 50,
        progress: bool = False,
    ) -> np.ndarray:
        """Lower bounds of the label's logit over each other's, for changes of at most epsilon.

        Args:
            images: as for `certify`, like all that follows.
            labels: see there.
            epsilon: see there.
            method: see there.
            batch_size: see there.
            progress: see there.

        Returns:
            float64 array (images, classes - 1), the other classes in their order.

        Raises:
            ValueError: an argument is out of range.
        """
        method = self.best if method is None else method
        images, labels = np.asarray(images, np.float64), np.asarray(labels, np.int64)
        _check(images, labels, epsilon, method)
        rows = []
        starts = range(0, len(images), batch_size)
        for start in tqdm.tqdm(starts, desc="bounds", unit="batch", disable=not progress):
            part = slice(start, start + batch_size)
            forms = tf.constant(margin_forms(labels[part], self.classes))
            bound = _bound(self.stages, ball(images[part], epsilon, self._unit), forms, method)
            rows.append(bound.numpy())
        return np.concatenate(rows) if rows else np.zeros((0, self.classes - 1))


def _check(images, labels, epsilon, method):
    if method not in METHODS:
        raise ValueError(f"`method` must be one of {METHODS}. Received: method={method!r}")
    if not 0.0 <= epsilon <= 1.0:
        raise ValueError(f"`epsilon` must be in [0, 1]. Received: epsilon={epsilon}")
    if images.ndim != 4 or len(images) != len(labels):
        raise ValueError(
            "`images` must have shape (images, height, width, channels), with one label each. "
            f"Received: images of shape {images.shape}, {len(labels)} labels"
        )
    if not (np.all(images >= 0.0) and np.all(images <= 1.0)):
        raise ValueError(
            "`images` must be in [0, 1]. "
            f"Received: values from {np.min(images)} to {np.max(images)}"
        )


def _stages(steps):
    """A layer's rules one after the other, each a `Stage`."""
    stages, numbers, mixed = [], [0], [0]
    for step in steps:
        sources = tuple(numbers[source] for source in step.sources)
        for rule in rules(step):
            before = max(mixed[source] for source in sources)
            stages.append(Stage(rule, sources, before))
            mixed.append(before + getattr(rule, "mixes", False))
            sources = (len(stages),)
        numbers.append(sources[0])
    return stages


def margin_forms(labels: np.ndarray, classes: int) -> np.ndarray:
    """One row for each other class, 1 at the label and -1 at the class: (batch, rows, classes)."""
    eye = np.eye(classes)
    forms = eye[labels][:, None] - eye[None]
    return forms[~np.eye(classes, dtype=bool)[labels]].reshape(len(labels), classes - 1, classes)


def walk(
    stages: Sequence[Stage], image: Interval, *, thorough: bool
) -> tuple[list[Interval], list[Place]]:
    """The image and every stage's output as `Interval`s, and the `Place`s of the stages.

    Args:
        stages: of a model, see `Bounds.stages`.
        image: `Interval` of the pixels.
        thorough: whether linear bounds make hidden intervals tighter.
    """
    values: list[Interval] = [image]
    places: list[Place] = []
    for stage in stages:
        if thorough and stage.gains:
            (source,) = set(stage.sources)
            values[source] = _tightened(places[:source], stage.rule, values[source], image)
        relaxation = stage.rule.relax(*(values[source] for source in stage.sources))
        values.append(relaxation.output)
        places.append(Place(relaxation, stage.sources))
    return values, places


def ball(images: Any, epsilon: float, unit: float = ROUNDING) -> Interval:
    """What may become of images (batch, ...) by changes of at most epsilon, within [0, 1].

    Args:
        images: of the batch.
        epsilon: largest change of a pixel.
        unit: see `Interval`.
    """
    images = tf.constant(images, tf.float64)
    lower, upper = tf.maximum(images - epsilon, 0.0), tf.minimum(images + epsilon, 1.0)
    return Interval(lower, upper, unit=unit)


def _bound(stages, image, forms, method):
    values, places = walk(stages, image, thorough=method == "thorough")
    if method == "intervals":
        # Differences of logits, whose common parts cancel, and not the logits.
        pulled, constant = places[-1].relaxation.pull(forms)
        before = [values[source] for source in places[-1].sources]
        return constant + tf.add_n([least(w, x) for w, x in zip(pulled, before, strict=True)])
    return lower_bounds(places, forms, image)


def _tightened(places, rule, x, image):
    undecided = tf.reduce_any(tf.reshape(rule.undecided(x), [len(x.lower), -1]), axis=0)
    return tightened(places, x, image, tf.where(undecided)[:, 0])


def _hidden_cost(stages, shape):
    """Multiplications an image that linear bounds of every hidden layer take, at most."""
    values, work, total = [Interval(*[tf.zeros((1, *shape), tf.float64)] * 2)], 0, 0
    for stage in stages:
        if stage.gains:
            total += work * math.prod(values[stage.sources[0]].lower.shape)
        relaxation = stage.rule.relax(*(values[source] for source in stage.sources))
        values.append(relaxation.output)
        work += math.prod(relaxation.output.lower.shape) * getattr(stage.rule, "terms", 1)
    return total
