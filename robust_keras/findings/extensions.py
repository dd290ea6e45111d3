"""Findings that others add to a report: which field of which place holds which class."""

_REGISTERED: dict = {}


def register(place: str, name: str, finding: type) -> None:
    """Makes a field known to whoever writes or reads a report; an older one of the name goes.

    Args:
        place: `report` or `model`.
        name: of the field.
        finding: class of its value, a `Finding`.
    """
    _REGISTERED.setdefault(place, {})[name] = finding


def unregister(place: str, name: str) -> None:
    """Forgets a field."""
    _REGISTERED.get(place, {}).pop(name, None)


def registered(place: str) -> dict:
    """The classes of a place's fields by name, in the order of their registration."""
    return dict(_REGISTERED.get(place, {}))
