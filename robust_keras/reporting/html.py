"""The report as one HTML file that needs nothing else: no script, no network, no font to fetch."""

import base64
import datetime
import hashlib
import pathlib

import jinja2
import markupsafe

from robust_keras.reporting import figures, grid, minimal_section, wording
from robust_keras.reporting.facts import (
    dataset_facts,
    layer_summary,
    model_facts,
    outside,
    setting_text,
    threat_facts,
)
from robust_keras.reporting.transfer_table import transfer_tables
from robust_keras.reporting.unusual_page import unusual_block
from robust_keras.reporting.verdict import verdict

FOLDER = pathlib.Path(__file__).parent

# The whole path stands among the facts of a model.
NAME_LENGTH = 48


def render(report):
    """Gives the whole page.

    Args:
        report: `Report`.

    Returns:
        HTML text.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        percent=wording.percent,
        count=wording.count,
        seconds=wording.seconds,
        visible=wording.visible,
        breakable=_breakable,
        settings=setting_text,
    )
    style = (FOLDER / "style.css").read_text(encoding="utf-8")
    models = _models(report)
    compared = figures.comparison_curves(report)
    return environment.get_template("report.html").render(
        report=report,
        # Only this style sheet may act, so a name that a stranger chose can do nothing.
        style=markupsafe.Markup(style),
        style_hash=_base64(hashlib.sha256(style.encode("utf-8")).digest()),
        created=_date(report.created),
        epsilons=[wording.epsilon(value) for value in report.threat_model.epsilons],
        dataset=dataset_facts(report),
        threat=threat_facts(report),
        outside=outside(report),
        transfer=transfer_tables(report),
        models=models,
        comparison=_pictures(report, compared) if len(models) > 1 and compared else None,
        any_doubtful=any(curve.doubtful for curve in compared),
    )


def _models(report):
    names = wording.display_names(report.models)
    return [
        {
            "name": wording.shortened(name, NAME_LENGTH),
            "anchor": f"model-{number}",
            "model": model,
            "verdict": verdict(report, model),
            "scores": _scores(report, model),
            "curves": _pictures(report, figures.model_curves(report, model)) if model.ran else None,
            "minimal": minimal_section.minimal_section(report, model),
            "attacks": [_attack(report, attack) for attack in model.attacks],
            "facts": model_facts(report, model),
            "layers": layer_summary(model),
            "gallery": _gallery(report, model),
            "unusual": unusual_block(report, model),
        }
        for number, (name, model) in enumerate(zip(names, report.models, strict=True), 1)
    ]


def _scores(report, model):
    """Gives the clean accuracy and the worst case per epsilon, each with its interval."""
    measured = [("no attack", model.clean_accuracy)]
    if model.measured:
        pairs = zip(model.worst_case.epsilons, model.worst_case.accuracy, strict=True)
        measured += [(f"epsilon {wording.epsilon(e)}", accuracy) for e, accuracy in pairs]
    return [
        {
            "title": title,
            "accuracy": wording.percent(accuracy),
            "low": wording.percent(report.interval(accuracy)[0]),
            "high": wording.percent(report.interval(accuracy)[1]),
        }
        for title, accuracy in measured
    ]


def _attack(report, attack):
    examples = report.dataset.examples
    return {
        "attack": attack,
        "gradients": wording.per_image(attack.gradient_evaluations, examples),
        "forwards": wording.per_image(attack.forward_evaluations, examples),
    }


def _pictures(report, lines):
    """Gives four variants of a figure, of which style.css shows one, as addresses that hold it."""
    return figures.variants(lambda **look: figures.draw_curves(report, lines, **look))


def _gallery(report, model):
    shown = [example for example in model.examples if example.pictures]
    if not shown:
        return None
    return {
        "amplified": wording.times(shown[0].amplification),
        "items": [_item(report, example) for example in shown],
    }


def _item(report, example):
    names = report.dataset.class_names
    sources = ["data:image/png;base64," + _base64(grid.png(picture)) for picture in example.arrays]
    return {
        "index": example.index,
        "label": grid.class_name(example.label, names),
        "clean_class": grid.class_name(example.clean_class, names),
        "clean_confidence": wording.percent(example.clean_confidence),
        "adversarial_class": grid.class_name(example.adversarial_class, names),
        "adversarial_confidence": wording.percent(example.adversarial_confidence),
        "epsilon": wording.epsilon(example.epsilon),
        "attack": example.attack,
        "sources": sources,
    }


def _breakable(text):
    """Lets the browser break a long path after a slash, rather than anywhere."""
    pieces = markupsafe.escape(text).split("/")
    return markupsafe.Markup("/<wbr>").join(pieces)


def _date(created):
    moment = datetime.datetime.fromisoformat(created)
    return f"{moment.day} {moment:%B %Y, %H:%M} UTC"


def _base64(content):
    return base64.b64encode(content).decode("ascii")
