"""What the page says of the smallest epsilons of a model."""

from robust_keras.findings.minimal_epsilon import FEW, SHARES
from robust_keras.reporting import boxes, figures, grid, wording


def minimal_section(report, model):
    """Gives what `minimal.html` shows of a model, or None where nothing was searched."""
    minimal = model.minimal_epsilon
    if minimal is None:
        return None
    examples, names = report.dataset.examples, report.dataset.class_names
    rows = [("all", examples, minimal.quantiles)]
    rows += [(grid.class_name(c.label, names), c.images, c.quantiles) for c in minimal.classes]
    gradients = wording.per_image(minimal.gradient_evaluations, examples)
    forwards = wording.per_image(minimal.forward_evaluations, examples)
    drawn = boxes.shown_classes(minimal)
    return {
        "sentence": _sentence(report, minimal),
        "pictures": figures.variants(lambda **look: figures.draw_boxes(report, model, **look)),
        "drawn": len(drawn),
        "few": FEW,
        "left_out": len(minimal.classes) > len(drawn),
        "shares": [wording.percent(share).replace(".0", "") for share in SHARES],
        "rows": [
            {
                "name": name,
                "images": images,
                "quantiles": [_epsilon(value, minimal) for value in quantiles],
            }
            for name, images, quantiles in rows
        ],
        "attack": minimal.attack,
        "settings": minimal.settings,
        "price": f"{wording.seconds(minimal.seconds)}, {gradients} gradients and {forwards} "
        "forward passes an image",
    }


def _epsilon(value, minimal):
    if value is None:
        return f"above {minimal.largest:.3g}"
    return f"{value:.3g}"


def _sentence(report, minimal):
    *_, middle, _, high = minimal.quantiles
    largest = f"{minimal.largest:.3g} ({report.threat_model.norm})"
    found, missing = (wording.percent(share) for share in (minimal.found, 1.0 - minimal.found))
    if middle is None:
        start = f"{found} of the images change class within epsilon {largest}."
    else:
        start = f"Half of the images change class within epsilon {middle:.3g}"
        start += "." if high is None else f", 95{wording.NO_BREAK_SPACE}% within {high:.3g}."
        if minimal.found < 1.0:
            start += f" For {missing} nothing was found up to {largest}."
    return (
        f"{start} An image that is misclassified as it is counts as 0. Every epsilon is an upper "
        f"bound, backed by an image; {minimal.attack} found none that is smaller by more than "
        f"{minimal.tolerance:.2g}."
    )
