"""--inside: what goes on in a network, each number against one that was found another way."""

import json

import numpy as np
import pytest
from small_classifier import digits, network

import robust_keras
from robust_keras import serving
from robust_keras.inside import calibration as calibrations
from robust_keras.inside.subject import Subject


def subject(model, **changed):
    images, labels = (values[::100] for values in digits())
    given = {
        "classifier": serving.from_keras(model),
        "model": model,
        "obstacle": None,
        "images": images,
        "labels": labels,
        "fooling": {3: 1.0 - images[3]},
        "batch_size": 25,
        "seed": 0,
    }
    return Subject(**(given | changed))


@pytest.fixture(scope="module")
def looked_into(tmp_path_factory):
    images, labels = (values[::100] for values in digits())
    found = robust_keras.evaluate(
        network(), images, labels, attacks="pgd", epsilons=(0.1,), inside=True, progress=False
    )
    directory = tmp_path_factory.mktemp("inside") / "report"
    found.save(directory)
    return found, directory


def test_the_report_holds_and_shows_all_of_it(looked_into):
    found, directory = looked_into
    report = json.loads((directory / "report.json").read_text())["models"][0]
    page = (directory / "report.html").read_text(encoding="utf-8")
    assert 0.0 < report["calibration"]["expected_calibration_error"] < 1.0
    assert report["calibration"]["attacked_error"] > 0.3
    assert "Is it as often right as it is sure?" in page
    assert list((directory / "figures").glob("*calibration.png"))
    assert "expected calibration error" in found.summary()
    read = robust_keras.reporting.Report.read(directory / "report.json").models[0]
    assert read.calibration == found.models[0].calibration


def test_calibration_by_hand():
    # Two images of confidence 0.6 of which one is right, two of 0.9 that are both right.
    shares = np.array([[0.6, 0.4], [0.4, 0.6], [0.1, 0.9], [0.1, 0.9]])
    found = calibrations.reliability(shares.max(1), np.log(shares), np.array([0, 0, 1, 1]))
    held = [(b.images, b.accuracy, round(b.confidence, 3)) for b in found if b.images]
    assert held == [(2, 0.5, 0.6), (2, 1.0, 0.9)] and len(found) == calibrations.BINS
    assert calibrations.error(found) == pytest.approx((0.1 + 0.1) / 2)
    report = calibrations.calibration(subject(network()))
    own = next(row for row in report.temperatures if row.temperature == 1.0)
    assert own.clean == pytest.approx(report.expected_calibration_error, abs=1e-6)
    assert own.attacked != own.clean
    assert sum(b.images for b in report.bins) == sum(b.images for b in report.attacked_bins)
