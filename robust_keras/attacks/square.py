"""Square: random search over squares of pixels, which needs nothing but the logits."""

import dataclasses
import itertools
import typing

import numpy as np

from robust_keras import compiled
from robust_keras.attacks.attack import QuerySearch, require_number, require_whole
from robust_keras.attacks.loops.batches import ShrinkingBatch
from robust_keras.attacks.loops.proposal import Proposal
from robust_keras.attacks.loops.square_l2 import L2Squares
from robust_keras.attacks.loops.square_linf import LinfSquares
from robust_keras.attacks.loops.targets import leads
from robust_keras.attacks.loops.task import Task

# After these queries, and every so many from the last on, fooled images leave the batch.
_LOOKS = (5, 15, 35, 75, 150)
# From here on `near` asks for more and more.
_GATE = 1000
_FORMS = {"linf": LinfSquares, "l2": L2Squares}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Square(QuerySearch):
    """Random search: a square of pixels is changed wherever that helps.

    In linf it starts with vertical stripes of +epsilon and -epsilon; each query adds 2 epsilon with
    a random sign a channel to one square and projects. In l2 it starts with a grid of small hills,
    and each query moves part of the change from one square to another (`square_l2.L2Squares`). A
    query is kept if the label's lead over the other classes falls. Works on models without
    gradients, and where they are masked.

    Args:
        queries: forward passes an image, >= 1.
        share: share of the pixels in the first squares, in (0, 1].
        near: after 1,000 queries an image is given up unless its label's lead has fallen to this
            share of its lead on the clean image, in (0, 1]; after 2,000 to half of it, after 4,000
            to a quarter, and so on. None gives up none.

    Raises:
        ValueError: a setting is out of range.

    Reference: Andriushchenko et al., "Square Attack: a Query-efficient Black-box Adversarial Attack
    via Random Search", 2020, arXiv 1912.00049.

    Example:
        >>> Square(queries=1000).settings()
        {'queries': 1000, 'share': 0.8, 'near': None}
    """

    name: typing.ClassVar[str] = "square"
    kind: typing.ClassVar[str] = "score"
    any_batch: typing.ClassVar[bool] = True
    stops_early: typing.ClassVar[bool] = True

    queries: int = 5000
    share: float = 0.8
    near: float | None = None

    def __post_init__(self):
        require_whole("queries", self.queries)
        require_number("share", self.share, maximum=1.0, above=True)
        if self.near is not None:
            require_number("near", self.near, maximum=1.0, above=True)

    def attack(self, task: Task) -> Proposal:
        """Searches around the images; see `Attack.propose`."""
        return self.search_from(task)

    @staticmethod
    def first(task: Task) -> np.ndarray:
        """The images that the search begins with, float32 (batch, height, width, channels)."""
        return _graph(task).start(task)[1]

    def search_from(self, task: Task, points: np.ndarray | None = None) -> Proposal:
        """The `Proposal` of all queries, from given images within the ball on, or its own."""
        graph, generators = _graph(task), task.generators
        problem, first = graph.start(task)
        first = first if points is None else points
        batch = ShrinkingBatch((problem, graph.begin(problem, first)), len(first))
        points, passes = first.copy(), np.ones(len(first), int)
        enough, going = self._near_enough(task), np.ones(len(first), bool)
        squares = self.queries - 1 - int(self._gives_up)
        sides = graph.sides(squares, self.share, *first.shape[1:3])

        def move(problem, state, begin, end):
            drawn = [generators[row] for row in batch.places[: batch.real]]
            shared, own = graph.moves(drawn, sides[begin:end], first.shape[1:])
            missing = [(0, 0), (0, len(batch.places) - batch.real), (0, 0)]
            own = [np.pad(values, missing[: values.ndim], mode="edge") for values in own]
            return graph.search(problem, state, *shared, *own)

        def note(rows, taken, state):
            point, lead, fooled = (values.numpy()[: len(rows)] for values in state)
            passes[rows] += taken
            # What was given up stays in the batch until that shrinks, and must not profit from it.
            points[rows[going[rows]]] = point[going[rows]]
            going[rows] &= ~fooled & (lead <= enough(rows, passes[rows]))
            return going[rows]

        if batch.keep(~batch.tensors[1].fooled.numpy()):
            batch.run(itertools.pairwise([0, *_looks(squares)]), move, note)
        return Proposal(points, np.zeros_like(passes), passes + int(self._gives_up))

    @property
    def _gives_up(self):
        """Whether it ever gives up an image: the lead on the clean one takes one query then."""
        return self.near is not None and self.queries > _GATE

    def _near_enough(self, task):
        """Function from (rows, queries so far) to the leads with which images go on."""
        if not self._gives_up:
            return lambda rows, queries: np.inf
        clean = leads(task)

        def enough(rows, queries):
            halved = np.floor(np.log2(np.maximum(queries / _GATE, 1.0)))
            return np.where(queries < _GATE, np.inf, self.near / 2.0**halved * clean[rows])

        return enough


def _graph(task):
    return compiled.graph(task.classifier, _FORMS[task.norm], task.image_shape)


def _looks(queries):
    """The numbers of queries after which fooled images are taken out, the last being all."""
    regular = range(2 * _LOOKS[-1], queries, _LOOKS[-1])
    return [look for look in (*_LOOKS, *regular) if look < queries] + [queries]
