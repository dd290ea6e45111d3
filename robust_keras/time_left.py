"""How long an evaluation will go on: what is left to do, at the pace of what is done."""

import time


class TimeLeft:
    """An estimate that follows an evaluation through its models, attacks and epsilons.

    What an attack costs an image is measured, and before it begins taken from the passes that it
    may make at most and the pace so far. How many images it will meet at an epsilon is taken from
    what the last attack left at the epsilon before. A model to come counts like those before it.

    Args:
        models: number of models.
        images: number of images.
        now: clock in seconds.
    """

    def __init__(self, models, images, now=time.monotonic):
        self._models = models
        self._images = images
        self._now = now
        self._finished = []
        self._spent = {}
        self.begin(())

    def begin(self, parts):
        """Tells what the next model will go through.

        Args:
            parts: in their order, tuples (attack, title, epsilon, passes) of the attack's name,
                what progress calls the part, its epsilon (None for a search over all of them), and
                the passes an image at most, as `attacks.price.passes_at_most` counts them.
        """
        self._parts = [tuple(part) for part in parts]
        self._began = self._last = self._now()
        self._place, self._done, self._rest = None, 0, 0
        self._left = {}

    def end(self):
        """Tells that a model is done with, its audit included."""
        self._finished.append(self._now() - self._began)

    def note(self, title, epsilon, done, total, robust_accuracy):
        """Takes in what progress says after a batch; see `engine.Settings`."""
        now = self._now()
        place = self._find(title, epsilon)
        if place is None:
            return
        if place != self._place:
            self._place, self._done = place, 0
        attack, *_, passes = self._parts[place]
        seconds, images, _ = self._spent.get(title, (0.0, 0, 0))
        images += max(done - self._done, 0)
        self._spent[title] = seconds + now - self._last, images, images * passes
        self._last, self._done, self._rest = now, done, total - done
        self._left[attack, epsilon] = robust_accuracy

    def _find(self, title, epsilon):
        """The place of a part, searched from the present one on: parts follow each other."""
        first = self._place or 0
        for place in [*range(first, len(self._parts)), *range(first)]:
            if self._parts[place][1:3] == (title, epsilon):
                return place
        return None

    def seconds(self):
        """The estimate, or None while nothing is measured."""
        spent = [sum(values) for values in zip(*self._spent.values(), strict=True)]
        if self._place is None or not spent or not spent[2]:
            return None
        pace = spent[0] / spent[2]
        rest = self._rest * self._price(self._place, pace)
        for place in range(self._place + 1, len(self._parts)):
            rest += self._expected(place) * self._price(place, pace)
        done = self._now() - self._began
        models = [*self._finished, done + rest]
        to_come = self._models - len(models)
        return rest + max(to_come, 0) * sum(models) / len(models)

    def _price(self, place, pace):
        """Seconds an image."""
        _, title, _, passes = self._parts[place]
        seconds, images, _ = self._spent.get(title, (0.0, 0, 0))
        return seconds / images if images else passes * pace

    def _expected(self, place):
        """How many images a part will be made on."""
        attack, _, epsilon, _ = self._parts[place]
        now = self._parts[self._place]
        if (attack, epsilon) == (now[0], now[2]):
            return self._images * self._left[attack, epsilon]
        before = self._before(place)
        known = [share for (_, other), share in self._left.items() if other == before]
        share = known[-1] if known and before is not None else 1.0
        if attack == now[0]:
            share = min(share, self._left[now[0], now[2]])
        return self._images * share

    def _before(self, place):
        """The epsilon before that of a part, None for the first."""
        epsilons = list(dict.fromkeys(part[2] for part in self._parts if part[2] is not None))
        epsilon = self._parts[place][2]
        if epsilon is None or epsilons.index(epsilon) == 0:
            return None
        return epsilons[epsilons.index(epsilon) - 1]


def in_words(seconds):
    """Writes a duration roughly: `40 s`, `12 min`, `3 h 20 min`."""
    if seconds < 90:
        return f"{max(round(seconds), 1)} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"
