"""The one error that the command line turns into a single line and exit code 2."""


class InputError(ValueError):
    """Something the user gave cannot be used: a flag, a path, a data set or a model."""

    @classmethod
    def expected(cls, name, expected, received):
        """Builds the error in the one form that users see.

        Args:
            name: what was wrong, as the user wrote it (`--epsilons`, a path, a data set).
            expected: what would have been right, in words.
            received: what came instead; a value, or words that describe it.

        Returns:
            An `InputError` whose text fits on one line.
        """
        # Quotes only where nothing could be seen without them.
        shown = str(received) if str(received).strip() else repr(received)
        return cls(" ".join(f"{name}: expected {expected}; received {shown}".split()))
