"""What all kinds of values share: text is read, then checked; a refusal has one wording."""

from typing import Any, NoReturn

from robust_keras.errors import shown


class Kind:
    """What a flag may hold. Where `optional` is true, None as well: nobody chose a value."""

    optional = False

    def parse(self, text: str) -> Any:
        """The value in a text of the command line; raises ValueError where there is none."""
        value = self._read(text)
        self.check(value)
        return value

    def check(self, value: Any) -> None:
        """Raises ValueError("expected ...; received ...") for what is no such value."""
        if not (self.optional and value is None):
            self._check(value)

    def _read(self, text):
        return text

    def _check(self, value):
        raise NotImplementedError


def refuse(expected: str, received: Any, meant: str = "") -> NoReturn:
    """Raises ValueError("expected ...; received ...").

    Args:
        expected: what would have been right, in words.
        received: the value that came instead.
        meant: what `did_you_mean` makes of it.
    """
    raise ValueError(f"expected {expected}; received {shown(received)}{meant}")


def joined(value: Any) -> Any:
    """A tuple as the user would type it; anything else as it is."""
    return ",".join(map(shown, value)) if isinstance(value, tuple) else value
