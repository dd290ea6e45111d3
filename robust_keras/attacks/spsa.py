"""SPSA: Adam on slopes that are estimated from logits, for models without useful gradients."""

import dataclasses
import typing

import numpy as np

from robust_keras.attacks.attack import QuerySearch, require, require_number, require_whole
from robust_keras.attacks.loops.estimation import climb
from robust_keras.attacks.loops.proposal import Proposal
from robust_keras.attacks.loops.task import Task


@dataclasses.dataclass(frozen=True, kw_only=True)
class SPSA(QuerySearch):
    """Simultaneous perturbation stochastic approximation: up the margin, without its gradient.

    Formula: the slope of the margin is estimated as in `estimation.SlopeEstimator` from `samples`
    forward passes, u_i being random signs and `width` their length; Adam (0.9, 0.999) moves the
    image up, and the result is projected. In l2 the second moment is the mean over the image, so
    that the direction of the first one is kept; Adam's own would turn it towards a corner.

    Args:
        queries: forward passes an image, at most; a step takes `samples` + 1 of them, and one is
            for the random start.
        samples: forward passes for one estimate, an even number >= 2.
        width: length of the probing steps in pixel units, in (0, 1].
        learning_rate: of Adam, in pixel units, in (0, 1].

    Raises:
        ValueError: a setting is out of range, or the queries do not suffice for one step.

    Reference: Uesato et al., "Adversarial Risk and the Dangers of Evaluating Against Weak Attacks",
    2018, arXiv 1802.05666.

    Example:
        >>> SPSA(queries=2000).settings()
        {'queries': 2000, 'samples': 128, 'width': 0.01, 'learning_rate': 0.01}
    """

    name: typing.ClassVar[str] = "spsa"
    kind: typing.ClassVar[str] = "score"
    any_batch: typing.ClassVar[bool] = True
    stops_early: typing.ClassVar[bool] = True

    queries: int = 13_000
    samples: int = 128
    width: float = 0.01
    learning_rate: float = 0.01

    def __post_init__(self):
        require_whole("samples", self.samples, minimum=2)
        require(self.samples % 2 == 0, "samples", "an even number", self.samples)
        require_whole("queries", self.queries, minimum=self.samples + 2)
        require_number("width", self.width, maximum=1.0, above=True)
        require_number("learning_rate", self.learning_rate, maximum=1.0, above=True)

    def attack(self, task: Task) -> Proposal:
        """Moves the images up the margin; see `Attack.propose`."""
        steps = (self.queries - 1) // (self.samples + 1)
        return climb(
            task,
            plan=[(self.samples // 2, self.width)] * steps,
            kind="signs",
            move=_Adam(task.images.shape, self.learning_rate, task.norm),
        )


class _Adam:
    """Adam's moments of all images; all that are still attacked have made as many steps."""

    def __init__(self, shape, learning_rate, norm):
        self._first = np.zeros(shape, np.float64)
        self._second = np.zeros(shape, np.float64)
        self._learning_rate = learning_rate
        self._norm = norm
        self._steps = 0

    def __call__(self, rows, slopes):
        """The changes of these rows."""
        self._steps += 1
        slopes = slopes.astype(np.float64)
        squares = np.square(slopes)
        if self._norm == "l2":
            squares = np.broadcast_to(squares.mean((1, 2, 3), keepdims=True), squares.shape)
        self._first[rows] += 0.1 * (slopes - self._first[rows])
        self._second[rows] += 0.001 * (squares - self._second[rows])
        mean = self._first[rows] / (1.0 - 0.9**self._steps)
        size = np.sqrt(self._second[rows] / (1.0 - 0.999**self._steps))
        # No constant in the divisor: it would matter to small logits and not to large ones.
        return self._learning_rate * np.divide(mean, size, np.zeros_like(mean), where=size > 0.0)
