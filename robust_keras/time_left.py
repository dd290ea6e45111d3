"""How long an evaluation will go on: what is left to do, at the pace of what is done."""

import dataclasses
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

from robust_keras.images_left import ImagesLeft
from robust_keras.time_spent import FirstLook, Pace, Part


@dataclasses.dataclass(frozen=True)
class Plan:
    """What one model goes through.

    Args:
        parts: `Part`s in their order.
        look: its `FirstLook`.
    """

    parts: Sequence[Part]
    look: FirstLook


class TimeLeft:
    """An estimate that follows an evaluation through its models and their parts.

    Before anything has run, each part should take its passes, at most as many as it declares, at
    the pace of the model's first ones, on as many images as are expected to be left: to first
    order each image says itself at which epsilon it falls. What parts really take and leave
    corrects all that is still to come.

    Args:
        plans: `Plan`s of the models, in their order; a model may have several, of which each is
            begun and ended.
        images: number of images.
        now: clock in seconds.
        models: how many models there are, or None for as many as plans.
        after: `Part`s that follow the last model.
        survivors_only: whether attacks meet only what those before them left.
        batch_size: images a pass.
        processes: how many share the models; the others are taken to work all the time.
        clock: seconds, which unlike `now` does not tell what other processes took.

    Attributes:
        models: number of models.
        now: the clock.
    """

    def __init__(
        self,
        plans: Sequence[Plan],
        images: int,
        now: Callable[[], float] = time.monotonic,
        *,
        models: int | None = None,
        after: Sequence[Part] = (),
        survivors_only: bool = False,
        batch_size: int = 250,
        processes: int = 1,
        clock: Callable[[], float] = time.monotonic,
    ):
        self.models = len(plans) if models is None else models
        self._images = images
        self.now = now
        self._batch_size = min(batch_size, images)
        slowest = max((plan.look for plan in plans), key=lambda look: look.forward[1], default=None)
        # One of no parts stands for the time before the first model.
        self._ahead = [*plans, Plan(after, slowest or FirstLook((0.0, 0.0)))]
        self._left = [ImagesLeft(p.parts, p.look.radii, survivors_only) for p in self._ahead]
        # Passes forward and back, and forward alone.
        self._kinds: dict[bool, Pace] = defaultdict(Pace)
        self._paces: dict[str, Pace] = defaultdict(Pace)
        self._others: dict[str, Pace] = defaultdict(Pace)
        self._building = Pace()
        self._processes, self._clock = processes, clock
        self._began = clock(), now()
        self._model, self._open = 0, set(range(len(self._ahead)))
        self.begin()

    def begin(self, plan: int | None = None) -> None:
        """Tells that a model begins: that of a plan, or of the first that was not done with."""
        self._model = min(self._open, default=0) if plan is None else plan
        self._place, self._done, self._rest = -1, 0, 0
        self._last, self._share_done = self.now(), None
        self._built: set[Any] = set()

    def end(self) -> None:
        """Tells that a model is done with."""
        self._open.discard(self._model)
        self.begin()

    @property
    def _parts(self):
        return self._ahead[self._model].parts

    def start(self, title: str) -> None:
        """Tells that a part which is no attack begins."""
        self._enter(self._find(title, None))
        self._share_done, self._last = 0.0, self.now()

    def share(self, done: float, total: float) -> None:
        """Tells how much of such a part is done."""
        self._share_done = done / total if total else 0.0

    def finish(self) -> None:
        """Tells that such a part is done with."""
        if self._place >= 0:
            part = self._parts[self._place]
            expected = self._seconds_of(self._model, self._place)
            self._others[part.title].see(expected, self.now() - self._last)
        self._share_done, self._last = None, self.now()
        self._rest = 0

    def note(
        self, title: str, epsilon: float | None, done: int, total: int, robust_accuracy: float
    ) -> None:
        """Takes in what progress says after a batch of an attack; see `engine.Settings`."""
        place = self._find(title, epsilon)
        if place is None:
            return
        if place != self._place:
            self._enter(place)
        now, part = self.now(), self._parts[place]
        # Those that have not been tried yet count as robust.
        tried = min(done * part.rounds, total)
        fallen = (total - robust_accuracy * self._images) / max(tried, 1)
        stay = min(max(1.0 - fallen, 0.0), 1.0)
        self._left[self._model].see(part, stay * total / self._images)
        if part.rounds > 1 and done < total:
            # All are in the first round, few in the last one: no share of the whole.
            self._rest = total
            return
        self._learn(part, now - self._last, done - self._done, stay)
        self._last, self._done, self._rest = now, done, total - done

    def _learn(self, part, seconds, images, stay):
        """Compares what a batch of an attack took with what it should have taken."""
        look = self._ahead[self._model].look
        passes = part.attacking(look, images, images * stay, self._batch_size)
        if part.title not in self._built:
            self._built.add(part.title)
            building = part.building(look) * self._building.ratio()
            share = building / max(building + passes * self._ratio(part), 1e-9)
            self._building.see(part.building(look), seconds * share)
            seconds *= 1.0 - share
        for pace in (self._paces[part.title], self._kind(part)):
            pace.see(passes, seconds)

    def _kind(self, part):
        return self._kinds[part.gradients > 0.0]

    def _ratio(self, part):
        return self._paces[part.title].ratio(self._kind(part).ratio())

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

    def seconds(self) -> float:
        """The estimate."""
        rest, others = self._rest_of_model(), 0.0
        for model in self._open - {self._model}:
            places = range(len(self._ahead[model].parts))
            others += sum(self._seconds_of(model, place) for place in places)
        if self._processes == 1:
            return rest + others
        shared = min(self._processes, max(len(self._open) - 1, 1))
        return max(rest, (rest + max(others - self._done_elsewhere(), 0.0)) / shared)

    def _done_elsewhere(self):
        """Seconds of work that other processes have done and not told yet, at most."""
        passed = self._clock() - self._began[0]
        told = self.now() - self._began[1] - passed
        return max((self._processes - 1) * passed - told, 0.0)

    def of_passes(self, passes: float) -> float:
        """Seconds that so many forward passes of one image take the model at work, about."""
        return passes * self._ahead[self._model].look.forward[1] * self._kinds[False].ratio()

    def _rest_of_model(self):
        """Seconds of the part at work and of those to come."""
        since = self.now() - self._last
        rests = [
            self._seconds_of(self._model, place)
            for place in range(max(self._place, 0), len(self._parts))
        ]
        if self._share_done:
            rests[0] = since * (1.0 - self._share_done) / self._share_done
        elif self._share_done is None and self._place >= 0:
            rests[0] *= self._rest / max(self._done + self._rest, 1)
            # The next part may be at work without having told anything.
        at_work = 1 if self._share_done is None and not self._rest and self._place >= 0 else 0
        if at_work < len(rests) and not self._share_done:
            rests[at_work] = max(rests[at_work] - since, min(since / 4, rests[at_work]))
        return sum(rests)

    def _seconds_of(self, model, place):
        """Seconds of a whole part."""
        plan, images_left = self._ahead[model], self._left[model]
        part, look = plan.parts[place], plan.look
        building = part.building(look) * self._building.ratio()
        if part.attack is None:
            passes = part.passes(look, part.images, part.batches)
            seconds = part.seconds + passes * self._kind(part).ratio() + building
            return seconds * self._others[part.title].ratio()
        met, left = (share(place) * self._images for share in (images_left.met, images_left.left))
        first = next(p for p in plan.parts if p.title == part.title)
        known = first is not part or (model == self._model and part.title in self._built)
        passes = part.attacking(look, met, min(left, met), self._batch_size)
        return passes * self._ratio(part) + (0.0 if known else building * min(met, 1.0))
