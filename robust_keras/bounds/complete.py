"""Small ReLU networks exactly: whether any change within epsilon alters an answer."""

import dataclasses
import math
import time
from collections.abc import Sequence

import keras
import numpy as np
import scipy.optimize
import scipy.sparse

from robust_keras.bounds.activation_curves import RELU
from robust_keras.bounds.affine import Affine
from robust_keras.bounds.certify import Bounds, Stage, ball, margin_forms, walk
from robust_keras.bounds.interval import Interval
from robust_keras.errors import InputError

PROVED, BROKEN, OPEN = "proved", "broken", "open"
# The solver lets constraints be missed by 1e-7 each.
_TOLERANCE = 1e-5


@dataclasses.dataclass(frozen=True)
class Searched:
    """What a complete search found of one image.

    Args:
        verdict: "proved", "broken" or, where time ran out, "open".
        margin: a lower bound of the label's logit over every other's throughout; where the search
            ended it is the least there is, to within the solver's tolerance. Of a broken image that
            of the example, at most 0.
        example: float32 array like the image, which the model misclassifies; None unless broken.
    """

    verdict: str
    margin: float
    example: np.ndarray | None = None


def search(
    model: keras.Model, image: np.ndarray, label: int, epsilon: float, *, seconds: float = 60.0
) -> Searched:
    """Decides whether a change of at most epsilon a pixel alters the answer to an image.

    A mixed-integer program says the network exactly: each ReLU whose input may have either sign is
    a binary choice (Tjeng, Xiao and Tedrake, "Evaluating Robustness of Neural Networks with Mixed
    Integer Programming", 2017, arXiv 1711.07356), bounded by linear bounds and solved by HiGHS.
    The float32 rounding of the model is taken off the margin.

    Args:
        model: as for `certify`, a chain of affine layers and ReLUs, of a few hundred of which the
            input may have either sign.
        image: float array (height, width, channels) in [0, 1].
        label: its class.
        epsilon: largest change of a pixel (l-infinity), at least 0.
        seconds: after which it gives up.

    Raises:
        InputError: other layers.
    """
    return _search(model, Bounds(model), image, label, epsilon, seconds)


class CompleteSearch:
    """A `Prover` that searches where bounds leave an image open: what can be proved, is.

    Args:
        model: as for `search`.
        seconds: an image at one epsilon, after which it is given up.

    Attributes:
        broken: pairs of an image and a change of it within epsilon that the model misclassifies,
            float32 arrays alike, of all that were found.

    Raises:
        InputError: a layer without bounds, or one that the search does not know.
    """

    broken: list[tuple[np.ndarray, np.ndarray]]

    def __init__(self, model: keras.Model, seconds: float = 60.0):
        self._model, self._bounds, self._seconds = model, Bounds(model), seconds
        self.broken = []
        _layers(self._bounds.stages, ball(np.zeros((1, *model.input_shape[1:])), 0.0))

    def certify(
        self, images: np.ndarray, labels: np.ndarray, epsilon: float, *, batch_size: int = 50
    ) -> np.ndarray:
        """Whether each label is proved to be the answer to every image within epsilon.

        Args:
            images: float array (images, height, width, channels) in [0, 1].
            labels: int array (images,).
            epsilon: as for `certify`.
            batch_size: images a pass of bounds.

        Returns:
            bool array (images,); False where a change alters the answer, or time ran out.
        """
        proved = self._bounds.certify(images, labels, epsilon, batch_size=batch_size)
        right = np.asarray(self._model(images, training=False)).argmax(1) == labels
        for number in np.flatnonzero(right & ~proved):
            given = images[number], int(labels[number]), epsilon, self._seconds
            found = _search(self._model, self._bounds, *given)
            proved[number] = found.verdict == PROVED
            if found.example is not None:
                self.broken.append((images[number], found.example))
        return proved


def _search(model, bounds, image, label, epsilon, seconds):
    end = time.monotonic() + seconds
    within = ball(image[None], epsilon)
    program = _Program(_layers(bounds.stages, within), within)
    margins = []
    for form in margin_forms(np.array([label]), bounds.classes)[0]:
        margin, pixels = program.least(form, max(end - time.monotonic(), 0.0))
        if pixels is not None:
            pixels = np.clip(pixels, within.lower.numpy().ravel(), within.upper.numpy().ravel())
            example = pixels.reshape(image.shape).astype(np.float32)
            logits = np.asarray(model(example[None], training=False))[0]
            if np.argmax(logits) != label:
                lead = logits[label] - np.delete(logits, label).max()
                return Searched(BROKEN, float(lead), example)
        margins.append(margin)
    least = min(margins)
    return Searched(PROVED if least > bounds.least else OPEN, least)


@dataclasses.dataclass(frozen=True)
class _Layer:
    """An affine map and, but after the last, a ReLU.

    Args:
        weights: (outputs, inputs).
        shift: (outputs,).
        lower: of the ReLU's inputs, (outputs,).
        upper: of these.
        error: how far float32 may be off there, (outputs,).
    """

    weights: np.ndarray
    shift: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    error: np.ndarray


def _layers(stages: Sequence[Stage], image: Interval) -> list[_Layer]:
    values, _ = walk(stages, image, thorough=True)
    size = math.prod(image.lower.shape)
    weights, shift, error, found = np.eye(size), np.zeros(size), np.zeros(size), []
    for number, stage in enumerate(stages):
        if stage.sources != (number,):
            raise InputError.expected("complete search", "one layer after the other", "branches")
        x = values[number]
        if isinstance(stage.rule, Affine):
            matrix, added = stage.rule.matrix(x.lower.shape[1:])
            weights, shift = matrix @ weights, matrix @ shift + added
            error = np.abs(matrix) @ error + stage.rule.rounding(x).numpy().ravel()
        elif stage.rule is RELU:
            found.append(_layer(weights, shift, x, error))
            size = len(shift)
            weights, shift = np.eye(size), np.zeros(size)
        else:
            raise InputError.expected("complete search", "affine layers and ReLUs", "others")
    return [*found, _layer(weights, shift, values[-1], error)]


def _layer(weights, shift, x, error):
    return _Layer(weights, shift, x.lower.numpy().ravel(), x.upper.numpy().ravel(), error)


class _Program:
    """Pixels, outputs of ReLUs and their binary choices, in this order, layer by layer."""

    def __init__(self, layers, image):
        self._last = layers[-1]
        self._lower, self._upper = [image.lower.numpy().ravel()], [image.upper.numpy().ravel()]
        self._whole = [np.zeros(len(self._lower[0]))]
        self._rows: list[tuple] = []
        self._inputs = np.arange(len(self._lower[0]))
        for layer in layers[:-1]:
            self._inputs = self._add(layer, self._inputs)
        self._size = sum(map(len, self._lower))

    def least(self, form, seconds):
        """The least of a form of the logits, and the pixels there; None where there are none."""
        costs = np.zeros(self._size)
        costs[self._inputs] = form @ self._last.weights
        solved = scipy.optimize.milp(
            costs,
            integrality=np.concatenate(self._whole),
            bounds=scipy.optimize.Bounds(np.concatenate(self._lower), np.concatenate(self._upper)),
            constraints=[self._constraint(*row) for row in self._rows],
            options={"time_limit": seconds},
        )
        bound = solved.mip_dual_bound
        if bound is None:
            bound = solved.fun if solved.status == 0 else -np.inf
        margin = bound + form @ self._last.shift - np.abs(form) @ self._last.error - _TOLERANCE
        pixels = None if solved.x is None else solved.x[: len(self._lower[0])]
        return float(margin), pixels

    def _constraint(self, blocks, least, most):
        """Rows `least <= sum of block times columns <= most` over all variables."""
        total = 0
        for columns, block in blocks:
            places = (np.arange(len(columns)), columns)
            chosen = scipy.sparse.csr_array(
                (np.ones(len(columns)), places), shape=(len(columns), self._size)
            )
            total = total + scipy.sparse.csr_array(block) @ chosen
        return scipy.optimize.LinearConstraint(total, least, most)

    def _add(self, layer, inputs):
        """The variables and constraints of a ReLU layer; returns the columns of its outputs."""
        undecided = (layer.lower < 0.0) & (layer.upper > 0.0)
        count, first = undecided.sum(), sum(map(len, self._lower))
        outputs = first + np.arange(len(layer.shift))
        choices = first + len(layer.shift) + np.arange(count)
        self._lower += [np.zeros(len(outputs)), np.zeros(count)]
        self._upper += [np.maximum(layer.upper, 0.0), np.ones(count)]
        self._whole += [np.zeros(len(outputs)), np.ones(count)]

        def above(rows, choices_below=()):
            """Blocks of `y - W x`, of some rows."""
            eye = scipy.sparse.eye_array(rows.sum())
            return [(outputs[rows], eye), (inputs, -layer.weights[rows]), *choices_below]

        sure, shift = layer.lower >= 0.0, layer.shift
        self._rows.append((above(sure), shift[sure], shift[sure]))
        if count:
            shift, low = shift[undecided], layer.lower[undecided]
            self._rows.append((above(undecided), shift, np.inf))
            # y <= W x + b - l (1 - d), and y <= u d.
            slack = (choices, scipy.sparse.diags_array(-low))
            self._rows.append((above(undecided, [slack]), -np.inf, shift - low))
            top = scipy.sparse.diags_array(-layer.upper[undecided])
            shut = [(outputs[undecided], scipy.sparse.eye_array(count)), (choices, top)]
            self._rows.append((shut, -np.inf, 0.0))
        return outputs
