"""The layers of a model in the report: in its JSON and on its page, and nowhere where unknown."""

import pytest
import report_samples as samples

from robust_keras import findings, reporting
from robust_keras.reporting import html

LAYERS = (
    findings.LayerReport(name="stem", gradient_norm=0.25),
    findings.LayerReport(name="stem_activation", largest_slope=3.4217, gradient_norm=1e9),
    findings.LayerReport(name="<b>last</b>", largest_slope=1.0),
)


def report(**changes):
    return samples.report(samples.sound_model(**changes))


def test_layers_survive_json():
    made = report(layers=LAYERS)
    assert reporting.Report.from_json(made.to_json()).models[0].layers == LAYERS


def test_the_page_names_the_steepest_layer_and_shows_each():
    page = html.render(report(layers=LAYERS))
    summary = "steepest activation: 3.42 in stem_activation; largest gradient: 1e+09 in stem_ac"
    assert summary in page
    assert "&lt;b&gt;last&lt;/b&gt;" in page and "<b>last" not in page
    assert "steepest activation" not in html.render(report(layers=()))


@pytest.mark.parametrize(
    "values",
    [{"name": ""}, {"name": "a", "largest_slope": -1.0}, {"name": "a", "gradient_norm": "x"}],
)
def test_senseless_layers_are_refused(values):
    with pytest.raises(ValueError, match="must be"):
        findings.LayerReport(**values)
