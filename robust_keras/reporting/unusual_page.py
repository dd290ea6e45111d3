"""What the page says about unusual inputs."""

import base64

from robust_keras.reporting import fooling_grid, grid, wording
from robust_keras.reporting.rejection_report import rule_in_words
from robust_keras.reporting.unusual_report import SURE, VERY_SURE

_SAMPLES = {
    "noisy": (
        "Noisy samples",
        "Images of the data set with noise of one size and random sign at every pixel. A model "
        "should know them for what they are as long as a person does.",
    ),
    "nonsense": (
        "Nonsense samples",
        "Noise that shows nothing, moved by the strength towards the class that the model is most "
        "sensitive to. Every sample that is accepted is an error.",
    ),
}
_FOOLING = {
    "fooling_gradient": "by climbing its confidence in each class",
    "fooling_direct": "by breeding the pixels for the model's confidence in each class",
    "fooling_cppn": "by breeding small networks that paint, for its confidence in each class",
}


def unusual_block(report, model):
    """Gives what report.html shows of a model's unusual inputs, or None where none were tried."""
    if model.unusual is None:
        return None
    return {
        "rule": _rule(model),
        "samples": [_samples(part) for part in model.unusual.samples],
        "fooling": [_fooling(report, part) for part in model.unusual.fooling],
    }


def _rule(model):
    if model.rejection is None:
        return (
            "The model rejects nothing, so an image counts as accepted where its confidence is "
            f"above {SURE:g}, as in the study that these tests are from."
        )
    return f"An image is accepted unless the model rejects it: {rule_in_words(model.rejection)}."


def _samples(part):
    title, lead = _SAMPLES.get(part.name, (wording.visible(part.name), ""))
    clip = part.settings.get("clip")
    kept = {True: " Pixels stay in [0, 1].", False: " Pixels may leave [0, 1].", None: ""}[clip]
    return {
        "part": part,
        "title": title,
        "lead": lead + kept,
        "has_accuracy": any(row.accuracy is not None for row in part.strengths),
        "count": f"{wording.plural(part.samples, 'sample')} of each strength, "
        f"{wording.seconds(part.seconds)}.",
        "rows": [_row(row) for row in part.strengths],
    }


def _row(row):
    accurate = [row.accuracy, row.accuracy_accepted]
    return {
        "strength": wording.epsilon(row.strength),
        "numbers": [
            wording.percent(value)
            for value in (row.accepted, row.mean_confidence, row.largest_confidence)
        ],
        "accuracies": ["none" if v is None else wording.percent(v) for v in accurate],
    }


def _fooling(report, part):
    title = f"Fooling images: {fooling_grid.title(part.name).lower()}"
    return {
        "part": part,
        "title": title,
        "summary": _summary(part) if part.images else "",
        "items": [_item(report, image) for image in fooling_grid.shown(part)],
        "more": len(part.images) - len(fooling_grid.shown(part)),
    }


def _summary(part):
    total = len(part.images)
    made = ", made " + _FOOLING[part.name] if part.name in _FOOLING else ""
    return (
        f"One image for each of {wording.count(total)} classes{made}. "
        f"The model is more than {_round(SURE)} sure of {part.above(SURE)} of them, more than "
        f"{_round(VERY_SURE)} of {part.above(VERY_SURE)}, and accepts {part.accepted} for the "
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


def _item(report, image):
    names = report.dataset.class_names
    png = grid.png(fooling_grid.picture(image))
    return {
        "name": grid.class_name(image.class_index, names),
        "confidence": wording.percent(image.confidence),
        "accepted": image.accepted,
        "source": "data:image/png;base64," + base64.b64encode(png).decode("ascii"),
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
