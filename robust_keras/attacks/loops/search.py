"""Ascent of a batch that shrinks to the images that are not fooled yet."""

import dataclasses
import itertools
from typing import Any

import numpy as np
import tensorflow as tf

from robust_keras import compiled
from robust_keras.attacks.loops.ascent import Ascent, Problem, checkpoint
from robust_keras.attacks.loops.batches import ShrinkingBatch, padded_places
from robust_keras.attacks.loops.proposal import Proposal
from robust_keras.attacks.loops.task import Task

# After so many steps at most, images that are fooled leave the batch.
_BETWEEN_LOOKS = 4


@dataclasses.dataclass(frozen=True, kw_only=True)
class Plan:
    """How long the steps are.

    Args:
        first_step: length of the first, in units of epsilon.
        weight: of every step after the first; the rest repeats the one before it.
        checkpoints: steps after which a step size may be halved, see `ascent.checkpoint`.
        rho: see there.
        last_step: what the step size falls to by half a cosine wave, in units of epsilon, or None.
        aimed: first steps, which go towards the target, of a loss that does without one after
            them (-1); they are as long as the first.
    """

    first_step: float
    weight: float = 1.0
    checkpoints: tuple[int, ...] = ()
    rho: float = 1.0
    last_step: float | None = None
    aimed: int = 0

    def shares(self, steps: int) -> np.ndarray:
        """How long each of so many steps is, in units of the first, float32 (steps,)."""
        shares = np.ones(steps, np.float32)
        if self.last_step is not None:
            wave = np.arange(steps - self.aimed) / (steps - self.aimed)
            least = self.last_step / self.first_step
            shares[self.aimed :] = least + (1.0 - least) * (1.0 + np.cos(np.pi * wave)) / 2.0
        return shares


class Search:
    """One batch under attack; `run` may be called several times, for what is left of it.

    Args:
        attack: has `loss`, `steps`, `plan` (a `Plan`) and `start`.
        task: `Task`.
    """

    def __init__(self, attack: Any, task: Task):
        self._attack = attack
        self._task = task
        self._images = task.images
        self._limits = task.limits
        self._adversarial = self._images.copy()
        self._fooled = np.zeros(len(self._images), bool)
        self._passes = np.zeros(len(self._images), int)

    @property
    def adversarial(self) -> np.ndarray:
        """What fools the model, else what was tried last, float32, of the images' shape."""
        return self._adversarial

    @property
    def fooled(self) -> np.ndarray:
        """Which of them fool the model, bool (batch,)."""
        return self._fooled

    def proposal(self, forwards: int | np.ndarray, gradients: int = 0) -> Proposal:
        """What was found; the numbers are passes an image that were made besides the search's."""
        alone = np.full(len(self._images), forwards)
        return Proposal(self._adversarial, self._passes + gradients, alone)

    def run(
        self,
        targets: np.ndarray,
        *,
        attack: Any = None,
        among: np.ndarray | bool = True,
        starts: np.ndarray | None = None,
    ) -> np.ndarray:
        """Attacks the images that are not fooled yet.

        Args:
            targets: int array (batch,), or (tries, batch) for several tries at once.
            attack: whose `loss`, `plan`, `steps` and `start` are taken, None for the search's own.
            among: bool array like the targets, which images may be attacked, or True for all.
            starts: images (batch, height, width, channels) to begin from; None for what the attack
                draws.

        Returns:
            float array like the targets: the largest loss that it came to, -inf where it did not
            attack. An image that falls in one try is spared the rest of the others.
        """
        closest, size = np.full(targets.shape, -np.inf), len(self._images)
        given = targets.ravel(), attack or self._attack, starts, closest.reshape(-1)
        wanted = np.flatnonzero(np.broadcast_to(~self._fooled & among, targets.shape))
        for first in range(0, len(wanted), size):
            part = wanted[first : first + size]
            pending = part[~self._fooled[part % size]]
            if len(pending):
                self._climb(pending, *given)
        return closest

    def _climb(self, pending, targets, attack, starts, closest):
        """One batch of tries, by their places among all; writes the largest losses."""
        plan, graph, size = attack.plan(), self._graph(attack.loss), len(self._images)
        places = padded_places(pending, size)
        rows = places % size
        if starts is None:
            changes = self._starts(attack, pending % size, len(places))
        else:
            changes = (starts - self._images)[rows].astype(np.float32)
        problem = self._problem(rows, targets[places])
        state = graph.begin(problem, tf.constant(changes), plan.first_step)
        np.add.at(self._passes, pending % size, 1)
        marks = [0, *plan.checkpoints]
        windows = dict(zip(marks[1:], np.diff(marks), strict=True))
        shares = plan.shares(attack.steps)

        def climb(problem, state, first, last):
            if plan.aimed and first >= plan.aimed:
                problem = problem._replace(targets=tf.fill(tf.shape(problem.targets), -1))
            taken, state = graph.climb(problem, state, first, last, plan.weight, shares)
            if last in windows:
                state = checkpoint(state, float(windows[last]), plan.rho)
            return taken, state

        def note(here, taken, state):
            np.add.at(self._passes, rows[here], taken)
            self._note(rows[here], state)
            closest[places[here]] = state.best_loss.numpy()[: len(here)]
            return ~self._fooled[rows[here]]

        batch = ShrinkingBatch((problem, state), len(pending))
        edges = [0, plan.aimed] if plan.aimed else marks
        batch.run(itertools.pairwise(_looks(attack.steps, edges)), climb, note)

    def _note(self, rows, state):
        """Keeps the best points of the images, and the first that fooled the model."""
        new = ~self._fooled[rows]
        fooled = state.fooled.numpy()[: len(rows)]
        points = state.adversarial.numpy()[: len(rows)]
        # Of several tries of an image the one that fooled comes last, and stays.
        for chosen in (new & ~fooled, new & fooled):
            self._adversarial[rows[chosen]] = points[chosen]
        self._fooled[rows[fooled]] = True

    def _problem(self, rows, targets):
        lowest, highest = self._limits
        return Problem(
            images=tf.constant(self._images[rows]),
            labels=tf.constant(self._task.labels[rows], tf.int32),
            targets=tf.constant(targets, tf.int32),
            lowest=tf.constant(lowest[rows]),
            highest=tf.constant(highest[rows]),
            radius=tf.fill((len(rows),), tf.constant(self._task.epsilon, tf.float32)),
        )

    def _graph(self, loss):
        key = self._task.image_shape, loss, self._task.norm
        return compiled.graph(self._task.classifier, Ascent, *key)

    def _starts(self, attack, pending, rows):
        """Random changes, one an image, float32 (rows, ...)."""
        task = self._task
        ball = task.image_shape, task.epsilon, task.norm
        changes = [attack.start(task.generators[i], *ball) for i in pending]
        changes += changes[:1] * (rows - len(pending))
        return np.stack(changes).astype(np.float32)


def _looks(steps, marks):
    """The checkpoints and enough steps between them that none are too far apart."""
    edges = [*marks, steps] if marks[-1] < steps else marks
    looks = [0]
    for first, last in itertools.pairwise(edges):
        looks += [*range(first + _BETWEEN_LOOKS, last, _BETWEEN_LOOKS), last]
    return looks
