"""The report as one HTML file that needs nothing else: no network, no font to fetch.

A small script sorts tables; without it the page says the same.
"""

import base64
import datetime
import hashlib
import pathlib

import jinja2
import markupsafe

from robust_keras.findings import Report
from robust_keras.reporting import contents, inline_svg, sections, wording
from robust_keras.reporting.sections.attacker import outside

FOLDER = pathlib.Path(__file__).parent


def render(report: Report) -> str:
    """Gives the whole page: its sections in their order, between a head and how to read it."""
    environment = _environment()
    names = wording.page_names(report)
    epsilons = [wording.epsilon(value) for value in report.threat_model.epsilons]
    common = {"report": report, "names": names, "epsilons": epsilons}

    def parts(chosen, model=None, name=""):
        shown = ((section, section.show(report, model)) for section in chosen)
        pieces = (
            environment.from_string(section.template).render(
                common
                | {"model": model, "name": name}
                | {"tables": dict(section.tables(report, model, name))}
                | values
            )
            for section, values in shown
            if values is not None and section.template
        )
        return markupsafe.Markup("\n".join(pieces))

    above, below = sections.around_models()
    models = [
        _part(number, name, model.verdict, parts(sections.of_model(), model, name))
        for number, (name, model) in enumerate(zip(names, report.models, strict=True), 1)
    ]
    shown = {
        # Nothing else may act, so a name that a stranger chose can do nothing.
        "style": _own("style.css"),
        "script": _own("page.js"),
        "created": _date(report.created),
        "outside": outside(report),
        "provenance": list(_provenance(report, names)),
        "before": parts(above),
        "models": models,
        "after": parts(below),
    }
    template = environment.get_template("page.html")
    titles = contents.links(template.render(common, **shown, contents=()), 2)
    return inline_svg.numbered(template.render(common, **shown, contents=titles))


def _part(number, name, verdict, text):
    """What the page shows of one model."""
    text = contents.with_identifiers(text, f"model-{number}-part")
    links = contents.links(text, 3)
    return {"name": name, "verdict": verdict, "parts": text, "contents": links}


def _provenance(report, names):
    """What the numbers came from, as far as the report tells."""
    if report.commit:
        yield "Commit", report.commit
    if report.dataset.fingerprint:
        yield "Images' hash", report.dataset.fingerprint
    for name, model in zip(names, report.models, strict=True):
        if model.fingerprint:
            yield f"Hash of {name}", model.fingerprint
    if report.hardware:
        yield "Machine", wording.settings(report.hardware)
    if report.resolved_settings:
        yield "Settings", wording.settings(report.resolved_settings)


def _own(name):
    return markupsafe.Markup((FOLDER / name).read_text(encoding="utf-8"))


def _hash(text):
    """How a page's policy names what may act in it."""
    digest = hashlib.sha256(text.encode("utf-8")).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"


def _environment():
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        hash=_hash,
        percent=wording.percent,
        count=wording.count,
        seconds=wording.seconds,
        visible=wording.visible,
        breakable=_breakable,
        settings=wording.settings,
    )
    return environment


def _breakable(text):
    """Lets the browser break a long path after a slash, rather than anywhere."""
    pieces = markupsafe.escape(text).split("/")
    return markupsafe.Markup("/<wbr>").join(pieces)


def _date(created):
    moment = datetime.datetime.fromisoformat(created)
    return f"{moment.day} {moment:%B %Y, %H:%M} UTC"
