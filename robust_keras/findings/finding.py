"""A finding: a frozen dataclass whose fields carry their check and their meaning."""

import dataclasses
import textwrap
import types
from collections.abc import Callable, Iterator
from typing import Any, Self

from robust_keras.findings import extensions
from robust_keras.findings.kinds import Kind, OrNone

_MISSING = dataclasses.MISSING


def field(
    kind: Kind,
    meaning: str,
    *,
    otherwise: Callable[[Any], Any] | None = None,
    given: bool = False,
    **default: Any,
) -> Any:
    """A field of a finding; one whose annotation ends in `| None` is None unless it is given.

    Args:
        kind: what it may hold.
        meaning: of the value, as the page on the format tells it.
        otherwise: None, or function from the finding to the value where it is None or empty.
        given: whether a finding that is read must have it, though it has a default.
        **default: `default` or `default_factory`, as `dataclasses.field` takes them.
    """
    told = {"kind": kind, "meaning": meaning, "otherwise": otherwise, "given": given}
    return dataclasses.field(**default, metadata=told)


def derived(kind: Kind, meaning: str) -> Callable:
    """Marks a property, or a method of the `Report`, as a value that is written but not read.

    Args:
        kind: what it holds.
        meaning: as for `field`.
    """

    def mark(function):
        function.told = {"kind": kind, "meaning": meaning}
        function.__doc__ = function.__doc__ or f"{meaning[0].upper()}{meaning[1:]}."
        return function

    return mark


@dataclasses.dataclass(frozen=True)
class Finding:
    """What every finding can do: check itself, become plain values, and be read from these.

    A class that defines `check_together` says there which of its values fit each other; it runs
    once every single value is known to be valid. One that defines `upgraded` says what the values
    of an older schema mean today.
    """

    def __init_subclass__(cls):
        """Tells each field in the docstring, so that it is written down once."""
        for name, annotation in vars(cls).get("__annotations__", {}).items():
            if str(annotation).endswith("| None"):
                _allow_none(vars(cls)[name])
        told = [(n, v.metadata) for n, v in vars(cls).items() if isinstance(v, dataclasses.Field)]
        lines = ["", "", "Args:"]
        for name, metadata in told:
            text = f"{name}: {metadata['kind'].words}; {metadata['meaning']}."
            lines.append(textwrap.fill(text, 92, initial_indent="    ", subsequent_indent=" " * 8))
        lines += ["", "Raises:", "    ValueError: a field is out of its range, or two do not fit."]
        cls.__doc__ = cls.__doc__.rstrip() + "\n".join(lines)

    def __post_init__(self):
        for each in dataclasses.fields(self):
            value, otherwise = getattr(self, each.name), each.metadata["otherwise"]
            if otherwise is not None and (value is None or value == ""):
                value = otherwise(self)
            value = each.metadata["kind"].checked(each.name, value)
            object.__setattr__(self, each.name, value)
        self.check_together()

    def check_together(self) -> None:
        """Raises ValueError where the fields do not fit each other."""

    @classmethod
    def upgraded(cls, value: dict) -> dict:
        """The plain values of any schema that can be read, as today's."""
        return value

    def plain(self, report: Any = None) -> dict:
        """The fields, then what is derived from them, as JSON holds them.

        Args:
            report: the `Report` that it belongs to; None leaves out what is derived with its help.
        """
        found: dict = {}
        for each in dataclasses.fields(self):
            value = _plain(getattr(self, each.name), report)
            name = written(each.name)
            found |= value if isinstance(each.metadata["kind"], Extensions) else {name: value}
        for name, member in derived_members(type(self)):
            if isinstance(member, property):
                found[name] = _plain(getattr(self, name), report)
            elif report is not None:
                found[name] = _plain(member(self, report), report)
        return found

    @classmethod
    def from_plain(cls, value: Any) -> Self:
        """The finding of plain values; unknown and derived ones are left aside.

        Raises:
            ValueError: a field is missing, of another shape or out of its range.
        """
        if not isinstance(value, dict):
            raise ValueError(f"a {cls.__name__} must be a mapping. Received: {value!r}")
        value, made, missing = cls.upgraded(value), {}, []
        for each in dataclasses.fields(cls):
            kind = each.metadata["kind"]
            if isinstance(kind, Extensions):
                made[each.name] = kind.read(each.name, value)
            elif (name := written(each.name)) in value:
                made[each.name] = kind.read(name, value[name])
            elif each.metadata["given"] or not has_default(each):
                missing.append(name)
        if missing:
            raise ValueError(f"a {cls.__name__} must have {missing}. Received: {sorted(value)}")
        return cls(**made)


class Part(Kind):
    """Another finding."""

    def __init__(self, finding: type[Finding]):
        super().__init__("object", {"$ref": f"#/$defs/{finding.__name__}"}, finding)

    def checked(self, name: str, value: Any) -> Any:
        if not isinstance(value, self.finding):
            expected = self.finding.__name__
            raise ValueError(f"`{name}` must hold {expected} only. Received: {value!r}")
        return value

    def read(self, name: str, value: Any) -> Any:
        return self.finding.from_plain(value)


class Extensions(Kind):
    """Findings that others registered for a place, by name; each is written as a field of its own.

    Args:
        place: where they are registered, see `extensions`.
    """

    def __init__(self, place: str):
        super().__init__("object", {})
        self.place = place

    def checked(self, name: str, value: Any) -> Any:
        known = extensions.registered(self.place)
        for key, item in dict(value).items():
            if key not in known or not isinstance(item, (known[key], type(None))):
                raise ValueError(
                    f"`{name}` must hold what is registered: {sorted(known)}. "
                    f"Received: {key!r}: {item!r}"
                )
        return {key: value.get(key) for key in known}

    def of(self, finding: type[Finding]) -> Kind:
        """The kind of one of them."""
        return OrNone(Part(finding))

    def read(self, name: str, value: Any) -> Any:
        known = extensions.registered(self.place)
        return {
            n: kind.from_plain(value[n]) for n, kind in known.items() if value.get(n) is not None
        }


def _allow_none(each):
    """Lets a field be None, and be so unless it is given; one whose kind says so stays as it is."""
    kind = each.metadata["kind"]
    if not isinstance(kind, OrNone):
        each.metadata = types.MappingProxyType({**each.metadata, "kind": OrNone(kind)})
        each.default = each.default if has_default(each) else None


def written(name: str) -> str:
    """The name in JSON of a field, which Python may not spell so: `class` of `class_`."""
    return name.removesuffix("_")


def kind_of(finding: type[Finding], name: str) -> Kind:
    """The kind of a field of a finding, by its name."""
    return next(f.metadata["kind"] for f in dataclasses.fields(finding) if f.name == name)


def has_default(field: dataclasses.Field) -> bool:
    """Whether a dataclass field may be left out."""
    return field.default is not _MISSING or field.default_factory is not _MISSING


def fields(finding: type[Finding]) -> list[str]:
    """The names of all that a finding is written with, derived values included."""
    names = [written(each.name) for each in dataclasses.fields(finding)]
    return [*names, *(name for name, _ in derived_members(finding))]


def derived_members(finding: type[Finding]) -> Iterator[tuple[str, Any]]:
    """Pairs of name and member of what is derived, in the order of their definition."""
    for name, member in vars(finding).items():
        function = member.fget if isinstance(member, property) else member
        if hasattr(function, "told"):
            yield name, member


def told(member: Any) -> dict:
    """`kind` and `meaning` of a derived member."""
    return getattr(member, "fget", member).told


def summary(finding: type[Finding]) -> str:
    """The first sentence of a finding's docstring."""
    return (finding.__doc__ or "").split("\n\n")[0].strip()


def _plain(value, report):
    if isinstance(value, Finding):
        return value.plain(report)
    if isinstance(value, (tuple, list)):
        return [_plain(item, report) for item in value]
    if isinstance(value, dict):
        return {name: _plain(item, report) for name, item in value.items()}
    return value
