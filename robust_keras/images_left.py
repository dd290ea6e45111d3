"""How many images an attack meets and leaves: seen, or expected from the images' own radii."""

import bisect
from collections.abc import Sequence

from robust_keras.time_spent import Part

# Attacks of fewer passes an image, such as noise, leave nearly everything.
_WEAK_PASSES = 25
# Images hold out longer than the gradient at the start says, which shrinks on the way.
_LONGER = 1.5
# What an attack leaves of the images where nothing tells.
_UNKNOWN = 0.5


class ImagesLeft:
    """Shares of the images, for one model.

    An image falls where its radius, a number of the first look, is below epsilon times a factor
    that what attacks left so far tells.

    Args:
        parts: the model's `Part`s in their order.
        radii: of some images, rising, 0 for one that is misclassified; None where nothing tells.
        survivors_only: whether attacks meet only what those before them left.
    """

    def __init__(self, parts: Sequence[Part], radii: Sequence[float] | None, survivors_only: bool):
        self._parts = parts
        self._radii = radii
        self._survivors_only = survivors_only
        self._epsilons = sorted({part.epsilon for part in parts if part.epsilon})
        self._seen: dict[tuple[str | None, float | None], float] = {}
        self._factor = 1.0 / _LONGER

    def see(self, part: Part, share: float) -> None:
        """Takes in what an attack has left so far."""
        self._seen[part.attack, part.epsilon] = share
        if part.epsilon and self._radii and _is_strong(part):
            place = round((1.0 - share) * len(self._radii))
            radius = self._radii[min(place, len(self._radii) - 1)]
            self._factor = max(radius, 1e-9) / part.epsilon

    def met(self, place: int) -> float:
        """The share that the part at a place meets, before it has begun."""
        part = self._parts[place]
        first = next(p for p in self._parts if (p.attack, p.epsilon) == (part.attack, part.epsilon))
        share = self._before(part) if first is part else self.left(place)
        if self._survivors_only:
            others = [p for p in self._parts[:place] if p.epsilon == part.epsilon]
            share = min([share, *(self._share(p) for p in others)])
        return share

    def left(self, place: int) -> float:
        """The share that the part at a place leaves."""
        return self._share(self._parts[place])

    def _before(self, part):
        """What the attack leaves at the epsilon before."""
        if part.epsilon is None or part.epsilon == self._epsilons[0]:
            return self._expected(0.0)
        before = self._epsilons[self._epsilons.index(part.epsilon) - 1]
        same = (p for p in self._parts if (p.attack, p.epsilon) == (part.attack, before))
        return self._share(next(same, part))

    def _share(self, part):
        seen = self._seen.get((part.attack, part.epsilon))
        if seen is not None:
            return seen
        return self._expected(part.epsilon or self._epsilon_searched(), _is_strong(part))

    def _epsilon_searched(self):
        return self._epsilons[-1] if self._epsilons else 0.0

    def _expected(self, epsilon, strong=True):
        if self._radii is None:
            return _UNKNOWN if epsilon and strong else 1.0
        fallen = bisect.bisect_right(self._radii, epsilon * self._factor)
        share = 1.0 - fallen / len(self._radii)
        return share if strong else (share * self._expected(0.0)) ** 0.5


def _is_strong(part):
    return part.gradients + part.forwards >= _WEAK_PASSES
