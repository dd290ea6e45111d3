"""HopSkipJump: along the decision boundary with nothing but predicted classes."""

import dataclasses
import math
import typing

import numpy as np

from robust_keras.attacks.attack import QuerySearch, require_whole
from robust_keras.attacks.loops import random_directions
from robust_keras.attacks.loops.estimation import right_answers
from robust_keras.attacks.loops.label_directions import towards_errors
from robust_keras.attacks.loops.proposal import Proposal
from robust_keras.attacks.loops.starts import starting_points
from robust_keras.attacks.loops.task import Task

# Halvings of a step before it is given up.
_HALVINGS = 20
# Float32 cannot tell points apart that are much nearer, so shorter probes would measure rounding.
_SHORTEST_PROBE = 1e-4


@dataclasses.dataclass(frozen=True, kw_only=True)
class HopSkipJump(QuerySearch):
    """Boundary attack by estimated normals: works on a model that tells its predicted class only.

    It begins at a random image that is misclassified, goes back towards the image to the boundary
    by bisection, estimates the boundary's normal there, steps along it, and so on. It makes the
    change small instead of raising a loss, and is done with an image once the change is within
    epsilon.

    Formula: with x_t on the boundary at distance D_t, in the norm of the threat model, and g_t the
    estimate of `label_directions` from `directions sqrt(t)` answers, the step is `D_t / sqrt(t)`
    along g_t (its sign in linf), halved until the result is misclassified. Bisection stops at a
    share of d^-1.5 (l2) or d^-2 (linf) of the distance, d the number of pixels and channels.

    Args:
        queries: predicted classes an image may cost, at most.
        directions: those of the first estimate, >= 2.
        starts: random images tried to begin with, >= 1; an image for which none is misclassified is
            left as it is.

    Raises:
        ValueError: a setting is out of range.

    Reference: Chen et al., "HopSkipJumpAttack: A Query-Efficient Decision-Based Attack", 2019,
    arXiv 1904.02144.

    Example:
        >>> HopSkipJump(queries=1000).settings()
        {'queries': 1000, 'directions': 100, 'starts': 50}
    """

    name: typing.ClassVar[str] = "hopskipjump"
    kind: typing.ClassVar[str] = "decision"
    any_batch: typing.ClassVar[bool] = True
    stops_early: typing.ClassVar[bool] = True

    queries: int = 5000
    directions: int = 100
    starts: int = 50

    def __post_init__(self):
        require_whole("queries", self.queries)
        require_whole("directions", self.directions, minimum=2)
        require_whole("starts", self.starts)

    def attack(self, task: Task) -> Proposal:
        """Moves the images to the nearest boundary found; see `Attack.propose`."""
        search = _Search(self, task)
        search.begin()
        step = 1
        while search.hop(step):
            step += 1
        return search.proposal()


class _Search:
    """One batch under attack: where every image stands on the boundary, and the nearest so far."""

    def __init__(self, attack, task):
        self._attack = attack
        self._classifier = task.classifier
        self._images, self._labels = task.images, task.labels
        self._threat_model = task.threat_model
        self._epsilon = task.epsilon
        self._generators = task.generators
        self._seeds = random_directions.seeds_of(task.generators)
        self._points = self._images.copy()
        self._nearest = self._images.copy()
        self._distances = np.full(len(self._images), np.inf)
        self._passes = np.zeros(len(self._images), int)
        self._size = math.prod(task.image_shape)
        power = 2.0 if task.norm == "linf" else 1.5
        self._bisections = max(1, math.ceil(power * math.log2(self._size)))

    def proposal(self):
        """The nearest misclassified points."""
        return Proposal(self._nearest, np.zeros_like(self._passes), self._passes)

    def begin(self):
        """Finds a misclassified image to start from for every image, and takes it nearer."""
        waiting = np.arange(len(self._images))
        for attempt in range(min(self._attack.starts, self._attack.queries)):
            random = [self._generators[row] for row in waiting]
            bounds = self._threat_model.bounds
            points = starting_points(self._images[waiting], attempt, random, bounds)
            fooled = self._fooled(waiting, points)
            self._arrive(waiting[fooled], points[fooled])
            waiting = waiting[~fooled]
            if not len(waiting):
                break
        self._bisect(self._affordable(self._bisections))

    def hop(self, step):
        """One estimate, one step, one bisection; whether any image could afford it."""
        count = math.floor(self._attack.directions * math.sqrt(step))
        rows = self._affordable(count + _HALVINGS + self._bisections)
        if not len(rows):
            return False
        points = self._points[rows]
        distances = self._threat_model.distances(self._images[rows], points)
        directions = towards_errors(
            self._classifier,
            self._threat_model.norm,
            points,
            self._labels[rows],
            self._seeds[rows],
            self._probes(distances, step),
            step=step,
            count=count,
            bounds=self._threat_model.bounds,
        )
        self._passes[rows] += count
        self._bisect(self._step(rows, directions, distances / math.sqrt(step)))
        return True

    def _affordable(self, queries):
        """The images with a start that are not near enough yet and have so many queries left."""
        open_ = np.isfinite(self._distances) & (self._distances > self._epsilon)
        return np.flatnonzero(open_ & (self._passes + queries <= self._attack.queries))

    def _probes(self, distances, step):
        """Length of the steps that ask for the normal: a tenth of the range, later D_t / d."""
        width = self._threat_model.width
        lengths = np.full(len(distances), 0.1 * width) if step == 1 else distances / self._size
        return np.maximum(lengths, _SHORTEST_PROBE * width * math.sqrt(self._size))

    def _step(self, rows, directions, lengths):
        """Goes along the directions, half as far until that is misclassified; returns who went."""
        starts, waiting = self._points[rows], np.arange(len(rows))
        for halving in range(_HALVINGS):
            change = (lengths[waiting] / 2.0**halving)[:, None, None, None] * directions[waiting]
            points = np.clip(starts[waiting] + change, *self._threat_model.bounds)
            points = points.astype(np.float32)
            fooled = self._fooled(rows[waiting], points)
            self._arrive(rows[waiting[fooled]], points[fooled])
            waiting = waiting[~fooled]
            if not len(waiting):
                break
        return np.delete(rows, waiting)

    def _bisect(self, rows):
        """Takes misclassified points towards their images until just before the boundary."""
        if not len(rows):
            return
        images, far = self._images[rows], self._points[rows]
        distances = self._threat_model.distances(images, far)
        low, high = np.zeros(len(rows)), np.ones(len(rows))
        for _ in range(self._bisections):
            middle = (low + high) / 2.0
            points = self._between(images, far, middle, distances)
            fooled = self._fooled(rows, points)
            low, high = np.where(fooled, low, middle), np.where(fooled, middle, high)
            self._arrive(rows[fooled], points[fooled])

    def _between(self, images, far, shares, distances):
        """Points at these shares of the way, measured in the norm of the threat model."""
        shares = shares[:, None, None, None]
        if self._threat_model.norm == "l2":
            points = (1.0 - shares) * images + shares * far
        else:
            reach = shares * distances[:, None, None, None]
            points = np.clip(far, images - reach, images + reach)
        return points.astype(np.float32)

    def _fooled(self, rows, points):
        """Which points are misclassified: one query each."""
        self._passes[rows] += 1
        labels = self._labels[rows]
        return ~right_answers(self._classifier, points, labels, len(self._images))

    def _arrive(self, rows, points):
        """Goes to misclassified points, and remembers those that are nearer than all before."""
        if not len(rows):
            return
        self._points[rows] = points
        distances = self._threat_model.distances(self._images[rows], points)
        nearer = distances < self._distances[rows]
        self._nearest[rows[nearer]] = points[nearer]
        self._distances[rows[nearer]] = distances[nearer]
