"""The sections of the report, in the order of the page, and how to add one."""

from robust_keras.findings import ModelReport, Report, extensions
from robust_keras.findings.finding import fields
from robust_keras.reporting.section import Section
from robust_keras.reporting.sections.attacker import Attacker
from robust_keras.reporting.sections.attacks import Attacks
from robust_keras.reporting.sections.audit import Audit
from robust_keras.reporting.sections.comparison import Comparison
from robust_keras.reporting.sections.curves import Curves
from robust_keras.reporting.sections.examples import Examples
from robust_keras.reporting.sections.headline import Headline
from robust_keras.reporting.sections.layers import Layers
from robust_keras.reporting.sections.minimal_epsilon import MinimalEpsilon
from robust_keras.reporting.sections.rejection import Rejection
from robust_keras.reporting.sections.transfer import Transfer
from robust_keras.reporting.sections.unusual import Unusual

BEFORE = (Comparison(),)
MODEL = (
    Headline(),
    Curves(),
    MinimalEpsilon(),
    Examples(),
    Attacks(),
    Audit(),
    Rejection(),
    Unusual(),
    Layers(),
)
AFTER = (Transfer(),)
LAST = (Attacker(),)

_REGISTERED: dict = {}


def register(section: Section) -> None:
    """Adds a section: its field to `report.json`, its part to the page, its figures and lines.

    One that was registered under the same name goes.

    Args:
        section: a `Section` with `name`, `about` and `finding`.

    Raises:
        ValueError: it has no name or finding, or its name is that of a field of ours.

    Example:
        `reporting.register(Brightness())`
    """
    owner = {"model": ModelReport, "report": Report}.get(section.about)
    if owner is None or not section.finding or not section.name or section.name in fields(owner):
        raise ValueError(
            "a section must be about `model` or `report` and have a `finding` and a `name` that is "
            f"no field of ours. Received: about={section.about!r}, name={section.name!r}"
        )
    extensions.register(section.about, section.name, section.finding)
    _REGISTERED[section.name] = section


def unregister(name: str) -> None:
    """Takes a registered section away."""
    section = _REGISTERED.pop(name)
    extensions.unregister(section.about, name)


def registered(about: str | None = None) -> tuple[Section, ...]:
    """Gives the sections that others added, all or those about `model` or `report`."""
    return tuple(s for s in _REGISTERED.values() if about in (None, s.about))


def of_model() -> tuple[Section, ...]:
    """Gives the sections of one model, in their order."""
    return (*MODEL, *registered("model"))


def after_models() -> tuple[Section, ...]:
    """Gives the sections below the models, in their order."""
    return (*AFTER, *registered("report"), *LAST)


def every() -> tuple[Section, ...]:
    """Gives all sections in the order of the page."""
    return (*BEFORE, *of_model(), *after_models())
