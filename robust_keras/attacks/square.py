"""Square: random search over squares of pixels, which needs nothing but the logits."""

import dataclasses
import itertools
import typing
import weakref

import numpy as np
import tensorflow as tf

from robust_keras.attacks.attack import Attack, Proposal, require_number, require_whole
from robust_keras.attacks.batches import ShrinkingBatch
from robust_keras.attacks.losses import margin

_HALVINGS = (10, 50, 200, 500, 1000, 2000, 4000, 6000, 8000)
# After these queries, and every so many from the last on, fooled images leave the batch.
_LOOKS = (5, 15, 35, 75, 150)
_searches = weakref.WeakKeyDictionary()


def square_sides(queries, share, height, width):
    """Side of the square that each query changes.

    Formula: `round(sqrt(p height width))`, between 1 and the shorter side of the image; the share p
    is halved after 10, 50, 200, 500, 1000, 2000, 4000, 6000 and 8000 queries, however many follow.

    Args:
        queries: number of squares.
        share: p at first, in (0, 1].
        height: of the image.
        width: of the image.

    Returns:
        int32 array (queries,).
    """
    halved = np.searchsorted(_HALVINGS, np.arange(queries), side="left")
    sides = np.rint(np.sqrt(share / 2.0**halved * height * width))
    return np.clip(sides, 1, min(height, width)).astype(np.int32)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Square(Attack):
    """Random search: a square of pixels goes to the edge of the ball wherever that helps.

    Starts with vertical stripes of +epsilon and -epsilon; each query adds 2 epsilon with a random
    sign a channel to one square, projects, and keeps that if the label's lead over the other
    classes falls. For linf only. Works on models without gradients, and where they are masked.

    Args:
        queries: forward passes an image, >= 1.
        share: share of the pixels in the first squares, in (0, 1].

    Raises:
        ValueError: a setting is out of range.

    Reference: Andriushchenko et al., "Square Attack: a Query-efficient Black-box Adversarial Attack
    via Random Search", 2020, arXiv 1912.00049.

    Example:
        >>> Square(queries=1000).settings()
        {'queries': 1000, 'share': 0.8}
    """

    name: typing.ClassVar[str] = "square"
    kind: typing.ClassVar[str] = "score"
    any_batch: typing.ClassVar[bool] = True
    norms: typing.ClassVar[tuple[str, ...]] = ("linf",)

    queries: int = 5000
    share: float = 0.8

    def __post_init__(self):
        require_whole("queries", self.queries)
        require_number("share", self.share, maximum=1.0, above=True)

    def perturb(self, classifier, images, labels, **settings):
        """Searches around the images; see `Attack.perturb`."""
        return self.propose(classifier, images, labels, **settings).images

    def propose(self, classifier, images, labels, *, threat_model, epsilon, generators):
        """The same, with what it took; see `Attack.propose`."""
        images = np.asarray(images, np.float32)
        threat_model.check_images(images)
        self.check_threat_model(threat_model)
        threat_model.check_epsilon(epsilon)
        limits = [threat_model.project(images, images + s * epsilon, epsilon) for s in (-1.0, 1.0)]
        stripes = [_signs(g.random(images.shape[2:])) for g in generators]
        first = np.where(np.stack(stripes)[:, None] > 0, limits[1], limits[0])
        problem = Problem(
            labels=tf.constant(labels, tf.int32),
            lowest=tf.constant(limits[0]),
            highest=tf.constant(limits[1]),
            change=tf.fill((len(images),), tf.constant(2.0 * epsilon, tf.float32)),
        )
        return self._search(_search(classifier, images.shape[1:]), problem, first, generators)

    def _search(self, graph, problem, first, generators):
        """The `Proposal` of all queries, from the first candidates on."""
        batch = ShrinkingBatch((problem, graph.begin(problem, first)), len(first))
        found, passes = first.copy(), np.ones(len(first), int)
        sides = square_sides(self.queries - 1, self.share, *first.shape[1:3])
        for begin, end in itertools.pairwise([0, *_looks(self.queries - 1)]):
            if not batch.keep(~batch.tensors[1].fooled.numpy()):
                break
            problem, state = batch.tensors
            rows = batch.places[: batch.real]
            squares = _squares([generators[row] for row in rows], sides[begin:end], first.shape)
            missing = [(0, 0), (0, len(batch.places) - len(rows)), (0, 0)]
            squares = [np.pad(values, missing[: values.ndim], mode="edge") for values in squares]
            taken, state = graph.search(problem, state, sides[begin:end], *squares)
            batch.tensors = problem, state
            passes[rows] += int(taken)
            found[rows] = state.point.numpy()[: len(rows)]
        return Proposal(found, np.zeros_like(passes), passes)


class Problem(typing.NamedTuple):
    """What is given, one row an image: labels, the pixels' limits, and twice epsilon."""

    labels: tf.Tensor
    lowest: tf.Tensor
    highest: tf.Tensor
    change: tf.Tensor


class State(typing.NamedTuple):
    """Where the search stands: the best point, the label's lead there, whether it is fooled."""

    point: tf.Tensor
    lead: tf.Tensor
    fooled: tf.Tensor


class Search:
    """The compiled functions for one classifier.

    Args:
        logits: function from images to (batch, classes).
        image_shape: (height, width, channels).
    """

    def __init__(self, logits, image_shape):
        self._logits = logits
        pixels = tf.TensorSpec((None, *image_shape), tf.float32)
        whole, numbers = tf.TensorSpec((None,), tf.int32), tf.TensorSpec((None,), tf.float32)
        problem = Problem(whole, pixels, pixels, numbers)
        state = State(pixels, numbers, tf.TensorSpec((None,), tf.bool))
        squares = [tf.TensorSpec((None, None), tf.int32)] * 2
        signs = tf.TensorSpec((None, None, image_shape[2]), tf.float32)
        self.begin = tf.function(self._begin, [problem, pixels], autograph=False)
        arguments = [problem, state, whole, *squares, signs]
        self.search = tf.function(self._search, arguments, autograph=False)

    def _begin(self, problem, points):
        """The `State` at the points: one forward pass."""
        lead, fooled = self._look(problem, points)
        return State(points, lead, fooled)

    def _search(self, problem, state, sides, tops, lefts, signs):
        """Tries one square after the other, or fewer if all images are fooled before.

        Returns:
            `(squares tried, state)`: one forward pass each.
        """

        def unfinished(index, state):
            return (index < tf.size(sides)) & ~tf.reduce_all(state.fooled)

        def body(index, state):
            square = tops[index], lefts[index], sides[index], signs[index]
            return index + 1, self._try(problem, state, *square)

        return tf.while_loop(unfinished, body, (tf.constant(0), state))

    def _try(self, problem, state, top, left, side, signs):
        _, height, width, _ = state.point.shape
        inside = _within(top, side, height)[:, :, None] & _within(left, side, width)[:, None, :]
        change = tf.cast(inside, tf.float32)[..., None] * signs[:, None, None, :]
        points = state.point + change * problem.change[:, None, None, None]
        points = tf.clip_by_value(points, problem.lowest, problem.highest)
        lead, fooled = self._look(problem, points)
        better = (fooled | (lead < state.lead)) & ~state.fooled
        return State(
            point=tf.where(better[:, None, None, None], points, state.point),
            lead=tf.where(better, lead, state.lead),
            fooled=state.fooled | fooled,
        )

    def _look(self, problem, points):
        values = self._logits(points)
        right = tf.argmax(values, axis=-1, output_type=tf.int32) == problem.labels
        right &= tf.reduce_all(tf.math.is_finite(values), axis=-1)
        return -margin(problem.labels, values), ~right


def _search(classifier, image_shape):
    """The `Search` of a classifier, always the same object, so nothing is traced twice."""
    known = _searches.setdefault(classifier, {})
    if image_shape not in known:
        known[image_shape] = Search(classifier.logits, image_shape)
    return known[image_shape]


def _within(first, side, length):
    """Which of `length` places lie in the stretch of each image, bool (batch, length)."""
    places = tf.range(length)[None]
    return (places >= first[:, None]) & (places < first[:, None] + side)


def _squares(generators, sides, shape):
    """Random squares: top and left (queries, batch), a sign a channel (queries, batch, channels).

    One row of numbers a query, so the first queries are the same however many follow.
    """
    numbers = [generator.random((len(sides), 2 + shape[3])) for generator in generators]
    numbers = np.stack(numbers, axis=1)
    room = np.array(shape[1:3]) - sides[:, None] + 1
    corners = np.floor(numbers[..., :2] * room[:, None]).astype(np.int32)
    return corners[..., 0], corners[..., 1], _signs(numbers[..., 2:])


def _signs(numbers):
    return np.where(numbers < 0.5, -1.0, 1.0).astype(np.float32)


def _looks(queries):
    """The numbers of queries after which fooled images are taken out, the last being all."""
    regular = range(2 * _LOOKS[-1], queries, _LOOKS[-1])
    return [look for look in (*_LOOKS, *regular) if look < queries] + [queries]
