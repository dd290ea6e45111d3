"""What the attacker may do, to which images."""

from typing import Any

from robust_keras.findings import DatasetReport, Report
from robust_keras.reporting import grid, wording
from robust_keras.reporting.section import Section, part
from robust_keras.strength import follows_gradients

LONGEST_LIST = 8

NORM_MEANINGS = {
    "linf": "linf: no pixel value moves further than epsilon",
    "l2": "l2: the Euclidean length of the whole change is at most epsilon",
}


class Attacker(Section):
    """The threat model and the data, as pairs of words."""

    about = "report"
    template = part("attacker.html")

    def show(self, report: Report, model: Any) -> dict[str, Any] | None:
        return {"threat": threat_facts(report), "dataset": dataset_facts(report)}


def dataset_facts(report: Report) -> list[tuple[str, str]]:
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


def class_list(dataset: DatasetReport) -> str:
    """Gives how many classes there are and, where they have names of their own, the first names."""
    count = wording.count(dataset.num_classes)
    names = [wording.shortened(name, 24) for name in dataset.class_names]
    if names == [str(number) for number in range(len(names))]:
        return count
    more = len(names) - LONGEST_LIST
    shown = ", ".join(names[:LONGEST_LIST])
    return f"{count}: {shown}, and {more} more" if more > 0 else f"{count}: {shown}"


def threat_facts(report: Report) -> list[tuple[str, str]]:
    """Gives the (name, value) pairs that describe the attacker."""
    threat_model = report.threat_model
    low, high = threat_model.bounds
    epsilons = [wording.epsilon_in_full(value) for value in threat_model.epsilons]
    return [
        ("Norm", NORM_MEANINGS[threat_model.norm]),
        ("Epsilons", ", ".join(epsilons)),
        ("Pixel bounds", f"{low:g} to {high:g}, and epsilon is in the same unit"),
        ("Aim", _aim(report)),
        ("Knowledge", _knowledge(report)),
    ]


def _aim(report):
    target = report.threat_model.target_class
    if target is None:
        return "any wrong class"
    return f"class {grid.class_name(target, report.dataset.class_names)} and no other"


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


def outside(report: Report) -> str:
    """Says what was tried beyond the threat model, to go on from "Outside the threat model"."""
    unusual = [
        part.name
        for model in report.models
        if model.unusual is not None
        for part in model.unusual.parts
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
