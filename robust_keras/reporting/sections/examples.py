"""Adversarial examples that the attacks found, as pictures."""

from collections.abc import Iterator
from typing import Any

from robust_keras.findings import Report
from robust_keras.reporting import figures, grid, wording
from robust_keras.reporting.section import Section, part


class Examples(Section):
    """Up to ten examples: the image, the change, and the image after the change."""

    template = part("examples.html")

    def show(self, report: Report, model: Any) -> dict[str, Any] | None:
        shown = _with_pictures(model)
        return {
            "looks": _looks(report, shown),
            "amplified": wording.times(shown[0].amplification) if shown else "",
            "items": [_item(report, example) for example in shown],
        }

    def caption(self, report: Report, model: Any, name: str, end: str) -> str:
        return (
            f"Images of {wording.visible(report.dataset.name)} that fool {name}: as they were, the "
            f"change enlarged around mid grey, and after it ({wording.attack_of(report)}), each "
            "with answer and confidence."
        )

    def figures(self, report: Report, model: Any, name: str) -> Iterator[tuple[str, Any]]:
        if shown := _with_pictures(model):
            yield (
                "examples",
                grid.draw(
                    shown,
                    title=f"Adversarial examples of {name}",
                    class_names=report.dataset.class_names,
                ),
            )


def _looks(report, shown):
    """Says of which epsilon the pictures are an example."""
    largest = report.threat_model.epsilons[-1]
    if shown and all(example.epsilon == largest for example in shown):
        return f"This is what epsilon {wording.epsilon(largest)} looks like, that of the headline."
    return "Below each stands the epsilon at which it was found."


def _with_pictures(model):
    return [example for example in model.examples if example.pictures]


def _item(report, example):
    names = report.dataset.class_names
    return {
        "index": example.index,
        "label": grid.class_name(example.label, names),
        "clean_class": grid.class_name(example.clean_class, names),
        "clean_confidence": wording.percent(example.clean_confidence),
        "adversarial_class": grid.class_name(example.adversarial_class, names),
        "adversarial_confidence": wording.percent(example.adversarial_confidence),
        "epsilon": wording.epsilon(example.epsilon),
        "attack": example.attack,
        "sources": [figures.address("png", grid.png(picture)) for picture in example.arrays],
    }
