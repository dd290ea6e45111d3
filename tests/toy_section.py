"""A section of the report as somebody else would write it: all of it in one file."""

import dataclasses

import matplotlib.figure

from robust_keras import findings, reporting
from robust_keras.findings import fields


@dataclasses.dataclass(frozen=True, kw_only=True)
class BrightnessReport(findings.Finding):
    """How bright the images are on which the model errs."""

    mean: float = fields.fraction("mean pixel of the images that fool it")
    images: int = fields.count("how many these are")


class Brightness(reporting.Section):
    """One number, one bar, one line."""

    name = "brightness"
    finding = BrightnessReport
    template = "<h3>Brightness</h3>\n<p>{{ model.extensions.brightness.mean|percent }}</p>\n"

    def find(self, classifier, images, labels, evaluation):
        wrong = images[~evaluation.worst_case[-1]]
        return BrightnessReport(mean=wrong.mean() if len(wrong) else 0.0, images=len(wrong))

    def figures(self, report, model, name):
        if found := self.found(report, model):
            figure = matplotlib.figure.Figure()
            figure.add_subplot().bar([name], [found.mean])
            yield "brightness", figure

    def lines(self, report):
        pairs = ((model.name, self.found(report, model)) for model in report.models)
        return [f"{name}: brightness {found.mean:.2f}" for name, found in pairs if found]
