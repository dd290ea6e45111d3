"""Operations of a model that stop or falsify gradients, and copies of it in which none does."""

import dataclasses
import re
from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from robust_keras.serving.surgery import stand_ins
from robust_keras.serving.surgery.surgeon import Surgeon, copied
from robust_keras.serving.surgery.survey import Survey, survey
from robust_keras.serving.surgery.values import NotCopied
from robust_keras.serving.views.attacker import straight_through

# Of the gradient: less is rounding.
_CHANGES = 0.01
# Each costs a backward pass: more are taken together.
_MANY = 24
# A random model's gradients are means of so many, and must differ by so many times more than the
# same ones do by chance.
_DRAWS, _BEYOND_CHANCE = 20, 1.5
# Lengths of the steps that are tried, of the range of the pixels.
_STEPS = (0.02, 0.1)
_CONTAINERS = re.compile(
    r"(stateful)?partitioned_?call(_\d+)?|(functional|sequential|model)(_\d+)*|"
    r"__inference_.*|while(_\d+)?|map(_\d+)?|cond(_\d+)?|body|loop_body",
    re.IGNORECASE,
)


@dataclasses.dataclass(frozen=True)
class MaskingOperation:
    """An operation between images and logits that stops or bends a gradient.

    Args:
        operation: its type, such as "Round".
        kind: "rounding", "cast", "threshold", "top-k", "choice", "picture file",
            "stopped gradient", "custom gradient", "clipping", "saturation", "wave" or "chance".
        place: the layer, as the model's graph names it, or "the model itself".
        names: of the operations of that type at that place.
        masks: whether gradients that go past it are others, and no worse to follow; of chance,
            whether two answers to the same images differ.
    """

    operation: str
    kind: str
    place: str
    names: tuple[str, ...]
    masks: bool

    def __str__(self) -> str:
        shown = {"IdentityN": "Custom gradient"}.get(self.operation, self.operation)
        return f"{shown} in {self.place}"


@dataclasses.dataclass(frozen=True)
class Masking:
    """What was found in a classifier's graph.

    Args:
        operations: `MaskingOperation`s that were seen on the way from images to logits.
        copies: `Classifier`s with the same answers and a useful backward pass, the most useful
            first; none where nothing masks.
        error: None, or a sentence that says why the graph could not be looked into.
    """

    operations: tuple[MaskingOperation, ...] = ()
    copies: tuple[Any, ...] = ()
    error: str | None = None

    @property
    def masking(self) -> tuple[MaskingOperation, ...]:
        """The operations that mask."""
        return tuple(operation for operation in self.operations if operation.masks)


def examine(classifier: Any, images: np.ndarray | None = None) -> Masking:
    """Looks for operations that stop or falsify gradients, and opens them in copies.

    Args:
        classifier: `serving.Classifier`, of whatever origin.
        images: float32 array (images, height, width, channels), a few on which gradients are
            compared; None for the classifier's own probes.

    Example:
        >>> masking = examine(serving.load("runs/quickstart/serving"))
        >>> [str(operation) for operation in masking.masking]
        []
    """
    images = np.asarray(classifier.probes if images is None else images, np.float32)
    try:
        found = survey(classifier, images)
        groups = _useful(classifier, found, images)
        copies = tuple(opened(classifier, names) for names in groups)
    except NotCopied as error:
        return Masking(error=str(error))
    masks = frozenset[str]().union(*groups)
    if not classifier.deterministic:
        masks |= {site.name for site in found.chance}
    return Masking(_told(found, masks), copies)


def opened(classifier: Any, names: Collection[str]) -> Any:
    """The classifier with gradients that go straight through operations of these names.

    Raises:
        NotCopied: the graph cannot be copied.
    """
    concrete, surgeon = classifier.logits.get_concrete_function(), _Opening(names)
    copy = classifier.with_logits(lambda images: copied(concrete, images, surgeon))
    if not classifier.deterministic or _same_answers(classifier, copy):
        return copy
    # Where TensorFlow computes the copy in another order, the last digits are the model's own.
    return straight_through(classifier, copy.logits)


class _Opening(Surgeon):
    """Opens the sites of some names."""

    def __init__(self, names):
        self._names = names

    def open_up(self, site, output, make):
        return make() if site.name in self._names else None


def _same_answers(classifier, copy):
    first, second = (c.logits(tf.constant(c.probes)).numpy() for c in (classifier, copy))
    return np.array_equal(first, second, equal_nan=True)


def _useful(classifier, found: Survey, images) -> list[frozenset[str]]:
    """Sets of names that are worth to be opened together, the best first."""
    sites = [site for site in found.sites if site.name not in found.seen]
    hard = frozenset(site.name for site in sites if site.kind not in stand_ins.BENDING)
    soft = frozenset(site.name for site in sites if site.kind in stand_ins.BENDING)
    trial = _Trial(classifier, found, images)
    # A curve that jumps is known by its values; whether it pays to pass it, an attack may try.
    jumping = frozenset(site.name for site in sites if site.kind == "threshold")
    stopping = trial.needed(hard) or trial.changing(jumping)
    bending = trial.helping(soft, stopping)
    sets = dict.fromkeys(s for s in (stopping | bending, stopping) if s)
    return sorted(sets, key=lambda names: -float(np.mean(trial.fall(names))))


class _Trial:
    """Steps along gradients, tried on the classifier itself."""

    def __init__(self, classifier, found, images):
        self._logits, self._found, self._images = classifier.logits, found, images
        self._draws = 1 if classifier.deterministic else _DRAWS
        values = self._logits(tf.constant(images)).numpy()
        order = np.argsort(values, axis=-1)
        eye = np.eye(values.shape[-1], dtype=np.float32)
        self._weights = eye[order[:, -1]] - eye[order[:, -2]]
        self._gradients: dict[frozenset, np.ndarray] = {}
        self._variations: dict[frozenset, float] = {}

    def gradient(self, names):
        if names not in self._gradients:
            self._gradients[names] = self._measured(names)
        return self._gradients[names]

    def _measured(self, names):
        """The gradients as rows; where the model is random, their means over some draws."""
        drawn = [
            self._found.gradient(self._images, self._weights, names) for _ in range(self._draws)
        ]
        return np.nan_to_num(np.mean(drawn, axis=0)).reshape(len(self._images), -1)

    def change(self, one, other):
        """How far two gradients are apart, of the larger one, the mean over images.

        0 where a random model's own are nearly as far from themselves the next time.
        """
        apart = _apart(self.gradient(one), self.gradient(other))
        if self._draws == 1:
            return apart
        # The lesser: one that is opened may be the end of a gradient of chance.
        by_chance = min(map(self._varying, (one, other)))
        return apart if apart > _BEYOND_CHANCE * by_chance else 0.0

    def _varying(self, names):
        """How far a gradient is from itself the next time."""
        if names not in self._variations:
            self._variations[names] = _apart(self.gradient(names), self._measured(names))
        return self._variations[names]

    def fall(self, names):
        """How far one step against the gradient lowers the lead of the likeliest class."""
        direction = np.sign(self.gradient(names)).reshape(self._images.shape)
        there = [np.clip(self._images - step * direction, 0.0, 1.0) for step in _STEPS]
        return np.mean([self._lead(self._images) - self._lead(moved) for moved in there], axis=0)

    def _lead(self, images):
        values = self._logits(tf.constant(images.astype(np.float32))).numpy()
        return np.sum(self._weights * values, axis=-1)

    def better(self, one, other):
        """Whether the first set of names leads clearly lower than the second."""
        if self.change(one, other) <= _CHANGES:
            return False
        gain = self.fall(one) - self.fall(other)
        error = np.std(gain) / np.sqrt(len(gain))
        return bool(np.mean(gain) > 2 * error + 0.05 * abs(np.mean(self.fall(other))))

    def needed(self, names):
        """Those of the names without which the gradient is another one; none if it is no use."""
        nothing = frozenset[str]()
        return nothing if self.better(nothing, names) else self.changing(names)

    def changing(self, names):
        """Those of the names without which the gradient is another one."""
        if self.change(names, frozenset()) <= _CHANGES:
            return frozenset[str]()
        if len(names) > _MANY:
            return names
        # In one order: a random model draws anew for each.
        return frozenset(n for n in sorted(names) if self.change(names, names - {n}) > _CHANGES)

    def helping(self, names, others):
        """Those of the names that lead clearly lower when they are opened beside others."""
        if len(names) > _MANY:
            return names if self.better(others | names, others) else frozenset[str]()
        return frozenset(n for n in sorted(names) if self.better(others | {n}, others))


def _apart(one, other):
    # In float64, where squares of the largest float32 are finite.
    one, other = one.astype(np.float64), other.astype(np.float64)
    size = np.maximum(*(np.linalg.norm(g, axis=1) for g in (one, other)))
    return float(np.mean(np.linalg.norm(one - other, axis=1) / np.where(size > 0, size, 1.0)))


def _told(found: Survey, masks) -> tuple[MaskingOperation, ...]:
    """The sites, those of one type at one place together."""
    groups: dict[tuple, list] = {}
    for site in (*found.sites, *found.chance):
        key = (site.operation, site.kind, place(site.name), site.name in masks)
        groups.setdefault(key, []).append(site.name)
    return tuple(
        MaskingOperation(operation, kind, where, tuple(names), masked)
        for (operation, kind, where, masked), names in groups.items()
    )


def place(name: str) -> str:
    """The layer of an operation, by the names of the scopes around it.

    Args:
        name: of the operation, with the calls that lead to it.
    """
    parts: Sequence[str] = [part for part in name.split("/")[:-1] if part]
    layers = [part for part in parts if not _CONTAINERS.fullmatch(part)]
    # Keras opens the scope of a layer twice, and TensorFlow numbers the second.
    return "/".join(dict.fromkeys(map(_once, layers))) or "the model itself"


def _once(part):
    return part.removesuffix("_1")
