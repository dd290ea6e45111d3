"""What a report says to somebody who knows none of its words."""

from typing import Any

from robust_keras.findings import Report
from robust_keras.findings.minimal_epsilon import SHARES
from robust_keras.reporting import wording


def of_model(report: Report, model: Any, pictures: bool = True) -> str:
    """Gives one paragraph without a term: what was done to the model and what came out.

    It refers to the pictures of the examples unless told that they do not stand further down.
    """
    images = report.dataset.examples
    right = report.count(model.clean_accuracy)
    shown = (
        f"Shown {wording.plural(images, 'image')}, the model recognises {_of(right, images)} of "
        "them correctly."
    )
    if not model.measured:
        return f"{shown} What somebody can do who alters them on purpose could not be found out."
    left = report.count(model.worst_case.accuracy[-1])
    altered = "altered on purpose"
    if pictures and any(example.pictures for example in model.examples):
        altered += ", about as much as the pictures further down show,"
    bound = "at most " if left else ""
    after = f"Once they are {altered} it still recognises {bound}{_of(left, images)}."
    if model.verdict == "unreliable":
        after += (
            " Do not rely on that: there are signs that it misleads whoever alters them, and "
            "that somebody better would find more."
        )
    elif model.verdict == "preliminary":
        after += " Somebody who tries harder may find more."
    return f"{shown} {after}"


def of_models(report: Report, names: list[str]) -> str:
    """Gives one paragraph without a term on several models, by the names they are shown by."""
    images = report.dataset.examples
    pairs = list(zip(names, report.models, strict=True))
    believed = [
        f"{name} {_of(report.count(model.clean_accuracy), images)} and "
        f"{_of(report.count(model.worst_case.accuracy[-1]), images)}"
        for name, model in pairs
        if model.verdict != "unreliable"
    ]
    doubted = [name for name, model in pairs if model.verdict == "unreliable"]
    text = (
        f"Every model was shown the same {wording.plural(images, 'image')}, and the same again "
        "after they had been altered on purpose to make it fail."
    )
    if believed:
        text += f" Recognised unaltered, and then altered, at most: {'; '.join(believed)}."
        text += _sureness(report, dict(zip((m.path for m in report.models), names, strict=True)))
    misleading = [name for name, model in pairs if model.corrected and name not in doubted]
    if misleading:
        text += (
            f" Trust what was counted for {wording.listed(misleading)} least: there are signs that "
            "such a model misleads whoever alters the images, and the count may still be too high."
        )
    if doubted:
        text += (
            f" What was counted for {wording.listed(doubted)} is worth nothing: there are signs "
            "that such a model misleads whoever alters the images."
        )
    return text


def _sureness(report, names):
    """Whether other images might turn the order of those who may be believed round."""
    found = report.comparison
    if found is None or len(found.ranked) < 2:
        return ""
    best = found.ranked[0]
    if not any(m.worst_case.accuracy[-1] for m in report.models if m.path == best):
        return ""
    if near := found.near(report.threat_model.epsilons[-1]):
        tied = [names[path] for path in (best, *near)]
        return (
            f" Which of {wording.listed(tied)} does best these images are too few to tell: others "
            "might give another order."
        )
    return f" {names[best]} does best, and other images would hardly change that."


def half_falls(report: Report, model: Any) -> str:
    """Says within which epsilon half of the images fall, as far as it is known; or nothing."""
    if not model.measured:
        return ""
    if model.minimal_epsilon is not None:
        middle = model.minimal_epsilon.quantiles[len(SHARES) // 2]
        if middle is not None:
            return f"Half of the images fall within epsilon {middle:.3g}."
    epsilons = (0.0, *model.worst_case.epsilons)
    levels = (model.clean_accuracy, *model.worst_case.accuracy)
    if levels[0] <= 0.5:
        return "Half of the images are misclassified as they are."
    for place in range(1, len(levels)):
        if levels[place] <= 0.5:
            low, high = (wording.epsilon(value) for value in epsilons[place - 1 : place + 1])
            end = f", not yet at {low}" if place > 1 else ""
            return f"Half of the images fall within epsilon {high}{end}."
    largest = wording.epsilon(epsilons[-1])
    return f"Fewer than half of the images fell, up to epsilon {largest}."


def _of(count: int, images: int) -> str:
    if count in (0, images):
        return "none" if not count else f"all {wording.count(images)}"
    return wording.count(count)
