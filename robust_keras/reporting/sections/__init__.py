"""The sections of the report, in the order of the page, and how to add one."""

from robust_keras.findings import ModelReport, Report, extensions
from robust_keras.findings.finding import fields
from robust_keras.reporting.section import Section
from robust_keras.reporting.sections.activations import Activations
from robust_keras.reporting.sections.attacker import Attacker
from robust_keras.reporting.sections.attacks import Attacks
from robust_keras.reporting.sections.audit import Audit
from robust_keras.reporting.sections.calibration import Calibration
from robust_keras.reporting.sections.certified import Certified
from robust_keras.reporting.sections.classes import Classes
from robust_keras.reporting.sections.comparison import Comparison
from robust_keras.reporting.sections.curves import Curves
from robust_keras.reporting.sections.examples import Examples
from robust_keras.reporting.sections.headline import Headline
from robust_keras.reporting.sections.layers import Layers
from robust_keras.reporting.sections.lipschitz import Lipschitz
from robust_keras.reporting.sections.minimal_epsilon import MinimalEpsilon
from robust_keras.reporting.sections.moved import Moved
from robust_keras.reporting.sections.pictures import Pictures
from robust_keras.reporting.sections.rejection import Rejection
from robust_keras.reporting.sections.side_by_side import SideBySide
from robust_keras.reporting.sections.targets import Targets
from robust_keras.reporting.sections.transfer import Transfer
from robust_keras.reporting.sections.unusual import Unusual

# Those about the report stand above or below the models.
SECTIONS: list[Section] = [
    Headline(),
    Curves(),
    Classes(),
    Targets(),
    Certified(),
    MinimalEpsilon(),
    Examples(),
    Attacks(),
    Audit(),
    Rejection(),
    Unusual(),
    Activations(),
    Calibration(),
    Pictures(),
    Layers(),
    Lipschitz(),
    SideBySide(),
    Moved(),
    Transfer(),
    Attacker(),
]
SECTIONS.insert(0, Comparison(SECTIONS))


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
    unregister(section.name)
    extensions.register(section.about, section.name, section.finding)
    last = max(place for place, other in enumerate(SECTIONS) if other.about == section.about)
    SECTIONS.insert(last + 1, section)


def unregister(name: str) -> None:
    """Takes a registered section away, if there is one of the name."""
    for section in [s for s in SECTIONS if s.finding and s.name == name]:
        SECTIONS.remove(section)
        extensions.unregister(section.about, name)


def registered(about: str) -> list[Section]:
    """Gives the sections that others added, those about `model` or `report`."""
    return [section for section in SECTIONS if section.finding and section.about == about]


def of_model() -> list[Section]:
    """Gives the sections of one model, in their order."""
    return [section for section in SECTIONS if section.about == "model"]


def around_models() -> tuple[list[Section], list[Section]]:
    """Gives the sections above the models and those below."""
    first = SECTIONS.index(of_model()[0])
    return SECTIONS[:first], [s for s in SECTIONS[first:] if s.about == "report"]
