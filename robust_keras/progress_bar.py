"""One bar at the bottom of a terminal or of a notebook's cell, with lines above it."""

import sys
import threading
import warnings
from collections.abc import Callable
from typing import Any, TextIO

# A bar that stands still for longer looks like a program that hangs.
_BETWEEN_DRAWINGS = 1.0
# With the lines and spaces around it.
_NARROWEST_BAR = 9


class ProgressBar:
    """Draws where somebody looks on; anywhere else there are only the lines.

    Args:
        stream: where to write; by default stdout.

    Example:
        >>> with ProgressBar() as bar:
        ...     bar.show("pgd 0.1", 20, 100, lambda: "about 2 min left")
        ...     bar.line("fgsm: 40.0 % at 0.1; 2.1 s")
        fgsm: 40.0 % at 0.1; 2.1 s
    """

    def __init__(self, stream: TextIO | None = None):
        self._stream = sys.stdout if stream is None else stream
        self._tqdm, notebook = _tqdm()
        self._draws = notebook or self._stream.isatty()
        self._bar: Any = None
        self._title = ""
        self._text: Callable[[], str] | None = None
        # The bar is drawn by those who work and by the clock.
        self._lock = threading.RLock()
        self._closed = threading.Event()
        self._clock = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def show(self, title: str, done: float, total: float, text: Callable[[], str]) -> None:
        """Draws `done` of `total`, and what `text()` says now and every second from now on."""
        if not self._draws:
            return
        with self._lock:
            if self._bar is None:
                self._open()
            self._title, self._text = title, text
            self._bar.total, self._bar.n = max(total, 1), done
            self._draw()

    def line(self, text: str) -> None:
        """Writes a line that stays, above the bar."""
        with self._lock:
            if self._bar is None:
                print(text, file=self._stream, flush=True)
            else:
                self._tqdm.write(text, file=self._stream)

    def close(self) -> None:
        """Takes the bar away."""
        self._closed.set()
        with self._lock:
            if self._bar is not None:
                self._bar.close()
            self._bar, self._text = None, None
        if self._clock is not None:
            self._clock.join()
            self._clock = None

    def _open(self):
        self._bar = self._tqdm(
            total=1,
            file=self._stream,
            leave=False,
            dynamic_ncols=True,
            # Nothing is drawn before there is something to tell.
            delay=1e-9,
        )
        self._closed.clear()
        self._clock = threading.Thread(target=self._tick, daemon=True)
        self._clock.start()

    def _tick(self):
        while not self._closed.wait(_BETWEEN_DRAWINGS):
            with self._lock:
                if self._bar is not None:
                    self._draw()

    def _draw(self):
        text = self._text()
        shape = getattr(self._bar, "dynamic_ncols", None)
        columns = (shape and shape(self._stream)[0]) or 80
        room = max(columns - len(text) - _NARROWEST_BAR, 0)
        title = self._title if len(self._title) <= room else self._title[len(self._title) - room :]
        line = f"{title} |{{bar}}| {text}" if title else f"|{{bar}}| {text}"
        self._bar.bar_format = line
        self._bar.refresh()


def _tqdm():
    """The bar that fits, and whether it is a notebook's."""
    with warnings.catch_warnings():
        # In a notebook without ipywidgets there are lines alone, which needs no advice.
        warnings.simplefilter("ignore")
        import tqdm.auto
    import tqdm

    return tqdm.auto.tqdm, "notebook" in {
        cls.__module__.rpartition(".")[2] for cls in tqdm.auto.tqdm.__mro__
    }
