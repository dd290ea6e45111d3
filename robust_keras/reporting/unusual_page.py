"""What the page shows of unusual inputs."""

import base64

from robust_keras.reporting import fooling_grid, grid, wording
from robust_keras.reporting.unusual_words import acceptance_rule, fooling_summary

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


def unusual_block(report, model):
    """Gives what report.html shows of a model's unusual inputs, or None where none were tried."""
    if model.unusual is None:
        return None
    return {
        "rule": acceptance_rule(model),
        "samples": [_samples(part) for part in model.unusual.samples],
        "fooling": [_fooling(report, part) for part in model.unusual.fooling],
    }


def _samples(part):
    title, lead = _SAMPLES.get(part.name, (wording.visible(part.name), ""))
    clip = part.settings.get("clip")
    has_accuracy = any(row.accuracy is not None for row in part.strengths)
    kept = " Pixels stay in [0, 1]." if clip is True else ""
    if clip is False:
        kept = " Pixels may leave [0, 1]."
    return {
        "part": part,
        "title": title,
        "lead": lead + kept,
        "has_accuracy": has_accuracy,
        "count": f"{wording.plural(part.samples, 'sample')} of each strength, "
        f"{wording.seconds(part.seconds)}.",
        "rows": [_row(row, has_accuracy) for row in part.strengths],
    }


def _row(row, has_accuracy):
    shares = [row.accepted, *([row.accuracy, row.accuracy_accepted] if has_accuracy else [])]
    return {
        "strength": wording.epsilon(row.strength),
        "numbers": [
            *("none" if value is None else wording.percent(value) for value in shares),
            wording.confidence(row.mean_confidence),
            wording.confidence(row.largest_confidence),
        ],
    }


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
    png = grid.png(fooling_grid.picture(image))
    return {
        "name": grid.class_name(image.class_index, names),
        "confidence": wording.confidence(image.confidence),
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
