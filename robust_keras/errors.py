"""The one error that the command line turns into a single line and exit code 2."""

# Longer values, such as a number of thousands of digits, would bury the line that matters.
_LONGEST = 300
# Python refuses to write down longer integers.
_LONGEST_INTEGER = 4000


def shown(value: object) -> str:
    """A value as one line can show it: short, printable, in quotes only where it is blank.

    Args:
        value: anything.
    """
    if isinstance(value, int) and value.bit_length() > _LONGEST_INTEGER:
        return f"a whole number of {value.bit_length()} bits"
    text = str(value)
    if not text.strip():
        return repr(text)
    if len(text) > _LONGEST:
        text = f"{text[: _LONGEST // 3]}... ({len(text)} characters)"
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


class InputError(ValueError):
    """Something the user gave cannot be used: a flag, a path, a data set or a model."""

    @classmethod
    def expected(cls, name: str, expected: str, received: object) -> "InputError":
        """Builds the error in the one form that users see.

        Args:
            name: what was wrong, as the user wrote it (`--epsilons`, a path, a data set).
            expected: what would have been right, in words.
            received: what came instead; a value, or words that describe it.

        Returns:
            An `InputError` whose text fits on one line.
        """
        return cls(
            " ".join(f"{shown(name)}: expected {expected}; received {shown(received)}".split())
        )


def first_line(error: BaseException) -> str:
    """Kind and first line of any exception, short enough for one line of ours."""
    text = next(iter(str(error).strip().splitlines()), "")
    return f"{type(error).__name__}: {text[:200]}"
