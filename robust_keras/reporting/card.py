"""A card for a model hub: README.md, metadata that the hub reads and words for people."""

import json

from robust_keras.findings import Report
from robust_keras.reporting import plain_words, table_files, wording
from robust_keras.reporting.conclusion import conclusion
from robust_keras.reporting.sections import SECTIONS
from robust_keras.reporting.sections.attacker import outside, threat_facts
from robust_keras.reporting.verdict import verdict


def card(report: Report) -> str:
    """Gives the text of the card: YAML between two lines of dashes, then Markdown."""
    names = wording.display_names(report.models)
    parts = ["---", *_metadata(report, names), "---", "", "# Robustness", ""]
    if found := conclusion(report):
        parts += [wording.plain(found.text), ""]
    for name, model in zip(names, report.models, strict=True):
        said = verdict(report, model)
        parts += [f"## {_text(name)}: {said.level}", ""]
        parts += [wording.plain(f"{said.headline} {said.detail}"), ""]
        parts += [wording.plain(plain_words.of_model(report, model, pictures=False)), ""]
        parts += [f"- {_text(f'{title}: {text}')}" for title, text in said.reasons]
        parts += [""] if said.reasons else []
    parts += _tables(report)
    parts += ["## The attacker", ""]
    parts += [f"- {title}: {_text(text)}" for title, text in threat_facts(report)]
    parts += ["", f"Outside that {wording.plain(outside(report))}", ""]
    if report.command:
        parts += ["## Made by", "", f"    {wording.visible(report.command)}", ""]
    return "\n".join(parts)


def _metadata(report, names):
    """What a hub reads; every text is quoted as JSON, which is YAML as well."""
    yield from ("library_name: keras", "pipeline_tag: image-classification")
    yield from ("tags:", "- adversarial-robustness", "model-index:")
    for name, model in zip(names, report.models, strict=True):
        yield from (f"- name: {json.dumps(name)}", "  results:", "  - task:")
        yield from ("      type: image-classification", "    dataset:")
        yield f"      name: {json.dumps(report.dataset.name)}"
        yield f"      type: {json.dumps(report.dataset.name)}"
        yield f"      split: {json.dumps(report.dataset.split)}"
        yield "    metrics:"
        yield from _metric("Accuracy without attack", model.clean_accuracy)
        # What is not to be believed is in no table of a hub.
        if model.verdict != "unreliable":
            pairs = zip(model.worst_case.epsilons, model.worst_case.accuracy, strict=True)
            for epsilon, accuracy in pairs:
                at = f"{report.threat_model.norm}, epsilon {wording.epsilon(epsilon)}"
                title = f"Robust accuracy at most ({at}; {model.verdict})"
                yield from _metric(title, accuracy)


def _metric(title, value):
    yield "    - type: accuracy"
    yield f"      name: {json.dumps(title)}"
    yield f"      value: {value:.6g}"


def _tables(report):
    for section in SECTIONS:
        if section.about == "report":
            for _, table in section.tables(report, None, ""):
                yield table_files.markdown(table)


def _text(text):
    return table_files.escaped(text)
