"""The change test: a section in one file appears in JSON, page, figures, table and format page."""

import dataclasses
import json

import jsonschema
import numpy as np
import pytest
import report_samples as samples
import small_classifier
from toy_section import Brightness, BrightnessReport

from robust_keras import reporting
from robust_keras.findings import format_page, outcomes, schema
from robust_keras.reporting import html
from robust_keras.runs import evaluation
from robust_keras.settings.config import EvaluateConfig


class Whole(Brightness):
    """The same of the whole report."""

    name = "whole"
    about = "report"
    template = "<h2>Whole {{ report.extensions.whole.images }}</h2>"

    def find_in(self, report):
        return BrightnessReport(mean=0.5, images=report.dataset.examples)


@pytest.fixture
def registered():
    for section in (Brightness(), Whole()):
        reporting.register(section)
    yield
    for name in ("brightness", "whole"):
        reporting.unregister(name)


def test_it_is_made_by_an_evaluation_and_written_everywhere(registered, tmp_path):
    images, labels = (values[::100] for values in small_classifier.digits())
    names = {"x_train": images, "y_train": labels, "x_test": images, "y_test": labels}
    np.savez(tmp_path / "data.npz", **names)
    small_classifier.network().save(tmp_path / "model.keras")
    config = EvaluateConfig(
        models=(str(tmp_path / "model.keras"),),
        dataset=str(tmp_path / "data.npz"),
        attacks=("fgsm",),
        epsilons=(0.3,),
    )
    report, examples, _ = evaluation.evaluate(config)
    reporting.write(report, examples, tmp_path / "report")
    whole = json.loads((tmp_path / "report" / "report.json").read_text())
    assert whole["whole"] == {"mean": 0.5, "images": 50}
    (value,) = whole["models"]
    assert outcomes.survived(report.models[0], 50).mean() == value["worst_case"]["accuracy"][0]
    assert value["training"] is None
    assert whole["resolved_settings"]["batch_size"] == config.batch_size
    assert whole["resolved_settings"]["attacks"] == ["fgsm"] and whole["hardware"]["cores"] >= 1
    hashes = {value["fingerprint"], whole["dataset"]["fingerprint"]}
    assert {len(text) for text in hashes} == {32} and len(hashes) == 2
    assert value["brightness"]["images"] == round(50 * (1 - value["worst_case"]["accuracy"][-1]))
    assert 0.0 < value["brightness"]["mean"] < 1.0
    again = reporting.Report.read(tmp_path / "report" / "report.json")
    assert again.models[0].extensions == report.models[0].extensions
    page = (tmp_path / "report" / "report.html").read_text()
    order = ["The audit: can this number be believed?</h3>", ">Brightness</h3>"]
    order += [">What the attacker may do</h2>", "<h2>Whole 50", ">How to read this</h2>"]
    assert sorted(map(page.index, order)) == list(map(page.index, order))
    assert [path.name for path in (tmp_path / "report" / "figures").glob("*brightness.png")]
    assert f": brightness {value['brightness']['mean']:.2f}" in reporting.summary_table(report)


def test_the_format_tells_of_it(registered):
    page = format_page.made_anew(format_page.read())
    start = page.index("### models[].brightness")
    assert page.index("### whole") > start
    assert "mean pixel of the images that fool it" in page[start:]
    assert "BrightnessReport" in json.dumps(schema.schema())
    assert "| `brightness` | object or null |" in page


def test_what_is_not_registered_is_left_aside_and_refused(registered):
    found = {"brightness": BrightnessReport(mean=0.5, images=3)}
    model = dataclasses.replace(samples.sound_model(), extensions=found)
    text = samples.report(model).to_json()
    assert reporting.Report.from_json(text).models[0].extensions == found
    damaged = text.replace('"mean": 0.5', '"mean": 5')
    with pytest.raises(ValueError, match="`mean` must be a finite number"):
        reporting.Report.from_json(damaged)
    reporting.unregister("brightness")
    assert reporting.Report.from_json(text) == samples.report()
    assert "Brightness" not in html.render(reporting.Report.from_json(text))
    with pytest.raises(ValueError, match="must hold what is registered"):
        dataclasses.replace(samples.sound_model(), extensions=found)
    reporting.register(Brightness())


def test_a_name_of_ours_is_not_taken():
    taken = Brightness()
    taken.name = "clean_accuracy"
    with pytest.raises(ValueError, match="clean_accuracy"):
        reporting.register(taken)


def test_the_documents_are_what_the_code_makes():
    for part in schema.every(reporting.Report):
        assert f"<!-- fields of {part.__name__} -->" in format_page.read()
    assert format_page.made_anew(format_page.read()) == format_page.read(), "make docs-format"
    text = (format_page.DOCUMENTS / "report.schema.json").read_text()
    assert text == format_page.schema_text(), "make docs-format"


def test_what_is_written_fits_the_schema_and_what_is_damaged_does_not():
    validator = jsonschema.Draft202012Validator(schema.schema())
    model = samples.rejecting_model(
        unusual=samples.unusual_model().unusual, minimal_epsilon=samples.minimal_epsilon()
    )
    value = json.loads(samples.report(model, transfer=samples.transfer(model)).to_json())
    assert not list(validator.iter_errors(value))
    value["models"][0]["attacks"][0]["accuracy"][0] = 1.5
    del value["dataset"]["split"]
    assert len(list(validator.iter_errors(value))) == 2
