"""FAB: the nearest misclassified point, found step by step along the decision boundary."""

import dataclasses
import typing

import numpy as np
import tensorflow as tf

from robust_keras import compiled
from robust_keras.attacks.attack import Attack, require_whole
from robust_keras.attacks.loops.batches import ShrinkingBatch, padded_places, spans
from robust_keras.attacks.loops.boundary import BoundarySearch, Problem, State
from robust_keras.attacks.loops.proposal import Proposal
from robust_keras.attacks.loops.random_changes import on_sphere
from robust_keras.attacks.loops.targets import likeliest_others
from robust_keras.attacks.loops.task import Task
from robust_keras.strength import SCALE_FREE, of_steps

# After so many steps, images that are done with leave the batch.
_BETWEEN_LOOKS = 5


@dataclasses.dataclass(frozen=True, kw_only=True)
class FABTargeted(Attack):
    """Fast adaptive boundary attack, towards one class after the other.

    It minimises the size of the change instead of raising a loss within the ball: what it finds
    beyond epsilon does not count, save that its projection may still fool the model. The targets
    are the classes with the largest logits of the clean image, beginning with the second.

    Formula: with d and e the shortest ways (`hyperplanes.shortest_changes`) from the point x_k and
    from the image x to where the linearised logits of label and target are equal,
    `x_(k+1) = clip((1 - a) (x_k + 1.05 d) + a (x + 1.05 e))`, `a = min(|d| / (|d| + |e|), 0.1)`;
    where that is misclassified, x_(k+1) is taken back to `x + 0.9 (x_(k+1) - x)`. Further restarts
    begin at a random change of half the smaller of epsilon and the smallest size found.

    Args:
        steps: number of steps a target and restart, >= 1.
        restarts: starts a target, >= 1; the first is the image itself.
        targets: number of targets, >= 1; a model with fewer other classes gets them all.

    Raises:
        ValueError: a setting is out of range.

    Reference: Croce and Hein, "Minimally Distorted Adversarial Examples with a Fast Adaptive
    Boundary Attack", 2020, arXiv 1907.02044; targeted as in arXiv 2003.01690.

    Example:
        >>> FABTargeted(targets=3).settings()
        {'steps': 100, 'restarts': 1, 'targets': 3}
    """

    name: typing.ClassVar[str] = "fab_targeted"
    kind: typing.ClassVar[str] = "iterative"
    any_batch: typing.ClassVar[bool] = True
    stops_early: typing.ClassVar[bool] = True

    steps: int = 100
    restarts: int = 1
    targets: int = 9

    def __post_init__(self):
        require_whole("steps", self.steps)
        require_whole("restarts", self.restarts)
        require_whole("targets", self.targets)

    @property
    def any_epsilon(self) -> bool:  # type: ignore[override]
        """With one start: further ones begin at a distance that depends on epsilon."""
        return self.restarts == 1

    @property
    def strength(self) -> str:
        """Of enough steps."""
        return of_steps(self.steps, strong=SCALE_FREE)

    @property
    def gradient_evaluations(self) -> int:
        """One a step, for every restart of every target."""
        return self.targets * self.restarts * self.steps

    @property
    def forward_evaluations(self) -> int:
        """One a step, that of the candidate, and one that chooses the targets."""
        return self.gradient_evaluations + 2

    def attack(self, task: Task) -> Proposal:
        """Moves the images to the boundary; see `Attack.propose`."""
        search = _Search(task)
        for targets in likeliest_others(task, self.targets):
            for restart in range(self.restarts):
                search.run(targets, self.steps, at_random=restart > 0)
        return search.proposal()


class _Search:
    """One batch under attack; `run` is called for what is left of it."""

    def __init__(self, task):
        self._images, self._labels = task.images, task.labels
        self._threat_model = task.threat_model
        self._epsilon = np.float32(task.epsilon)
        self._generators = task.generators
        self._graph = compiled.graph(task.classifier, BoundarySearch, task.image_shape, task.norm)
        self._nearest = self._images.copy()
        self._distances = np.full(len(self._images), np.inf, np.float32)
        self._passes = np.zeros(len(self._images), int)

    def proposal(self):
        """The nearest misclassified points; one forward pass an image chose the targets."""
        return Proposal(self._nearest, self._passes, self._passes + 1)

    def run(self, targets, steps, at_random):
        """Searches towards the targets, int array (batch,), wherever nothing is near enough yet."""
        pending = np.flatnonzero(self._distances > self._epsilon)
        if not len(pending):
            return
        places = padded_places(pending, len(self._images))
        bounds = tf.constant(self._threat_model.bounds, tf.float32)

        def move(problem, state, first, count):
            return self._graph.search(problem, state, bounds, count)

        def note(rows, taken, state):
            self._passes[places[rows]] += taken
            self._note(places[rows], state)
            return state.distance.numpy() > self._epsilon

        batch = ShrinkingBatch(self._begin(places, targets, at_random), len(pending))
        batch.run(spans(steps, _BETWEEN_LOOKS), move, note)

    def _begin(self, places, targets, at_random):
        images = self._images[places]
        starts = self._starts(places) if at_random else images
        problem = Problem(
            images=tf.constant(images),
            labels=tf.constant(self._labels[places], tf.int32),
            targets=tf.constant(targets[places], tf.int32),
            radius=tf.fill((len(places),), self._epsilon),
        )
        nearest, distances = self._nearest[places], self._distances[places]
        return problem, State(*map(tf.constant, (starts, nearest, distances)))

    def _note(self, rows, state):
        count = len(rows)
        self._nearest[rows] = state.nearest.numpy()[:count]
        self._distances[rows] = state.distance.numpy()[:count]

    def _starts(self, places):
        """Random points around the images, each drawn from its own generator once."""
        shape, norm = self._images.shape[1:], self._threat_model.norm
        starts = {}
        for place in dict.fromkeys(places.tolist()):
            radius = min(self._epsilon, self._distances[place]) / 2.0
            change = on_sphere(self._generators[place], shape, radius, norm)
            starts[place] = self._images[place] + change
        starts = np.stack([starts[place] for place in places.tolist()])
        return np.clip(starts, *self._threat_model.bounds).astype(np.float32)
