"""A dataclass field that is also a flag, and what every dataclass of flags can do."""

import dataclasses
import json
from typing import Any, NoReturn, Self

from robust_keras.errors import InputError
from robust_keras.settings import values
from robust_keras.settings.kind import Kind


def flag(
    default: Any,
    parse: Kind,
    text: str,
    *,
    unset: str | None = None,
    needs: str | None = None,
    decides_results: bool = True,
    setting: str | None = None,
) -> Any:
    """A field that is also a flag.

    Args:
        default: its value where it is not given; None where that depends on other settings.
        parse: one of `values`, which turns text into a value and checks values.
        text: help.
        unset: what a default of None or () comes to, in words.
        needs: the flag without which it means nothing, as `transfer`, `loss=hybrid` or
            `model=vgg|fc5`; beside another value of that flag any value but the default is refused.
        decides_results: whether a run that goes on must have been begun with the same value.
        setting: its name in the library's own settings.
    """
    metadata = {
        "parse": parse,
        "help": text,
        "unset": unset,
        "needs": needs,
        "decides_results": decides_results,
        "setting": setting,
    }
    return dataclasses.field(default=default, metadata=metadata)


def switch(text: str, **settings: Any) -> Any:
    """A flag that is false unless it is given; settings are those of `flag`."""
    return flag(False, values.Truth(), text, **settings)


def optional_text(text: str, **settings: Any) -> Any:
    """A flag that holds some text, or None where it is not given; settings are those of `flag`."""
    return flag(None, values.Text(optional=True), text, **settings)


def optional_path(text: str, **settings: Any) -> Any:
    """A flag that holds a path on this machine, or None; settings are those of `flag`."""
    return flag(None, values.Path(optional=True), text, **settings)


def check_value(name: str, parse: Kind, value: Any) -> None:
    """Raises InputError, naming the flag, for a value that is none of a kind."""
    try:
        parse.check(value)
    except ValueError as error:
        raise InputError(f"--{name}: {error}") from error


@dataclasses.dataclass(frozen=True)
class Flags:
    """Validation and JSON, the same for every set of flags.

    A topic's class that defines `check_together` says there which of its values fit each other and
    the other topics'; it runs once every single value is known to be valid.
    """

    def __post_init__(self):
        self.check()

    def check(self) -> None:
        """Raises InputError for the first value that is none of a field's, or fits no other."""
        fields = dataclasses.fields(self)
        for field in fields:
            check_value(field.name, field.metadata["parse"], getattr(self, field.name))
        for field in fields:
            self._check_needs(field)
        for topic in type(self).__mro__:
            if "check_together" in vars(topic):
                vars(topic)["check_together"](self)

    def _check_needs(self, field):
        needs = field.metadata["needs"]
        if needs is None or getattr(self, field.name) == field.default:
            return
        name, _, wanted = needs.partition("=")
        given = getattr(self, name)
        if given not in wanted.split("|") if wanted else not given:
            self.refuse(field.name, f"{self.typed(field.name, field.default)} without --{needs}")

    def refuse(self, name: str, expected: str) -> NoReturn:
        """Raises InputError about the value of a flag."""
        raise InputError.expected(f"--{name}", expected, self.typed(name, getattr(self, name)))

    def typed(self, name: str, value: Any) -> str:
        """A value of a flag as one types it; `nothing` where it is unset."""
        if isinstance(value, tuple):
            parse = type(self).__dataclass_fields__[name].metadata["parse"]
            value = getattr(parse, "sign", ",").join(map(str, value)) or None
        if isinstance(value, bool):
            return str(value).lower()
        if isinstance(value, float) and value == int(value):
            value = int(value)
        return "nothing" if value is None else str(value)

    def to_json(self) -> str:
        """The settings as JSON text, one field a line."""
        return json.dumps(dataclasses.asdict(self), indent=2) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Settings from `to_json`'s text; lists become tuples again, all is validated anew."""
        given = json.loads(text)
        names = {field.name for field in dataclasses.fields(cls)}
        unknown = sorted(set(given) - names)
        if unknown:
            raise InputError.expected("config", f"only the fields of {cls.__name__}", unknown)
        return cls(**{k: tuple(v) if isinstance(v, list) else v for k, v in given.items()})
