"""Unusual inputs: does a model know what it does not know?"""

import functools
from collections.abc import Iterator
from typing import Any

from robust_keras.findings import FoolingReport, Report, UnusualReport
from robust_keras.findings.unusual import SURE, VERY_SURE
from robust_keras.reporting import figures, fooling_grid, grid, sample_pictures, wording
from robust_keras.reporting.section import LESS_IS_BETTER, Section, named_lines, part
from robust_keras.reporting.sections.rejection import rule_in_words
from robust_keras.reporting.table import Table

_SAMPLES = {
    "noisy": (
        "Noisy samples",
        "Images of the data set with noise of one size and random sign at every pixel. A model "
        "should know them for what they are as long as a person does.",
    ),
    "nonsense": (
        "Nonsense samples",
        "{nonsense}, moved by the strength towards the class that the model is most sensitive to. "
        "Every sample that is accepted is an error.",
    ),
}
_FOOLING = {
    "fooling_gradient": "by climbing its confidence in each class",
    "fooling_direct": "by breeding the pixels for the model's confidence in each class",
    "fooling_cppn": "by breeding small networks that paint, for its confidence in each class",
}


class Unusual(Section):
    """Samples of rising strength as tables, fooling images as pictures."""

    template = part("unusual.html")

    def show(self, report: Report, model: Any) -> dict[str, Any] | None:
        if model.unusual is None:
            return None
        return {
            "rule": acceptance_rule(model),
            "samples": [_samples(report, part) for part in model.unusual.samples],
            "fooling": [_fooling(report, part) for part in model.unusual.fooling],
        }

    def tables(self, report: Report, model: Any, name: str) -> Iterator[tuple[str, Table]]:
        for samples in model.unusual.samples if model.unusual else ():
            if not samples.skipped:
                yield samples.name, _table(samples, name)

    def measures(self, report: Report, model: Any) -> Iterator[tuple[str, str]]:
        for samples in model.unusual.samples if model.unusual else ():
            if samples.strengths:
                last = samples.strengths[-1]
                title = _title(samples)
                strength = wording.epsilon(last.strength)
                better = f" {LESS_IS_BETTER}" if samples.name == "nonsense" else ""
                yield f"{title} accepted at {strength}{better}", wording.percent(last.accepted)
        for fooling in model.unusual.fooling if model.unusual else ():
            if fooling.images:
                title = f"Fooling images: {fooling_grid.title(fooling.name).lower()}"
                yield (
                    f"{title} {LESS_IS_BETTER}",
                    f"{fooling.accepted} of {len(fooling.images)} accepted",
                )

    def caption(self, report: Report, model: Any, name: str, end: str) -> str:
        if end in _SAMPLES:
            title, lead = _words(report, end)
            return (
                f"{title} by strength, with the answer of {name} and its confidence; "
                f"{wording.images_of(report)}. {lead}"
            )
        return (
            f"Images that show nothing, made to be taken for each class of "
            f"{wording.visible(report.dataset.name)} by {name}, with its confidence in that class."
        )

    def figures(self, report: Report, model: Any, name: str) -> Iterator[tuple[str, Any]]:
        for one in model.unusual.samples if model.unusual else ():
            if any(row.examples for row in one.strengths):
                names = report.dataset.class_names
                heading = f"{_title(one)}, shown to {name}"
                yield one.name, sample_pictures.draw(one, class_names=names, title=heading)
        fooling = model.unusual.fooling if model.unusual else ()
        if rows := [part for part in fooling if fooling_grid.shown(part)]:
            yield (
                "fooling",
                fooling_grid.draw(
                    rows,
                    heading=f"Fooling images of {name}",
                    class_names=report.dataset.class_names,
                ),
            )

    def lines(self, report: Report) -> list[str]:
        return named_lines(report, lambda m: unusual_notes(m.unusual) if m.unusual else ())


def _samples(report, part):
    title, lead = _words(report, part.name)
    clip = part.settings.get("clip")
    kept = " Pixels stay in [0, 1]." if clip is True else ""
    if clip is False:
        kept = " Pixels may leave [0, 1]."
    return {
        "part": part,
        "title": title,
        "lead": lead + kept,
        "count": f"{wording.plural(part.samples, 'sample')} of each strength, "
        f"{wording.seconds(part.seconds)}.",
        "pictures": _pictures(report, part),
    }


def _words(report, kind):
    """The title of a kind of samples, and what they are."""
    title, lead = _SAMPLES.get(kind, (wording.visible(kind), ""))
    return title, lead.replace("{nonsense}", _nonsense(report))


def _nonsense(report):
    """What was shown, and what was done to it."""
    words = wording.nonsense_of(report, "noise that shows nothing")
    found = report.dataset.nonsense
    fitting = f" ({found.fitting})" if found and found.fitting else ""
    return words[0].upper() + words[1:] + fitting


def _title(part):
    return _SAMPLES.get(part.name, (wording.visible(part.name), ""))[0]


def _pictures(report, part):
    """The first samples on the page, or "" where none were kept."""
    if not any(row.examples for row in part.strengths):
        return ""
    names = report.dataset.class_names
    return figures.on_page(functools.partial(sample_pictures.draw, part, class_names=names))


def _table(part, name):
    has_accuracy = any(row.accuracy is not None for row in part.strengths)
    accuracies = ("Accuracy", "of the\naccepted") if has_accuracy else ()
    return Table(
        caption=f"{_title(part)} of {name}: {wording.plural(part.samples, 'sample')} of each "
        "strength",
        columns=(
            *("Strength", "Accepted", *accuracies),
            *("mean\nconfidence", "largest\nconfidence"),
        ),
        rows=tuple(_row(row, has_accuracy) for row in part.strengths),
        words=(),
    )


def _row(row, has_accuracy):
    shares = [row.accepted, *([row.accuracy, row.accuracy_accepted] if has_accuracy else [])]
    return (
        wording.epsilon(row.strength),
        *("none" if value is None else wording.percent(value) for value in shares),
        wording.confidence(row.mean_confidence),
        wording.confidence(row.largest_confidence),
    )


def _fooling(report, part):
    title = f"Fooling images: {fooling_grid.title(part.name).lower()}"
    return {
        "part": part,
        "title": title,
        "summary": fooling_summary(part) if part.images else "",
        "items": [_item(report, image) for image in fooling_grid.shown(part)],
        "more": len(part.images) - len(fooling_grid.shown(part)),
    }


def _item(report, image):
    names = report.dataset.class_names
    return {
        "name": grid.class_name(image.class_index, names),
        "confidence": wording.confidence(image.confidence),
        "accepted": image.accepted,
        "source": figures.address("png", grid.png(fooling_grid.picture(image))),
        "steps": _steps(image.iterations),
    }


def _steps(iterations):
    """Writes when the confidence was first so high, for the last of these that it reached."""
    for mark, words in (("0.9999", "99.99 %"), ("0.999", "99.9 %"), ("0.99", "99 %")):
        steps = iterations.get(mark)
        if isinstance(steps, int):
            return f"{words} after {wording.plural(steps, 'step')}"
    steps = iterations.get("top")
    if isinstance(steps, int):
        return f"first after {wording.plural(steps, 'step')}"
    return "never the largest" if iterations else ""


def unusual_notes(unusual: UnusualReport) -> list[str]:
    """Gives one line of text on each kind of unusual input that was tried."""
    notes = [_sample_note(part) for part in unusual.samples if part.strengths]
    notes += [
        f"{part.name}: more than {_round(VERY_SURE)} sure of {part.above(VERY_SURE)} of "
        f"{len(part.images)} classes, {part.accepted} accepted"
        for part in unusual.fooling
        if part.images
    ]
    notes += [f"{part.name}: did not run: {part.skipped}" for part in unusual.parts if part.skipped]
    return [wording.visible(note) for note in notes]


def _sample_note(part):
    last = part.strengths[-1]
    accuracy = ""
    if last.accuracy is not None:
        accuracy = f", {wording.percent(last.accuracy)} classified correctly"
    return (
        f"{part.name}: {wording.percent(last.accepted)} accepted at strength "
        f"{wording.epsilon(last.strength)}{accuracy}"
    )


def acceptance_rule(model: Any) -> str:
    """Gives a sentence on which images count as accepted."""
    if model.rejection is None:
        return (
            "The model rejects nothing, so an image counts as accepted where its confidence is "
            f"above {SURE:g}, as in the study that these tests are from."
        )
    return f"An image is accepted unless the model rejects it: {rule_in_words(model.rejection)}."


def fooling_summary(part: FoolingReport) -> str:
    """Gives sentences on how many classes the model was fooled in, and what that took."""
    total = len(part.images)
    made = ", made " + _FOOLING[part.name] if part.name in _FOOLING else ""
    return (
        f"One image for each of {wording.count(total)} classes{made}. "
        f"The model's confidence is above {_round(SURE)} for {part.above(SURE)} of them and above "
        f"{_round(VERY_SURE)} for {part.above(VERY_SURE)}; it accepts {part.accepted} for the "
        f"class that was aimed at. Cost: {_cost(part)}."
    )


def _round(fraction):
    return f"{100.0 * fraction:g}{wording.NO_BREAK_SPACE}%"


def _cost(part):
    counts = (
        (part.generations, "generations"),
        (part.gradient_evaluations, "gradients"),
        (part.forward_evaluations, "forward passes"),
    )
    shown = [f"{wording.count(count)} {noun}" for count, noun in counts if count]
    return wording.listed([*shown, wording.seconds(part.seconds)])
