"""Accuracy against epsilon, one line an attack, beside the facts about the model."""

from collections.abc import Iterator
from typing import Any

from robust_keras.findings import Report
from robust_keras.reporting import curves, figures, wording
from robust_keras.reporting.section import Section, part
from robust_keras.reporting.sections.rejection import rule_in_words

FORMAT_NAMES = {"saved_model": "SavedModel", "keras": "Keras file"}


class Curves(Section):
    """The curves of a model that was attacked, and what is known of the model."""

    template = part("curves.html")

    def show(self, report: Report, model: Any) -> dict[str, Any] | None:
        draw = curves.of_report(report, attack_lines(report, model))
        return {
            "pictures": figures.on_page(draw) if model.attacked else None,
            "facts": model_facts(report, model),
        }

    def measures(self, report: Report, model: Any) -> Iterator[tuple[str, str]]:
        if any(m.training for m in report.models):
            yield "Trained", training_in_words(model)
        for title, text in model_facts(report, model):
            if title in ("Parameters", "Sparsity", "Time"):
                yield title, text
        gradients, forwards = (
            wording.per_image(sum(getattr(a, name) for a in model.ran), report.dataset.examples)
            for name in ("gradient_evaluations", "forward_evaluations")
        )
        yield "Attacks' cost an image", f"{gradients} gradients, {forwards} forward passes"

    def caption(self, report: Report, model: Any, name: str, end: str) -> str:
        return (
            f"Share of {wording.images_of(report)} that {name} classifies correctly, against "
            f"epsilon ({report.threat_model.norm}): bold the worst case over all attacks with its "
            f"95{wording.NO_BREAK_SPACE}% interval, thin single attacks, dashed guessing."
        )

    def figures(self, report: Report, model: Any, name: str) -> Iterator[tuple[str, Any]]:
        if model.attacked:
            yield "curves", curves.of_report(report, attack_lines(report, model))(title=name)


def attack_lines(report: Report, model: Any) -> list[curves.Curve]:
    """Gives the lines of a model: each attack that ran, and the worst case bold."""
    clean = model.clean_accuracy
    lines = [
        curves.Curve(label=attack.name, accuracy=(clean, *attack.accuracy)) for attack in model.ran
    ]
    worst = (clean, *model.worst_case.accuracy)
    return [
        *lines,
        curves.Curve(
            label="worst case",
            accuracy=worst,
            band=tuple(report.interval(value) for value in worst),
            bold=True,
            doubtful=model.verdict == "unreliable",
        ),
    ]


def training_in_words(model: Any) -> str:
    """Writes how a model was trained: the settings that tell it, or that nothing does."""
    if model.training is None:
        return wording.UNKNOWN
    return wording.settings(model.training)


def model_facts(report: Report, model: Any) -> list[tuple[str, str]]:
    """Gives the (name, value) pairs that describe a model."""
    clean, *interval = (
        wording.percent(value)
        for value in (model.clean_accuracy, *report.interval(model.clean_accuracy))
    )
    sparsity = wording.UNKNOWN if model.sparsity is None else wording.percent(model.sparsity)
    parameters = wording.UNKNOWN if model.parameters is None else wording.count(model.parameters)
    shape = " × ".join(str(side) for side in model.image_shape)
    rejection = []
    if model.rejection is not None:
        rejection = [
            ("Rejects", rule_in_words(model.rejection)),
            ("Accepted without attack", wording.percent(model.rejection.clean_accepted)),
        ]
    return [
        ("Path", wording.visible(model.path)),
        ("Format", FORMAT_NAMES[model.format]),
        ("Trained", training_in_words(model)),
        ("Clean accuracy", f"{clean} ({' to '.join(interval)})"),
        ("Parameters", parameters),
        ("Sparsity", f"{sparsity} of the weights are zero" if model.sparsity else sparsity),
        ("Input", f"{shape} image" if shape else wording.UNKNOWN),
        *([] if model.pixels == "0..1" else [("Pixels that it takes", model.pixels)]),
        ("Output", f"{wording.count(model.num_classes)} {model.output_kind or 'numbers'}"),
        *rejection,
        *[("Note", wording.visible(note)) for note in model.notes],
        ("Time", wording.seconds(model.seconds)),
    ]
