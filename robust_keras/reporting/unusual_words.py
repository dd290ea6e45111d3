"""Sentences about unusual inputs, the same on the page and in the terminal."""

from robust_keras.findings.unusual import SURE, VERY_SURE
from robust_keras.reporting import wording
from robust_keras.reporting.rejection_words import rule_in_words

_FOOLING = {
    "fooling_gradient": "by climbing its confidence in each class",
    "fooling_direct": "by breeding the pixels for the model's confidence in each class",
    "fooling_cppn": "by breeding small networks that paint, for its confidence in each class",
}


def unusual_notes(unusual):
    """Gives one line of text on each kind of unusual input that was tried."""
    notes = [_sample_note(part) for part in unusual.samples if part.strengths]
    notes += [
        f"{part.name}: more than {_round(VERY_SURE)} sure of {part.above(VERY_SURE)} of "
        f"{len(part.images)} classes, {part.accepted} accepted"
        for part in unusual.fooling
        if part.images
    ]
    parts = (*unusual.samples, *unusual.fooling)
    notes += [f"{part.name}: did not run: {part.skipped}" for part in parts if part.skipped]
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


def acceptance_rule(model):
    """Gives a sentence on which images count as accepted."""
    if model.rejection is None:
        return (
            "The model rejects nothing, so an image counts as accepted where its confidence is "
            f"above {SURE:g}, as in the study that these tests are from."
        )
    return f"An image is accepted unless the model rejects it: {rule_in_words(model.rejection)}."


def fooling_summary(part):
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
