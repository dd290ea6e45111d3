"""What a person at a terminal, in a notebook or in a log sees while an evaluation runs."""

import contextlib
import pathlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TextIO

from robust_keras import durations
from robust_keras.findings.short_name import short_name
from robust_keras.progress_bar import ProgressBar

_WIDEST_TITLE = 14
_COLUMNS = 80
# Checks that are named where more of them failed.
_DOUBTS = 2


class RunProgress:
    """A line for each part that is done with; where bars are drawn, also one for that at work.

    A part is an attack at all its epsilons, or something of another kind, such as the audit. Every
    line tells what has elapsed and about what is left of the whole run.

    Args:
        stream: where to write; by default stdout.
        now: clock in seconds.
        began: when on that clock what has elapsed began; by default now.

    Example:
        >>> with RunProgress() as progress, progress.part("report"):
        ...     path = export(model, directory / "progress")
        report: ... s; ... s so far
    """

    def __init__(
        self,
        stream: TextIO | None = None,
        now: Callable[[], float] = time.monotonic,
        began: float | None = None,
    ):
        self.time_left: Any = None  # A `TimeLeft`, once there is one to follow.
        self._now = now
        self._bar = ProgressBar(stream)
        self._since = self._last = now()
        self._began = self._since if began is None else began
        self._title = ""
        self._attack = None
        self._accuracies: dict[float | None, float] = {}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._bar.close()

    def follow(self, time_left: Any) -> None:
        """Shows from now on what a `TimeLeft` says, and tells it what happens."""
        self.time_left = time_left
        self._since = self._last = self._at()

    def _at(self):
        """When it is, on a clock that knows how long took what a journal remembers."""
        return self._now() if self.time_left is None else self.time_left.now()

    @contextlib.contextmanager
    def model(self, path: str | pathlib.Path, plan: int | None = None) -> Iterator[None]:
        """Within, the parts of a model: those of a plan of `TimeLeft`, or of its next."""
        if self.time_left is None:
            yield
            return
        self._title = short_title(str(path)) if self.time_left.models > 1 else ""
        self._since = self._at()
        self.time_left.begin(plan)
        yield
        self._finish_attack()
        self.time_left.end()
        self._title = ""

    def elsewhere(self, path: str | pathlib.Path) -> None:
        """Shows that another process is at a model, for which this one waits."""
        name = f"{short_title(str(path))}, in another process"
        self._bar.show(name, 0, 1, lambda: self._times(durations.roughly))

    def __call__(self, title, epsilon, done, total, robust_accuracy):
        """Shows that an attack has finished `done` of `total` images at `epsilon`."""
        attack = title.partition(":")[0]
        if attack != self._attack:
            self._finish_attack()
            self._attack = attack
        self._accuracies[epsilon] = robust_accuracy
        self._last = self._at()
        if self.time_left is not None:
            self.time_left.note(title, epsilon, done, total, robust_accuracy)
        where = "all epsilons" if epsilon is None else f"{epsilon:.3g}"
        self._show(f"{attack} {where}", done, total, f"{robust_accuracy:.1%}".replace("%", " %, "))

    @contextlib.contextmanager
    def part(self, title: str) -> Iterator[Callable]:
        """A part that is no attack.

        Yields:
            What is called as `step(done, total)` when some of the part is done, if it can tell.
        """
        self._finish_attack()
        if self.time_left is not None:
            self.time_left.start(title)
        self._show(title, 0, 1)

        def step(done, total, *_):
            if self.time_left is not None:
                self.time_left.share(done, total)
            self._show(title, done, total)

        yield step
        if self.time_left is not None:
            self.time_left.finish()
        self._line(title, {}, self._at())

    def attacks_again(self, doubts: Sequence[str], images: int, passes: float) -> None:
        """Tells of which checks made the audit attack again, before it does, and for how long.

        Args:
            doubts: names of the checks.
            images: that are attacked.
            passes: forward passes, or as many as take as long, that it may take for all of them.
        """
        named, more = doubts[:_DOUBTS], len(doubts) - _DOUBTS
        others = f" and {more} more" if more > 0 else ""
        seconds = self.time_left and durations.roughly(self.time_left.of_passes(passes))
        pace = f" ({seconds} at this pace)" if seconds else ""
        start = f"{self._title} audit".strip()
        self._bar.line(f"{start} doubts: {', '.join(named)}{others}")
        self._bar.line(
            f"{start} attacks again: {images} images left, at most {round(passes):,} passes{pace}"
        )

    def _show(self, title, done, total, text=""):
        name = f"{self._title} {title}".strip()
        self._bar.show(name, done, total, lambda: text + self._times(durations.roughly))

    def _finish_attack(self):
        if self._attack is not None:
            self._line(self._attack, self._accuracies, self._last)
        self._attack, self._accuracies = None, {}

    def _line(self, title, accuracies, ended):
        name = f"{self._title} {title}".strip()
        times = f"{durations.measured(ended - self._since)}; {self._times()}"
        found = in_a_row(accuracies, _COLUMNS - len(f"{name}: , {times}"))
        words = f": {found}, {times}" if found else f": {times}"
        self._bar.line(_ending(name, _COLUMNS - len(words)) + words)
        self._since = ended

    def _times(self, words=durations.measured):
        left = None if self.time_left is None else self.time_left.seconds()
        text = words(max(self._now() - self._began, 1.0)) + " so far"
        return text if not left else f"{text}, about {durations.roughly(left)} left"


def in_a_row(accuracies: Mapping[float | None, float], room: int) -> str:
    """Accuracies at epsilons in words, the middle ones left out where they are many.

    Args:
        accuracies: dict from epsilon, None for the largest of a search, to accuracy.
        room: letters that it may take, if it can: the last is always told.
    """
    texts = [
        f"{accuracy:.1%}".replace("%", " %") + ("" if epsilon is None else f" at {epsilon:.3g}")
        for epsilon, accuracy in accuracies.items()
    ]
    shown = ", ".join(texts)
    while len(shown) > room and len(texts) > 1:
        del texts[(len(texts) - 1) // 2]
        middle = len(texts) // 2
        dots = ["..."] if middle else []
        shown = ", ".join([*texts[:middle], *dots, *texts[middle:]])
    return shown


def short_title(path: str | pathlib.Path) -> str:
    """The part of a model's path that tells it from others, in a few letters."""
    return _ending(short_name(path), _WIDEST_TITLE)


def _ending(title, room):
    return title if len(title) <= room else "..." + title[len(title) - max(room - 3, 0) :]
