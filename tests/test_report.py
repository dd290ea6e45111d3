import dataclasses
import json
import pathlib
import re
import subprocess
import sys
import types

import numpy as np
import pytest
import report_samples as samples
import scipy.stats

from robust_keras import findings, reporting
from robust_keras.directories import whole_files
from robust_keras.errors import InputError
from robust_keras.findings import kinds, schema
from robust_keras.findings.short_name import short_name
from robust_keras.proportions import wilson

DOCUMENT = pathlib.Path(__file__).parent.parent / "docs" / "report_format.md"
CONTRACT = [
    "schema",
    "created",
    "versions",
    "seed",
    "dataset",
    "threat_model",
    "models",
    "transfer",
]
MODEL_CONTRACT = ["path", "format", "clean_accuracy", "parameters", "sparsity"] + [
    "attacks",
    "worst_case",
    "audit",
    "reliable",
    "verdict",
]
ATTACK_CONTRACT = [
    "name",
    "settings",
    "accuracy",
    "seconds",
    "gradient_evaluations",
    "forward_evaluations",
]


def three_models():
    return samples.report(
        samples.sound_model(), samples.doubtful_model(), samples.gradient_free_model()
    )


def test_importing_reporting_loads_no_heavy_library():
    code = (
        "import sys, robust_keras.reporting;"
        "print(sorted({'tensorflow', 'keras', 'matplotlib', 'jinja2'} & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def test_json_holds_the_contract():
    value = json.loads(three_models().to_json())
    assert set(CONTRACT) <= set(value)
    assert value["schema"] == 2 and value["transfer"] is None and value["seed"] == 0
    assert value["dataset"]["name"] == "mnist5k" and value["dataset"]["examples"] == 1000
    limits = {"norm": "linf", "epsilons": [0.05, 0.1, 0.2, 0.3], "bounds": [0.0, 1.0]}
    assert value["threat_model"] == limits | {"target_class": None}
    for model in value["models"]:
        assert set(MODEL_CONTRACT) <= set(model)
        assert set(model["worst_case"]) >= {"epsilons", "accuracy"}
        for attack in model["attacks"]:
            assert set(ATTACK_CONTRACT) <= set(attack)
            pairs = zip(model["worst_case"]["accuracy"], attack["accuracy"], strict=True)
            assert all(worst <= single for worst, single in pairs)
        for check in model["audit"]:
            assert set(check) == {"check", "passed", "result", "message", "evidence"}
    assert [model["reliable"] for model in value["models"]] == [True, False, False]


def test_json_adds_counts_and_intervals():
    model = json.loads(samples.report().to_json())["models"][0]
    assert model["clean_correct"] == 972
    assert model["worst_case"]["correct"] == [891, 684, 112, 4]
    assert model["attacks"][1]["correct"] == [901, 742, 388, 171]
    low, high = model["worst_case"]["interval"][2]
    assert low < 0.112 < high
    assert model["clean_interval"] == list(wilson(972, 1000))


def with_transfer():
    model = samples.sound_model()
    changes = {"attacker_temperature": "removed", "expectation_samples": 20}
    changes["survivors_only"] = True
    return samples.report(model, transfer=samples.transfer(model), **changes)


@pytest.mark.parametrize(
    "report", [samples.report(), three_models(), with_transfer()], ids=["one", "three", "transfer"]
)
def test_json_round_trip(report, tmp_path):
    text = report.to_json()
    assert reporting.Report.from_json(text) == report
    assert reporting.Report.from_json(text).to_json() == text
    (tmp_path / "report.json").write_text(text)
    assert reporting.Report.read(tmp_path / "report.json") == report


def test_settings_and_evidence_become_plain_values():
    evidence = {
        "array": np.arange(3), "nan": float("nan"), "inf": np.float32(np.inf), 1: (True, None),
        "scalar": np.int64(7), "other": samples.CREATED.__class__,
    }  # fmt: skip
    check = samples.check("any", "text", **{str(k): v for k, v in evidence.items()})
    assert check.evidence["array"] == [0, 1, 2]
    assert check.evidence["nan"] == "nan" and check.evidence["inf"] == "inf"
    assert check.evidence["1"] == [True, None] and check.evidence["scalar"] == 7
    report = samples.report(samples.sound_model(audit=(check,)))
    assert reporting.Report.from_json(report.to_json()) == report


def test_plain_values_are_strict_json_for_anything():
    value = kinds.plain({"set": {"b", "a"}, "object": object, "np": np.float64("nan")})
    assert value["set"] == ["a", "b"] and value["np"] == "nan"
    json.dumps(value, allow_nan=False)


def test_numpy_numbers_are_taken():
    model = samples.sound_model(
        clean_accuracy=np.float32(0.972), parameters=np.int64(5), sparsity=np.float32(0.5)
    )
    report = samples.report(model)
    assert isinstance(report.models[0].clean_accuracy, float)
    assert json.loads(report.to_json())["models"][0]["clean_correct"] == 972


def field_names(value):
    """Every key of nested objects whose keys the format fixes."""
    if isinstance(value, list):
        return {name for item in value for name in field_names(item)}
    if not isinstance(value, dict):
        return set()
    free = {"settings", "evidence", "versions", "iterations"}
    return set(value) | {n for k, v in value.items() if k not in free for n in field_names(v)}


def test_every_field_is_documented_and_every_documented_field_is_there(tmp_path):
    rejecting = samples.rejecting_model(
        unusual=samples.unusual_model().unusual,
        minimal_epsilon=samples.minimal_epsilon(),
        counter_attacks=samples.counter_attacks(),
    )
    rejecting = samples.with_outcomes(samples.with_classes(rejecting))
    other = samples.with_outcomes(samples.sound_model())
    report = samples.report(rejecting, other, transfer=samples.transfer(rejecting, other))
    written = reporting.write(report, {report.models[0].path: samples.examples(1)}, tmp_path)
    assert "No attack aimed at the rule" in (tmp_path / "report.html").read_text()
    sections = re.split(r"^## ", DOCUMENT.read_text(encoding="utf-8"), flags=re.MULTILINE)
    # The other files have columns of their own.
    of_json = "".join(s for s in sections if not s.startswith(("examples.csv", "adversarial_")))
    documented = re.findall(r"^\| `(\w+)` \|", of_json, re.MULTILINE)
    declared = {name for part in schema.every(reporting.Report) for name, *_ in schema.rows(part)}
    # What the sample lacks, such as proofs, is declared all the same.
    found = field_names(json.loads(written.read_text()))
    assert found | declared == set(documented)


def test_classes_must_come_to_the_worst_case_and_answers_fit_the_model():
    model = samples.with_classes(samples.sound_model())
    first, *others = model.per_class
    first = dataclasses.replace(first, robust=(0.0,) * 4)
    with pytest.raises(ValueError, match="`per_class` must come to the worst case, 0.891"):
        dataclasses.replace(model, per_class=(first, *others))
    with pytest.raises(ValueError, match="`confusion` must hold 10 numbers a class"):
        dataclasses.replace(model, confusion=((1, 2),))


def test_the_area_is_that_of_straight_lines_between_what_lies_around_it():
    model = samples.sound_model(
        clean_accuracy=1.0,
        worst_case=samples.worst_case((0.8, 0.6, 0.4, 0.0)),
        attacks=(samples.attack("pgd", (0.8, 0.6, 0.4, 0.0)),),
    )
    places, values = (0.0, *samples.EPSILONS), (1.0, 0.8, 0.6, 0.4, 0.0)
    assert model.area == pytest.approx(np.trapezoid(values, places) / 0.3)
    assert model.area_limits == pytest.approx(((0.05 * 1.4 + 0.04) / 0.3, (0.05 * 1.8 + 0.1) / 0.3))


def changed(**changes):
    return lambda: samples.report(**changes)


def model(**changes):
    return lambda: samples.report(samples.sound_model(**changes))


def attacked(**changes):
    attack = samples.attack("pgd", (0.9, 0.8, 0.7, 0.6))
    return lambda: dataclasses.replace(attack, **changes)


def dataset(**changes):
    return lambda: dataclasses.replace(samples.report().dataset, **changes)


def threat(**changes):
    return lambda: dataclasses.replace(samples.report().threat_model, **changes)


LAST = samples.attack("pgd", (0.9, 0.7, 0.1, 0.05))
BAD = [
    ("accuracy above 1", attacked(accuracy=(1.1, 0.8, 0.7, 0.6)), "`accuracy` must be .*=1.1"),
    ("accuracy nan", attacked(accuracy=(float("nan"),)), "`accuracy` must be a finite number"),
    ("accuracy text", attacked(accuracy="0.5"), "`accuracy` must be a sequence"),
    ("seconds", attacked(seconds=-1.0), "`seconds`.*-1.0"),
    ("gradient count", attacked(gradient_evaluations=1.5), "whole number"),
    ("bool count", attacked(forward_evaluations=True), "whole number"),
    ("settings", attacked(settings=[1]), "`settings` must be a mapping"),
    ("skipped empty", attacked(skipped=""), "`skipped` must be a string"),
    ("no attack name", attacked(name=""), "`name`"),
    ("clean", model(clean_accuracy=1.2), "`clean_accuracy`"),
    ("clean is no count", model(clean_accuracy=0.9725), "whole number of images"),
    ("format", model(format="h5"), "`format` must be one of"),
    ("sparsity", model(sparsity=80), "`sparsity`"),
    ("parameters", model(parameters=-1), "`parameters`"),
    ("output kind", model(output_kind="scores"), "`output_kind`"),
    ("no attacks", model(attacks=()), "`attacks` must hold at least 1"),
    ("attack of a wrong type", model(attacks=({"name": "pgd"},)), "AttackReport only"),
    ("attack above clean", model(clean_accuracy=0.97), "must not exceed the clean accuracy"),
    ("lengths", model(attacks=(samples.attack("pgd", (0.9, 0.8)),)), "one number an epsilon, 4"),
    ("worst above attack", model(attacks=(LAST,)), "worst case must not exceed pgd"),
    (
        "skipped attack with its own accuracy",
        model(attacks=(samples.attack("pgd", (0.9,) * 4, skipped="no gradient"),)),
        "pgd was skipped",
    ),
    ("worst rises", lambda: samples.worst_case((0.1, 0.2, 0.1, 0.1)), "must not rise"),
    ("worst length", lambda: samples.worst_case((0.1,)), "one number an epsilon"),
    (
        "epsilons differ",
        model(worst_case=samples.worst_case((0.891, 0.684, 0.112, 0.004), (0.1, 0.2, 0.3, 0.4))),
        "epsilons must be",
    ),
    ("no epsilon", threat(epsilons=()), "strictly increasing"),
    ("epsilons fall", threat(epsilons=(0.2, 0.1)), "strictly increasing"),
    ("linf above 1", threat(epsilons=(8.0,)), r"\[0, 1\]"),
    ("negative", threat(epsilons=(-0.1,)), "`epsilons`"),
    ("norm", threat(norm="l1"), "`norm`"),
    ("bounds", threat(bounds=(1.0, 0.0)), "`bounds`"),
    ("examples", dataset(examples=0), "`examples`"),
    ("classes", dataset(num_classes=1), "`num_classes`"),
    ("class names", dataset(class_names=("a", "b")), "10 names"),
    ("one path twice", lambda: samples.report(*[samples.sound_model()] * 2), "another path"),
    ("seed", changed(seed=-1), "`seed`"),
    ("local time", changed(created="2026-11-21T10:55:00"), "UTC"),
    ("no time", changed(created="yesterday"), "ISO 8601"),
    ("command", changed(command=None), "`command`"),
    ("versions", changed(versions="3.11"), "`versions`"),
    ("transfer", changed(transfer=[]), "`transfer`"),
    (
        "transfer of another model",
        lambda: samples.report(transfer=samples.transfer(samples.doubtful_model())),
        "`transfer` must be among the models",
    ),
    (
        "transfer above clean",
        lambda: samples.report(transfer=samples.transfer(samples.sound_model(), highest=1.0)),
        "`transfer` to .* none above its clean accuracy",
    ),
    ("attacker temperature", changed(attacker_temperature="gone"), "`attacker_temperature`"),
    ("passes", changed(expectation_samples=0), "`expectation_samples`"),
    ("survivors", changed(survivors_only=1), "`survivors_only` must be true or false"),
    ("dataset", changed(dataset={}), "DatasetReport only"),
    ("passed", lambda: samples.check("a", "b", passed=1), "`passed`"),
    ("message", lambda: samples.check("a", ""), "`message`"),
]


@pytest.mark.parametrize(("make", "message"), [case[1:] for case in BAD], ids=[c[0] for c in BAD])
def test_parts_that_cannot_be_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_l2_epsilons_may_pass_one():
    assert threat(norm="l2", epsilons=(0.5, 2.0))().epsilons == (0.5, 2.0)


def test_parts_are_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        samples.report().seed = 1


def without(*keys):
    def cut(value):
        for key in keys[:-1]:
            value = value[key]
        del value[keys[-1]]

    return cut


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda value: value.update(schema=3), "`schema` must be 2"),
        (without("created"), "created"),
        (without("versions"), "versions"),
        (without("seed"), "seed"),
        (without("dataset"), "a Report must have .*dataset"),
        (without("models"), "a Report must have .*models"),
        (without("models", 0, "worst_case", "accuracy"), "accuracy"),
        (without("models", 0, "attacks", 0, "settings"), "settings"),
        (lambda value: value.update(models=[3]), "must be a list|must be a mapping"),
    ],
)
def test_json_of_another_shape_is_refused(spoil, message):
    value = json.loads(samples.report().to_json())
    spoil(value)
    with pytest.raises(ValueError, match=message):
        reporting.Report.from_json(json.dumps(value))


@pytest.mark.parametrize("text", ["", "[1]", "{", "null"])
def test_text_that_is_no_report_is_refused(text):
    with pytest.raises(ValueError, match="Received"):
        reporting.Report.from_json(text)


def test_unknown_fields_are_left_aside():
    value = json.loads(samples.report().to_json()) | {"later": 1}
    value["models"][0]["later"] = 2
    assert reporting.Report.from_json(json.dumps(value)) == samples.report()


def test_a_new_report_knows_time_and_versions():
    sample = samples.report()
    report = reporting.Report(
        dataset=sample.dataset, threat_model=sample.threat_model, models=sample.models, seed=0
    )
    assert set(report.versions) == set(samples.VERSIONS)
    assert report.versions["numpy"] == np.__version__
    assert report.versions["robust_keras"]
    assert report.created.endswith("Z") and len(report.created) == 20


@pytest.mark.parametrize(("correct", "examples"), [(0, 10), (3, 10), (10, 10), (123, 1000), (1, 1)])
@pytest.mark.parametrize("confidence", [0.9, 0.95])
def test_interval_is_wilsons(correct, examples, confidence):
    expected = scipy.stats.binomtest(correct, examples).proportion_ci(confidence, "wilson")
    measured = wilson(correct, examples, confidence)
    np.testing.assert_allclose(measured, (expected.low, expected.high), atol=1e-12)
    assert 0.0 <= measured[0] <= correct / examples <= measured[1] <= 1.0


@pytest.mark.parametrize("arguments", [(1, 0), (-1, 5), (6, 5), (1, 5, 1.0)])
def test_interval_refuses_what_is_no_fraction(arguments):
    with pytest.raises(ValueError, match="Received"):
        wilson(*arguments)


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("runs/quickstart/serving/1", "quickstart"),
        ("runs/quickstart/serving", "quickstart"),
        ("runs/a/model.keras", "a"),
        ("best.keras", "best"),
        ("/models/7/", "models"),
        ("model.keras", "model.keras"),
        ("1", "1"),
        ("..", ".."),
        (".keras", ".keras"),
    ],
)
def test_a_path_gives_a_short_name(path, name):
    assert short_name(path) == name


def test_an_example_keeps_all_but_its_pixels():
    example = samples.examples(1)[0]
    part = dataclasses.asdict(findings.ExampleReport.of(example))
    assert part.pop("pictures") == part.pop("shape") == () and part.pop("amplification") == 1.0
    assert vars(example).items() >= part.items()
    over = types.SimpleNamespace(**vars(example) | {"clean_confidence": np.float32(1.0000001)})
    assert findings.ExampleReport.of(over).clean_confidence == 1.0


def test_write_puts_everything_in_place(tmp_path):
    report = samples.report()
    found = {report.models[0].path: samples.examples(3)}
    written = reporting.write(report, found, tmp_path / "new" / "report")
    folder = written.parent
    assert sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()) == [
        "figures/01-quickstart-curves.png",
        "figures/01-quickstart-examples.png",
        "report.html",
        "report.json",
    ]
    back = reporting.Report.read(written)
    assert [example.index for example in back.models[0].examples] == [0, 17, 34]
    assert (folder / "report.html").read_text().count("data:image/png") == 9


def files(folder):
    return {p.relative_to(folder): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_a_report_that_was_read_is_written_again_with_its_pictures(tmp_path, channels):
    model = samples.unusual_model(minimal_epsilon=samples.minimal_epsilon())
    found = {model.path: samples.examples(12, channels=channels)}
    written = reporting.write(samples.report(model), found, tmp_path / "first")
    again = reporting.write(reporting.Report.read(written), {}, tmp_path / "again")
    assert files(again.parent) == files(written.parent)
    assert "No picture was kept" not in (again.parent / "report.html").read_text()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"pictures": ["AAAA"] * 2}, "`pictures` must be three"),
        ({"shape": (2, 2)}, "`pictures` must be three"),
        ({"pictures": ["AAAA"] * 3}, "must hold 4 bytes. Received: 3"),
        ({"pictures": ["?"] * 3}, "must be base64"),
        ({"amplification": 0.5}, "`amplification`"),
    ],
)
def test_pictures_that_cannot_be_are_refused(changes, message):
    part = findings.ExampleReport.of(
        samples.examples(1)[0], 2.0, [np.zeros((2, 2, 1), np.uint8)] * 3
    )
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(part, **changes)


def test_write_refuses_a_finished_directory(tmp_path):
    (tmp_path / "report.json").write_text("old")
    with pytest.raises(InputError, match="finished report"):
        reporting.write(samples.report(), {}, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["report.json"]


def test_the_data_are_written_last(tmp_path, monkeypatch):
    order = []
    replace = whole_files.os.replace
    monkeypatch.setattr(
        whole_files.os, "replace", lambda a, b: (order.append(b.name), replace(a, b))[1]
    )
    reporting.write(samples.report(), {}, tmp_path)
    assert order[-2:] == ["report.html", "report.json"]


def test_an_interrupted_write_leaves_no_half_file(tmp_path, monkeypatch):
    def broken(*_):
        raise OSError("disk full")

    monkeypatch.setattr(whole_files.os, "replace", broken)
    with pytest.raises(InputError, match="disk full"):
        reporting.write(samples.report(), {}, tmp_path)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_names_that_no_encoding_holds_are_written(tmp_path):
    path = "models/\udcff$x_1^2$\x1b[31m/model.keras"
    report = samples.report(samples.sound_model(path=path))
    written = reporting.write(report, {path: samples.examples(1)}, tmp_path)
    assert reporting.Report.read(written).models[0].path == path
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "\x1b" not in page and "\\udcff" in page
    assert "\x1b" not in reporting.summary_table(report)


def test_a_report_of_schema_1_reads():
    skipped = samples.check("any", "Not checked: no.", passed=None, applicable=False)
    made = samples.report(samples.sound_model(audit=(*samples.sound_model().audit, skipped)))
    value = json.loads(made.to_json()) | {"schema": 1}
    (old,) = value["models"]
    for part, name in [(old, "verdict"), (old, "layers"), (old["worst_case"], "before_audit")]:
        del part[name]
    for check in old["audit"]:
        del check["result"]
        check["passed"] = True
    for attack in old["attacks"]:
        del attack["kind"]
    read = reporting.Report.from_json(json.dumps(value)).models[0]
    assert read.audit == made.models[0].audit and read.audit[-1].passed is None
    assert read.worst_case == made.models[0].worst_case and read.layers == ()
