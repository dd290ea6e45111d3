"""The facts of a report as pairs of words, for lists on the page."""

from robust_keras.reporting import wording
from robust_keras.reporting.rejection_words import rule_in_words
from robust_keras.strength import follows_gradients

UNKNOWN = "unknown"
LONGEST_LIST = 8

NORM_MEANINGS = {
    "linf": "linf: no pixel value moves further than epsilon",
    "l2": "l2: the Euclidean length of the whole change is at most epsilon",
}
FORMAT_NAMES = {"saved_model": "SavedModel", "keras": "Keras file"}


def model_facts(report, model):
    """Gives the (name, value) pairs that describe a model."""
    low, high = report.interval(model.clean_accuracy)
    clean = (
        f"{wording.percent(model.clean_accuracy)} "
        f"({wording.percent(low)} to {wording.percent(high)})"
    )
    sparsity = UNKNOWN if model.sparsity is None else wording.percent(model.sparsity)
    parameters = UNKNOWN if model.parameters is None else wording.count(model.parameters)
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
        ("Clean accuracy", clean),
        ("Parameters", parameters),
        ("Sparsity", f"{sparsity} of the weights are zero" if model.sparsity else sparsity),
        ("Input", f"{shape} image" if shape else UNKNOWN),
        *([] if model.pixels == "0..1" else [("Pixels that it takes", model.pixels)]),
        ("Output", f"{wording.count(model.num_classes)} {model.output_kind or 'numbers'}"),
        *rejection,
        *[("Note", wording.visible(note)) for note in model.notes],
        ("Time", wording.seconds(model.seconds)),
    ]


def layer_summary(model):
    """Gives one line on the layers: where slope and gradient are largest."""
    named = (("steepest activation", "largest_slope"), ("largest gradient", "gradient_norm"))
    pieces = []
    for title, field in named:
        known = [layer for layer in model.layers if getattr(layer, field) is not None]
        if known:
            most = max(known, key=lambda layer: getattr(layer, field))
            pieces.append(f"{title}: {getattr(most, field):.3g} in {wording.visible(most.name)}")
    return "; ".join(pieces)


def dataset_facts(report):
    """Gives the (name, value) pairs that describe the images."""
    dataset = report.dataset
    return [
        ("Data set", dataset.name),
        ("Split", dataset.split),
        ("Images", wording.count(dataset.examples)),
        ("Classes", class_list(dataset)),
        *[("Read as", wording.visible(note)) for note in dataset.notes],
        ("Seed", str(report.seed)),
    ]


def class_list(dataset):
    """Gives how many classes there are and, where they have names of their own, the first names."""
    count = wording.count(dataset.num_classes)
    names = [wording.shortened(name, 24) for name in dataset.class_names]
    if names == [str(number) for number in range(len(names))]:
        return count
    more = len(names) - LONGEST_LIST
    shown = ", ".join(names[:LONGEST_LIST])
    return f"{count}: {shown}, and {more} more" if more > 0 else f"{count}: {shown}"


def threat_facts(report):
    """Gives the (name, value) pairs that describe the attacker."""
    threat_model = report.threat_model
    low, high = threat_model.bounds
    epsilons = [wording.epsilon_in_full(value) for value in threat_model.epsilons]
    return [
        ("Norm", NORM_MEANINGS[threat_model.norm]),
        ("Epsilons", ", ".join(epsilons)),
        ("Pixel bounds", f"{low:g} to {high:g}, and epsilon is in the same unit"),
        ("Aim", "any wrong class"),
        ("Knowledge", _knowledge(report)),
    ]


def _knowledge(report):
    """What the attacks that ran made use of."""
    temperature, passes = report.attacker_temperature, report.expectation_samples
    names = wording.display_names(report.models)
    blind = [
        name
        for name, model in zip(names, report.models, strict=True)
        if not any(follows_gradients(attack) for attack in model.ran)
    ]
    if len(blind) == len(names):
        text = "the model's answers only (black box): no attack that ran used its gradients"
    else:
        text = "everything about the model (white box)"
        text += f"; of {wording.listed(blind)} its answers only" if blind else ""
    if temperature == "removed":
        text += "; each image's logits are divided by their standard deviation"
    elif temperature != 1.0:
        text += f"; its logits are divided by {temperature:g}"
    if passes > 1:
        text += f"; answers of a random model are means of {passes} passes"
    return text


def outside(report):
    """Says what was tried beyond the threat model, to go on from "Outside the threat model"."""
    unusual = [
        part.name
        for model in report.models
        if model.unusual is not None
        for part in (*model.unusual.samples, *model.unusual.fooling)
        if part.skipped is None
    ]
    searched = max(
        (m.minimal_epsilon.largest for m in report.models if m.minimal_epsilon), default=0
    )
    wider = searched > report.threat_model.epsilons[-1]
    tried = [f"unusual inputs ({wording.listed(dict.fromkeys(unusual))})"] if unusual else []
    tried += (
        [f"larger epsilons, up to {searched:.4g}, in the search for the smallest"] if wider else []
    )
    rest = ["other norms", *([] if wider else ["larger epsilons"]), "rotations", "blur"]
    if not tried:
        return f"nothing was tried: not {', '.join(rest)}, or patches."
    return f"only {wording.listed(tried)} were tried: not {', '.join(rest)}, or patches."


def setting_text(settings):
    """Writes settings or evidence on one line, long lists cut short."""
    return "; ".join(
        f"{name.replace('_', ' ')} {_value(value)}" for name, value in settings.items()
    )


def _value(value):
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None:
        return "none"
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, int):
        return wording.count(value)
    if isinstance(value, list):
        shown = ", ".join(_value(item) for item in value[:LONGEST_LIST])
        more = len(value) - LONGEST_LIST
        return f"[{shown}, and {more} more]" if more > 0 else f"[{shown}]"
    if isinstance(value, dict):
        return f"({setting_text(value)})"
    return wording.shortened(str(value), 120)
