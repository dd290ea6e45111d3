"""Unusual inputs from the command line to the page."""

import base64
import dataclasses
import json
import re

import numpy as np
import pytest
import report_samples as samples
import small_classifier
from test_report_html import words

import robust_keras
from robust_keras import findings, reporting
from robust_keras.data import foreign_images
from robust_keras.errors import InputError
from robust_keras.reporting import html as page
from robust_keras.runs import evaluation
from robust_keras.runs.unusual_inputs import UNUSUAL, unusual_inputs
from robust_keras.settings import names
from robust_keras.settings.config import EvaluateConfig
from robust_keras.unusual import examination

MODEL = samples.unusual_model()
REPORT = samples.report(MODEL)


@pytest.fixture(scope="module")
def evaluated(tmp_path_factory):
    path = tmp_path_factory.mktemp("unusual")
    images, labels = (values[::100] for values in small_classifier.digits())
    arrays = {"x_train": images, "y_train": labels, "x_test": images, "y_test": labels}
    np.savez(path / "data.npz", **arrays)
    small_classifier.network().save(path / "model.keras")
    config = EvaluateConfig(
        models=(str(path / "model.keras"),),
        dataset=str(path / "data.npz"),
        attacks=("fgsm",),
        epsilons=(0.1,),
        unusual=names.UNUSUAL,
        fooling_generations=3,
        fooling_steps=40,
    )
    report, examples, _ = evaluation.evaluate(config)
    reporting.write(report, examples, path / "report")
    return path / "report"


def test_what_runs_is_called_as_on_the_command_line():
    config = EvaluateConfig(models=("m",), unusual_clip=False, fooling_generations=7)
    made = {name: make(config, None) for name, make in UNUSUAL.items()}
    assert [thing.name for thing in made.values()] == list(names.UNUSUAL)
    assert not made["noisy"].clip and not made["nonsense"].clip
    assert made["fooling_direct"].generations == made["fooling_cppn"].generations == 7


def test_nothing_is_tried_unless_asked_for():
    config = EvaluateConfig(models=("m",))
    assert config.unusual == ("none",) and unusual_inputs(config) == []
    settings = dict.fromkeys(("batch_size", "seed", "journal", "progress"))
    assert examination.examine(None, None, None, [], **settings) is None
    with pytest.raises(InputError, match="--unusual: expected none alone; received none,noisy"):
        EvaluateConfig(models=("m",), unusual=("none", "noisy"))
    with pytest.raises(InputError, match="--unusual: expected one or more of none, noisy"):
        EvaluateConfig(models=("m",), unusual=("noise",))


def test_another_data_set_is_nonsense(tmp_path):
    images, labels = (values[::250] for values in small_classifier.digits())
    draw = np.random.default_rng(0)
    foreign = draw.integers(0, 256, (9, *images.shape[1:3], 3)).astype(np.uint8)
    np.savez(tmp_path / "other.npz", x_test=foreign, y_test=np.arange(9) % 2)
    model = small_classifier.network()
    found = robust_keras.evaluate(
        {"net": lambda x: model(x)},
        *(images, labels),
        **{"attacks": "fgsm", "epsilons": 0.1, "num_classes": 10, "progress": False},
        **{"unusual": ("nonsense",), "nonsense": str(tmp_path / "other.npz")},
    )
    (nonsense,) = found.models[0].unusual.samples
    first = nonsense.strengths[0]
    grey = foreign / 255.0 @ (0.299, 0.587, 0.114)
    for one in first.examples:
        assert np.abs(grey - one.image[..., 0] / 255.0).max(axis=(1, 2)).min() < 0.51 / 255
    assert (nonsense.samples, first.strength) == (9, 0.0)
    told = found.report.dataset.nonsense
    assert (told.images, told.split) == (9, "test") and told.fitting.startswith("grey as")
    shown = words(page.render(found.report))
    assert "(grey as 0.299 R + 0.587 G + 0.114 B), moved by the strength" in shown
    assert "Unusual inputs by strength" in shown and "noise that shows nothing" not in shown
    flat = np.full((2, 9, 5, 1), 0.25, np.float32)
    scaled, how = foreign_images.in_shape(flat, (4, 4, 3))
    np.testing.assert_allclose(scaled, np.full((2, 4, 4, 3), 0.25), atol=1e-6)
    assert how == "grey in all three channels, scaled from 9 x 5 (bilinear, antialiased)"


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({}, "--nonsense: expected noise without --inside or --unusual=nonsense; received kmnist"),
        ({"inside": True, "dataset": "kmnist"}, "--nonsense: expected another data set than"),
    ],
)
def test_a_data_set_that_nobody_would_see_is_refused(settings, text):
    with pytest.raises(InputError, match=text):
        EvaluateConfig(models=("m",), nonsense="kmnist", **settings)
    with pytest.raises(InputError, match="--nonsense: expected images of 2 channels, or of 1 or 3"):
        foreign_images.in_shape(np.zeros((1, 4, 4, 3), np.float32), (4, 4, 2))


def test_an_evaluation_writes_all_of_it(evaluated):
    (model,) = reporting.Report.read(evaluated / "report.json").models
    assert [part.name for part in model.unusual.samples] == ["noisy", "nonsense"]
    assert [part.name for part in model.unusual.fooling] == list(names.UNUSUAL[2:])
    noisy, nonsense = model.unusual.samples
    assert noisy.strengths[0].accuracy == pytest.approx(model.clean_accuracy)
    assert (noisy.samples, nonsense.samples, len(nonsense.strengths)) == (50, 50, 13)
    for part in (noisy, nonsense):
        shown = [row for row in part.strengths if row.examples]
        assert shown == [part.strengths[place] for place in (0, 6, 12)]
        for row in shown:
            images = np.stack([one.image for one in row.examples]) / np.float32(255)
            logits = small_classifier.network()(images).numpy().astype(np.float64)
            powers = np.exp(logits - logits.max(1, keepdims=True))
            confidences = powers.max(1) / powers.sum(1)
            for one, own, confidence in zip(row.examples, logits, confidences, strict=True):
                assert one.confidence == pytest.approx(confidence, abs=0.02)
                assert one.accepted == (one.confidence > 0.5)
                assert one.answer == own.argmax() or np.ptp(np.sort(own)[-2:]) < 0.1
    assert len(list((evaluated / "figures").glob("01-*-nonsense.png"))) == 1
    (value,) = json.loads((evaluated / "report.json").read_text())["models"]
    for part, item in zip(model.unusual.fooling, value["unusual"]["fooling"], strict=True):
        confidences = np.array([image["confidence"] for image in item["images"]])
        assert len(confidences) == 10
        assert item["above_half"] == part.above(0.5) == (confidences > 0.5).sum()
        assert item["above_99"] == part.above(0.99) == (confidences > 0.99).sum()
        assert item["accepted"] == sum(image["accepted"] for image in item["images"])
        pixels = base64.b64decode(item["images"][3]["pixels"])
        image = np.frombuffer(pixels, np.uint8).reshape(14, 14, 1) / np.float32(255)
        logits = small_classifier.network()(image[np.newaxis]).numpy()[0].astype(np.float64)
        expected = np.exp(logits[3]) / np.exp(logits).sum()
        assert confidences[3] == pytest.approx(expected, rel=1e-4)
    assert len(list((evaluated / "figures").glob("01-*-fooling.png"))) == 1
    assert "Fooling images: bred as painting networks" in (evaluated / "report.html").read_text()


def test_reports_survive_being_written_and_read():
    assert reporting.Report.from_json(REPORT.to_json()) == REPORT
    value = json.loads(REPORT.to_json())["models"][0]["unusual"]["fooling"][0]
    assert (value["above_half"], value["above_99"], value["accepted"]) == (6, 3, 3)
    old = json.loads(samples.report().to_json())
    del old["models"][0]["unusual"]
    assert reporting.Report.from_json(json.dumps(old)) == samples.report()


def test_the_page_tells_it():
    text = words(page.render(REPORT)).replace("\xa0", " ")
    order = [
        "Unusual inputs: does it know what it does not know?",
        "The model rejects nothing, so an image counts as accepted where its confidence is above",
        "Noisy samples",
        "1,000 samples of each strength, 1.5 s.",
        "0.15 85.0 % 83.0 % 84.0 % 84.0 % > 99.99 %",
        "0.5 50.0 % 48.0 % none 49.0 % > 99.99 %",
        "Nonsense samples",
        "Every sample that is accepted is an error.",
        "Did not run: No gradient.",
        "Fooling images: gradient ascent",
        "One image for each of 10 classes, made by climbing its confidence in each class.",
        "The model's confidence is above 50 % for 6 of them and above 99 % for 3; it accepts 3 for "
        "the class that was aimed at. Cost: 3,010 gradients, 10 forward passes and 8.2 s.",
        "2 99.99 % 99 % after 14 steps",
        "Fooling images: bred as painting networks",
        "200 generations, 40,010 forward passes and 8.2 s.",
    ]
    places = [text.index(phrase) for phrase in order]
    assert places == sorted(places)
    rejecting = samples.rejecting_model(unusual=MODEL.unusual)
    text = words(page.render(samples.report(rejecting)))
    assert "unless the model rejects it: answers in its last 2 classes" in text
    assert "does it know what it does not know" not in words(page.render(samples.report()))


def test_the_terminal_tells_it_in_a_line_each():
    lines = reporting.summary_table(REPORT).splitlines()
    assert lines[-6:] == [
        "",
        "unusual: noisy: 50.0 % accepted at strength 0.5, 48.0 % classified correctly",
        "unusual: nonsense: 50.0 % accepted at strength 0.5",
        "unusual: fooling_gradient: more than 99 % sure of 3 of 10 classes, 3 accepted",
        "unusual: fooling_cppn: more than 99 % sure of 3 of 10 classes, 3 accepted",
        "unusual: nonsense: did not run: No gradient.",
    ]
    assert "noisy" not in reporting.summary_table(samples.report())


def test_many_classes_do_not_fill_the_page():
    many = samples.fooling("fooling_direct", classes=30, generations=5)
    model = samples.unusual_model(unusual=findings.UnusualReport(fooling=(many,)))
    text = page.render(samples.report(model))
    assert len(re.findall("made to be taken for", text)) == 10
    assert "20 more are not shown" in text


@pytest.mark.parametrize(
    ("kind", "changes", "expected"),
    [
        ("image", {"pixels": "AAAA"}, "`pixels` must hold 784 bytes. Received: 3"),
        ("image", {"pixels": "?"}, "`pixels` must be base64"),
        ("image", {"shape": (28, 28)}, r"`shape` must be \(height, width, channels\)"),
        ("image", {"confidence": 1.1}, "`confidence` must be a finite number"),
        ("strength", {"accepted": 1.2}, "`accepted` must be a finite number"),
        ("strength", {"mean_confidence": float("nan")}, "`mean_confidence` must be a finite"),
        ("samples", {"strengths": ()}, "noisy must have found something or tell why"),
        ("samples", {"skipped": "x"}, "noisy must have found something or tell why"),
        ("samples", {"samples": 0}, "`samples` must be a whole number of at least 1"),
        ("fooling", {"images": ()}, "must have found something"),
    ],
)
def test_parts_that_cannot_be_are_refused(kind, changes, expected):
    noisy, fooling = MODEL.unusual.samples[0], MODEL.unusual.fooling[0]
    part = {"image": fooling.images[0], "strength": noisy.strengths[0]}.get(kind)
    part = part or {"samples": noisy, "fooling": fooling}[kind]
    with pytest.raises(ValueError, match=expected):
        dataclasses.replace(part, **changes)
    with pytest.raises(ValueError, match="`strengths` must rise"):
        dataclasses.replace(noisy, strengths=noisy.strengths[::-1])
