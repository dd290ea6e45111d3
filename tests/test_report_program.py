"""Finished reports joined, made again from their data alone, and exported."""

import csv
import dataclasses
import json
import re

import pytest
import report_samples as samples

from robust_keras import findings, reporting
from robust_keras.programs import report as program
from robust_keras.reporting import gallery


def written(folder, *models, **changes):
    """A report on disk, with pictures of its first model."""
    report = samples.report(*(samples.with_outcomes(model) for model in models), **changes)
    report = gallery.with_examples(report, {report.models[0].path: samples.examples(2)})
    reporting.write(report, {}, folder)
    return folder


NONSENSE = dataclasses.replace(
    samples.report().dataset,
    nonsense=findings.NonsenseReport(name="cifar10", split="test", images=100, fitting=None),
)


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    folder = tmp_path_factory.mktemp("reports")
    hostile = samples.sound_model(path="runs/a_b & 50%|x")
    told = {"commit": "one", "hardware": {"cores": 2, "machine": "x86_64"}}
    other = {"commit": "other", "hardware": {"cores": 4, "machine": "x86_64"}}
    written(folder / "b", samples.doubtful_model(), seed=3, **other)
    return written(folder / "a", hostile, **told), folder / "b"


def test_a_page_is_made_again_from_its_data_pictures_included(two, tmp_path, capsys):
    again = tmp_path / "again"
    assert program.main(["rebuild", str(two[0]), f"--output_dir={again}"]) == 0
    for name in ("report.html", "report.json"):
        assert (again / name).read_bytes() == (two[0] / name).read_bytes()
    assert (again / "report.html").read_text().count("data:image/png") == 6
    assert str(again / "report.html") in capsys.readouterr().out


def test_reports_of_the_same_images_join_and_conclude(two, tmp_path, capsys):
    names = [str(two[0]), str(two[1] / "report.json")]
    assert program.main(["join", *names, f"--output_dir={tmp_path / 'j'}"]) == 0
    assert "is not ranked: its number is not to be believed" in capsys.readouterr().out
    report = reporting.Report.read(tmp_path / "j" / "report.json")
    assert len(report.models) == 2 and report.comparison.left_out == (report.models[1].path,)
    assert "temperature_50; seed 3" in report.joined[1]
    # Of what differs none is everybody's.
    assert (report.commit, report.hardware) == (None, {"machine": "x86_64"})
    assert "seed 3" in (tmp_path / "j" / "report.html").read_text()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"threat_model": samples.threat_model(norm="l2")}, "the same norm; received linf and l2"),
        ({"survivors_only": True}, "the same --survivors_only; received False and True"),
        ({"dataset": NONSENSE}, "the same --nonsense; received None and cifar10 (nonsense)"),
        ({}, "each model in one of them"),
    ],
)
def test_what_cannot_be_compared_is_refused_in_one_line(two, tmp_path, capsys, changes, said):
    other = samples.sound_model(path="runs/other" if changes else "runs/a_b & 50%|x")
    written(tmp_path / "c", other, **changes)
    names = [str(two[0]), str(tmp_path / "c")]
    assert program.main(["join", *names, f"--output_dir={tmp_path / 'j'}"]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and said in error and not (tmp_path / "j").exists()


def test_other_images_are_told_by_their_hash(two, tmp_path, capsys):
    for name in "de":
        value = json.loads((two[0] / "report.json").read_text())
        value["models"][0]["path"] = name
        value["dataset"]["fingerprint"] = name
        (tmp_path / name).write_text(json.dumps(value))
    names = [str(tmp_path / name) for name in "de"]
    assert program.main(["join", *names, f"--output_dir={tmp_path / 'j'}"]) == 2
    assert "the same images and labels; received d and e" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["jion"], ["join", "x"], [], ["rebuild", "nowhere"]])
def test_wrong_words_are_one_line(tmp_path, capsys, arguments):
    place = [f"--output_dir={tmp_path / 'new'}"] if arguments else []
    assert program.main([*arguments, *place]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    (tmp_path / "file").write_text("mine")
    assert program.main(["rebuild", "x", f"--output_dir={tmp_path}"]) == 2
    assert "which holds something" in capsys.readouterr().err


@pytest.fixture(scope="module")
def exported(two, tmp_path_factory):
    folder = tmp_path_factory.mktemp("export")
    joined, out = folder / "joined", folder / "out"
    names = [str(path) for path in two]
    assert program.main(["join", *names, f"--output_dir={joined}"]) == 0
    assert program.main(["export", str(joined), f"--output_dir={out}"]) == 0
    return out


def test_figures_are_vectors_that_hold_their_captions(exported):
    stems = {path.stem for path in (exported / "figures").glob("*.svg")}
    assert {"comparison", "02-temperature-50-curves"} <= stems
    captions = (exported / "figures" / "captions.md").read_text()
    for stem in stems:
        assert (exported / "figures" / f"{stem}.pdf").read_bytes().startswith(b"%PDF")
        assert f"- `{stem}`: " in captions
    svg = (exported / "figures" / "comparison.svg").read_text()
    assert "Share of 1,000 images of mnist5k (test)" in svg and "mnist5k" in captions


def test_tables_hold_the_same_numbers_in_every_form(exported):
    rows = list(csv.reader((exported / "tables" / "comparison.csv").open()))
    assert rows[0][:3] == ["Verdict", "Model", "No attack"] and len(rows) == 3
    latex, markdown = (
        (exported / "tables" / f"comparison.{kind}").read_text() for kind in ("tex", "md")
    )
    assert r"a\_b \& 50\%|x & 97.2~\% (96.0~\% to 98.1~\%) &" in latex
    assert r"| preliminary | a\_b & 50%\|x | 97.2 % (96.0 % to 98.1 %) |" in markdown
    cells = [re.split(r"(?<!\\)\|", line) for line in markdown.splitlines() if line[:1] == "|"]
    assert {len(line) for line in cells} == {9}
    assert (exported / "tables" / "02-temperature-50-audit.csv").read_text().count("failed") == 2


def test_the_card_claims_nothing_that_is_not_to_be_believed(exported):
    _, metadata, text = (exported / "README.md").read_text().split("---\n", 2)
    sound, doubtful = metadata.split("- name: ")[1], metadata.split('- name: "temperature_50"')[1]
    assert "Robust accuracy at most (linf, epsilon 0.3; preliminary)" in metadata
    assert "Robust" not in doubtful and "value: 0.981" in doubtful and sound
    assert "## temperature\\_50: unreliable" in text and "is not ranked" in text


def test_code_scanning_is_told_what_failed(exported):
    value = json.loads((exported / "audit.sarif").read_text())
    assert value["version"] == "2.1.0"
    (run,) = value["runs"]
    rules = {rule["id"] for rule in run["tool"]["driver"]["rules"]}
    found = {(result["ruleId"], result["level"]) for result in run["results"]}
    assert {("finite-gradients", "error"), ("verdict", "error"), ("verdict", "warning")} <= found
    assert {result["ruleId"] for result in run["results"]} == rules
    places = [r["locations"][0]["physicalLocation"]["artifactLocation"] for r in run["results"]]
    assert {"uri": "runs/a_b%20%26%2050%25%7Cx"} in places
