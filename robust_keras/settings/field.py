"""A dataclass field that is also a flag, and what every dataclass of flags can do."""

import dataclasses
import json

from robust_keras.errors import InputError


def flag(default, parse, text, *, unset=None, decides_results=True, setting=None):
    """A field that is also a flag.

    Args:
        default: its value where it is not given; None where that depends on other settings.
        parse: one of `values`, which turns text into a value and checks values.
        text: help.
        unset: what a default of None or () comes to, in words.
        decides_results: whether a run that goes on must have been begun with the same value.
        setting: its name in the library's own settings.
    """
    metadata = {
        "parse": parse,
        "help": text,
        "unset": unset,
        "decides_results": decides_results,
        "setting": setting,
    }
    return dataclasses.field(default=default, metadata=metadata)


class Flags:
    """Validation and JSON, the same for every set of flags.

    A topic's class that defines `check_together` says there which of its values fit each other and
    the other topics'; it runs once every single value is known to be valid.
    """

    def __post_init__(self):
        self.check()

    def check(self) -> None:
        """Raises InputError for the first value that is none of a field's, or fits no other."""
        for field in dataclasses.fields(self):
            parse = field.metadata["parse"]
            value = getattr(self, field.name)
            try:
                parse.check(value)
            except ValueError as error:
                raise InputError(f"--{field.name}: {error}") from error
        for topic in type(self).__mro__:
            if "check_together" in vars(topic):
                topic.check_together(self)

    def to_json(self) -> str:
        """The settings as JSON text, one field a line."""
        return json.dumps(dataclasses.asdict(self), indent=2) + "\n"

    @classmethod
    def from_json(cls, text: str):
        """Settings from `to_json`'s text; lists become tuples again, all is validated anew."""
        values = json.loads(text)
        names = {field.name for field in dataclasses.fields(cls)}
        unknown = sorted(set(values) - names)
        if unknown:
            raise InputError.expected("config", f"only the fields of {cls.__name__}", unknown)
        return cls(**{k: tuple(v) if isinstance(v, list) else v for k, v in values.items()})
