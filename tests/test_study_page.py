"""What a page of a study tells of one number, and which tables it shows."""

import dataclasses
import pathlib

import numpy as np
import pytest

from robust_keras.studies import all_studies, page, results
from robust_keras.studies.known import Known, NotRunError
from robust_keras.studies.study import Table, grouped
from robust_keras.studies.verdicts import RULE


@pytest.mark.parametrize(
    ("unit", "told"),
    [
        ("points", "+96.0 points (+88.6 to +100.0; 3 seeds, 171 images)"),
        ("", "+0.960 (+0.886 to +1.033; 3 seeds, 171 images)"),
    ],
)
def test_a_share_ends_at_all_of_it_and_a_plain_number_does_not(unit, told):
    found = {"mean": 0.96, "low": 0.886, "high": 1.033, "seeds": [0, 1, 2], "images": 171}
    assert page.short({"found": found, "unit": unit}) == told


def test_ten_thousand_images_tell_two_digits():
    found = {"mean": 0.0028, "low": -0.0004, "high": 0.006, "seeds": [0], "images": 10_000}
    told = page.short({"found": found, "unit": "points"})
    assert told == "+0.28 points (-0.04 to +0.60; 1 seed, 10000 images)"


def test_further_tables_stand_in_the_results_and_on_the_page_where_they_are_declared():
    study = dataclasses.replace(all_studies.STUDIES["pruning"], tables=())
    tables = (
        Table(title="Shares", rows=(("half", 0.5), ("later", None)), columns=(("share", share),)),
    )
    nothing = Known(pathlib.Path("nowhere"))
    assert "tables" not in results.results(study, "small", nothing)
    more = dataclasses.replace(study, tables=tables)
    found = results.results(more, "small", nothing)
    assert [table["title"] for table in found["tables"]] == ["Shares"]
    shown = page.page(more, found)
    assert (
        "\n\nShares:\n\n|  | share<br>5 seeds, 100 images |\n| --- | --- |\n| half | 50.0 % ("
        in shown
    )
    assert "\n\nNot run yet: later.\n\n## The claims" in shown
    found["runs"] = [{**run, "done": True} for run in found["runs"]]
    assert "\n\nNot measured: later.\n\n## The claims" in page.page(more, found)


def test_a_column_tells_seeds_and_images_once_and_its_cells_what_differs():
    usual = {"mean": 0.5, "low": 0.4, "high": 1.2, "seeds": [0, 1, 2], "images": 100}
    few = {**usual, "seeds": [0], "doubtful": ["net-0"]}
    usual["doubtful"] = []
    cells = [few, usual, None, usual, {**usual, "images": 10_000}]
    assert page._column("clean", cells) == (
        "clean<br>3 seeds, 100 images",
        [
            "50.0 % (40.0 to 100.0; 1 seed; the audit doubts it)",
            "50.0 % (40.0 to 100.0)",
            "not run yet",
            "50.0 % (40.0 to 100.0)",
            "50.0 % (40.0 to 100.0; 10,000 images)",
        ],
    )


def test_claims_stand_under_the_headings_that_they_have():
    study = all_studies.STUDIES["pruning"]
    first, *others = study.claims
    claims = (*grouped("One", [first]), *grouped("Two", others))
    nothing = Known(pathlib.Path("nowhere"))
    found = results.results(study, "small", nothing)
    told = page.page(dataclasses.replace(study, claims=claims), found)
    table = "\n\n| claim | the source's number | ours | verdict | why |\n| --- |"
    assert "### " not in page.page(study, found)
    rule = f"{RULE} Here the audit believes every number that decides."
    assert f"## The claims\n\n{rule}\n\n### One{table}" in told and f"\n\n### Two{table}" in told
    assert told.count("### ") == 2


@pytest.mark.parametrize("study", all_studies.STUDIES.values(), ids=all_studies.STUDIES)
def test_a_method_is_told_in_ten_lines(study):
    found = results.results(study, "small", Known(pathlib.Path("nowhere")))
    method, _, rest = page.page(study, found).partition("## Method\n\n")[2].partition("\n\n")
    assert 4 <= method.count("- ") and method.count("\n") < 10
    assert rest.startswith("## What was seen")


def test_the_counts_tell_the_source_from_questions_of_our_own_and_the_audits_doubts():
    def claim(says, verdict, doubtful=()):
        measure = {"found": {"doubtful": list(doubtful)}, "reason": "", "verdict": verdict}
        return {"says": says, "verdict": verdict, "measures": [measure]}

    claims = [claim("It works", "holds"), claim("It lasts", "open", ["plain-0"])]
    claims.append(claim("Asked here: it matters", "fails"))
    found = {"name": "x", "form": "small", "claims": claims, "runs": [{"done": True}]}
    assert page._counts(found).startswith(
        "**Of the source's 2 claims 1 hold, 0 fail and 1 are open. Our own questions (1): 0 "
        "answered by yes, 1 by no, 0 open.** Made from"
    )
    assert page._doubts(found) == "Here the audit does not believe the numbers of 1 of the claims."


def share(of_images):
    def value(of):
        if of_images is None:
            raise NotRunError("later")
        return np.repeat((0.0, 1.0), 50)

    return value
