"""How long an evaluation will go on: what is left to do, at the pace of what is done."""

import dataclasses
import math
import time
from collections.abc import Callable, Sequence
from typing import Any

from robust_keras.attacks.loops.batches import batch_shape
from robust_keras.time_spent import Assumed, Part, Spent

# Attacks of fewer passes an image, such as noise, leave nearly everything.
_WEAK_PASSES = 25
# Estimates further apart than this tell nothing: in their middle either may be wrong by a factor 2.
_APART = 4.0
# A fast machine and a standard model, a slow one and a robust model: the truth is between them.
_BOLD = Assumed(0.15, 0.5, 0.97, 0.3, 2e-4, 32, 0.3, 0.7, 0.25, 0.7)
_CAUTIOUS = Assumed(2.0, 1.2, 0.3, 0.02, 2e-3, 0, 0.9, 1.0, 1.0, 1.5)


class TimeLeft:
    """An estimate that follows an evaluation through its models and their parts.

    What an attack costs an image is measured, and before it begins taken from the passes that it
    may make at most and the fastest pace so far. How many images it will meet at an epsilon is
    taken from what attacks left at the epsilon before, and guessed where none got so far. A model
    to come counts like those before it.

    Args:
        models: number of models.
        images: number of images.
        now: clock in seconds.
        after: `Part`s that follow the last model.
        survivors_only: whether attacks meet only what those before them left.
        batch_size: images a pass.

    Attributes:
        models: as given.
    """

    def __init__(
        self,
        models: int,
        images: int,
        now: Callable[[], float] = time.monotonic,
        *,
        after: Sequence[Part] = (),
        survivors_only: bool = False,
        batch_size: int = 250,
    ):
        self.models = models
        self._images = images
        self._now = now
        self._after = list(after)
        self._survivors_only = survivors_only
        self._batch_size = batch_size
        self._durations: list[float] = []
        self._others: dict[str, float] = {}
        self._spent: dict[str, Spent] = {}
        self._left: dict[tuple[str, float | None], float] = {}
        self._earlier = self._left
        self.begin(())

    def begin(self, parts: Sequence[Part]) -> None:
        """Tells what the next model will go through.

        Args:
            parts: `Part`s in their order.
        """
        self._parts = list(parts)
        self._epsilons = list(dict.fromkeys(p.epsilon for p in self._parts if p.epsilon))
        self._began = self._last = self._now()
        self._place, self._done, self._rest = -1, 0, 0
        self._share_done: float | None = None
        self._met: set[Any] = set()
        self._earlier, self._left = self._left or self._earlier, {}

    def end(self) -> None:
        """Tells that a model is done with."""
        self._durations.append(self._now() - self._began)
        self.begin(self._after if len(self._durations) == self.models else ())

    def start(self, title: str) -> None:
        """Tells that a part which is no attack begins."""
        self._enter(self._find(title, None))
        self._share_done, self._last = 0.0, self._now()

    def share(self, done: float, total: float) -> None:
        """Tells how much of such a part is done."""
        self._share_done = done / total if total else 0.0

    def finish(self) -> None:
        """Tells that such a part is done with."""
        if 0 <= self._place:
            self._others[self._parts[self._place].title] = self._now() - self._last
        self._share_done, self._last = None, self._now()

    def note(
        self, title: str, epsilon: float | None, done: int, total: int, robust_accuracy: float
    ) -> None:
        """Takes in what progress says after a batch of an attack; see `engine.Settings`."""
        place = self._find(title, epsilon)
        if place is None:
            return
        if place != self._place:
            self._enter(place)
        part, now = self._parts[place], self._now()
        spent = self._spent.setdefault(title, Spent(part.passes, part.built))
        seconds, images = now - self._last, max(done - self._done, 0)
        shape = title, batch_shape(max(images, 1), min(self._batch_size, self._images))
        if shape in self._met:
            spent.seconds, spent.images = spent.seconds + seconds, spent.images + images
            spent.batches += 1
        else:
            spent.new.append((seconds, images))
        self._met |= {title, shape}
        self._last, self._done, self._rest = now, done, total - done
        self._left[part.attack, epsilon] = robust_accuracy

    def _enter(self, place):
        if place is not None:
            self._place, self._done, self._rest = place, 0, 0

    def _find(self, title, epsilon):
        """The place of a part, searched from the present one on: parts follow each other."""
        first = max(self._place, 0)
        for place in [*range(first, len(self._parts)), *range(first)]:
            if (self._parts[place].title, self._parts[place].epsilon) == (title, epsilon):
                return place
        return None

    def seconds(self) -> float | None:
        """The estimate, or None while too little is measured for one."""
        if not self._spent and not self._others:
            return None
        least, most = sorted(self._seconds(assumed) for assumed in (_BOLD, _CAUTIOUS))
        return math.sqrt(least * most) if most <= _APART * least else None

    def _seconds(self, assumed):
        assumed = dataclasses.replace(assumed, pace=self._pace(assumed))
        rest = self._rest_of_model(assumed)
        if len(self._durations) == self.models:
            return rest
        models = list(self._durations)
        if self._parts:
            models.append(self._now() - self._began + rest)
        mean = sum(models) / max(len(models), 1)
        rest += (self.models - len(models)) * mean * assumed.model
        after = [self._expected(place, assumed, self._after) for place in range(len(self._after))]
        return rest + sum(after)

    def _pace(self, assumed):
        """Seconds a pass, as the attack tells that took the longest."""
        longest = max(
            self._spent.values(),
            key=lambda spent: (spent.seconds, spent.passes),
            default=None,
        )
        return longest.pace(assumed) if longest and longest.passes else 0.0

    def _rest_of_model(self, assumed):
        """Seconds of the part at work and of those to come."""
        since = self._now() - self._last
        places = range(max(self._place, 0), len(self._parts))
        rests = [self._expected(place, assumed) for place in places]
        if self._share_done:
            rests[0] = since * (1.0 - self._share_done) / self._share_done
        elif self._share_done is not None:
            rests[0] = max(rests[0] - since, since / 4)
        elif self._place >= 0:
            part = self._parts[self._place]
            rests[0] = self._rest * self._price(part, assumed) if part.attack else 0.0
            # The next part may be at work without having told anything.
            at_work = 0 if self._rest or len(rests) == 1 else 1
            rests[at_work] = max(rests[at_work] - since, min(since / 4, rests[at_work]))
        return sum(rests)

    def _price(self, part, assumed):
        """Seconds an image of an attack."""
        known = self._spent.get(part.title)
        price = known and known.per_image()
        return part.passes * assumed.pace if price is None else price

    def _expected(self, place, assumed, parts=None):
        """Seconds of a part to come."""
        parts = self._parts if parts is None else parts
        part = parts[place]
        if part.attack is None:
            known = self._others.get(part.title)
            if known is not None:
                return known
            passes = part.passes * part.images * assumed.pace
            passes = max(passes, part.steps * assumed.step)
            declared = part.seconds * assumed.declared
            return declared + part.built * self._building(assumed) + passes
        images = self._images * self._share(part, assumed)
        earlier = {other.title for other in parts[max(self._place, 0) : place]}
        building = part.built * self._building(assumed)
        building *= 0.5 if part.title in self._met | earlier else 1.0
        steps = math.ceil(images / self._batch_size) * part.passes * assumed.step
        # Where few images are expected, there may be none.
        some = min(images / 3, 1.0)
        return some * (building + max(images * self._price(part, assumed), steps))

    def _building(self, assumed):
        """Seconds that the first batch of an attack takes besides its passes."""
        seconds = [
            max(batch - images * self._pass(spent, assumed), 0.0)
            for spent in self._spent.values()
            for batch, images in spent.new
            if spent.built
        ]
        if not seconds:
            return assumed.building
        return sum(seconds) / len(seconds) * assumed.slower

    def _pass(self, spent, assumed):
        price = spent.per_image()
        return spent.passes * assumed.pace if price is None else price

    def _share(self, part, assumed):
        """The share of the images that an attack will be made on."""
        if (part.attack, part.epsilon) in self._left:
            return self._left[part.attack, part.epsilon]
        first = next(p.title for p in self._parts if p.attack == part.attack)
        share = self._left_before(part, assumed)
        share *= 1.0 if part.title == first else assumed.left
        if self._survivors_only:
            same = [left for (_, other), left in self._left.items() if other == part.epsilon]
            between = {p.attack for p in self._parts[max(self._place, 0) :] if p.attack}
            between -= {name for name, _ in self._left} | {part.attack}
            share = min([share, *same]) * (assumed.left if between else 1.0)
        return share

    def _left_before(self, part, assumed):
        """What is left of the images at the epsilon before an attack's."""
        if part.epsilon is None or self._epsilons.index(part.epsilon) == 0:
            return 1.0
        before = self._epsilons[self._epsilons.index(part.epsilon) - 1]
        for known in (self._left, self._earlier):
            if (part.attack, before) in known:
                return known[part.attack, before]
        weak = part.passes < _WEAK_PASSES
        kin = {p.attack for p in self._parts if p.attack and (p.passes < _WEAK_PASSES) == weak}
        others = [left for (name, e), left in self._left.items() if e == before and name in kin]
        if others:
            return others[-1] * assumed.alike
        share = self._left_before(dataclasses.replace(part, epsilon=before), assumed)
        return share if weak else share * assumed.left
