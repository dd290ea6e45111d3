"""Which directories a run takes, what it refuses, and that nothing of others is touched."""

import json
import os
import shutil

import pytest

from robust_keras.directories import fingerprints, record
from robust_keras.errors import InputError
from robust_keras.runs.report_directory import ReportDirectory, report_directory
from robust_keras.runs.run_directory import TrainingDirectory, training_directory
from robust_keras.settings.config import EvaluateConfig, TrainConfig


@pytest.fixture(autouse=True)
def world(tmp_path, monkeypatch):
    """A directory with a model and a data set, in which everything happens."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "model.keras").write_bytes(b"model")
    (tmp_path / "mine.npz").write_bytes(b"data")
    return tmp_path


def train(path="run", **settings):
    return TrainingDirectory(TrainConfig(output_dir=path, dataset="mine.npz", **settings))


def evaluate(path="run", **settings):
    settings = {"models": ("model.keras",), "dataset": "mine.npz", **settings}
    return ReportDirectory(EvaluateConfig(output_dir=path, **settings))


BOTH = pytest.mark.parametrize("open_directory", [train, evaluate])


def refused(open_directory, *arguments, **settings):
    with pytest.raises(InputError) as caught:
        open_directory(*arguments, **settings)
    (line,) = str(caught.value).splitlines()
    assert "expected" in line and "received" in line
    return line


def tree(path):
    return {item: item.read_bytes() if item.is_file() else None for item in path.rglob("*")}


@BOTH
@pytest.mark.parametrize(
    "names",
    [
        ["journal/notes.txt", "examples.csv", "report.html"],
        ["figures/holiday.png"],
        ["checkpoints/last.npz", "logs/training.csv"],
        ["learning_rate_range.csv", "learning_rate_range.png"],
        ["model.keras"],
        ["serving/notes.txt"],
        [".secret"],
    ],
    ids=lambda names: names[0],
)
def test_a_users_own_files_with_our_names_are_not_taken(world, open_directory, names):
    for name in names:
        (world / "run" / name).parent.mkdir(parents=True, exist_ok=True)
        (world / "run" / name).write_text("a user's own")
    before = tree(world)
    assert "which holds other files" in refused(open_directory)
    assert tree(world) == before


@BOTH
def test_a_directory_is_ours_from_its_first_file_on(world, open_directory):
    (world / "run").mkdir()
    (world / "run" / ".gitkeep").touch()
    open_directory().begin()
    kept = json.loads((world / "run" / "config.json").read_text())
    assert kept["robust_keras"]["program"] == open_directory.__name__
    assert set(fingerprints.versions()) < set(kept["robust_keras"])
    open_directory()
    other = train if open_directory is evaluate else evaluate
    assert f"not one of {other.__name__}" in refused(other)


@BOTH
def test_what_a_process_left_that_was_killed_at_its_first_file_is_no_obstacle(
    world, open_directory
):
    (world / "run").mkdir()
    (world / "run" / ".robust_keras-part-0123456789abcdef").write_text("{half")
    (world / "run" / ".robust_keras.lock").touch()
    open_directory().begin()
    assert not list((world / "run").glob(".robust_keras-part-*"))


@BOTH
@pytest.mark.parametrize(
    "content", [b"", b"[]", b"{", b"{}", b"\xff\xfe", b"[" * 100_000, b'{"epochs": 1e999}', None]
)
def test_a_damaged_record_is_one_line(world, open_directory, content):
    open_directory().begin()
    path = world / "run" / "config.json"
    path.unlink()
    path.mkdir() if content is None else path.write_bytes(content)
    line = refused(open_directory)
    assert "config.json" in line


@BOTH
def test_a_record_that_is_cut_anywhere_is_one_line(world, open_directory):
    open_directory().begin()
    path = world / "run" / "config.json"
    content = path.read_bytes()
    for end in range(0, len(content) - 2, 97):
        path.write_bytes(content[:end])
        assert "readable config.json" in refused(open_directory)


@BOTH
def test_links_that_lead_out_are_not_followed(world, open_directory):
    directory = open_directory()
    directory.begin()
    (world / "precious").mkdir()
    (world / "precious" / "0123456789abcdef0123456789abcdef.npz").write_text("a user's own")
    inner = directory.journal_path if open_directory is evaluate else directory.csv_path.parent
    shutil.rmtree(inner)
    inner.symlink_to(world / "precious")
    line = refused(open_directory)
    assert "a link to" in line and "move what is there away" in line
    if open_directory is evaluate:
        (world / "run" / "report.json").write_text("{}")
        assert "holds report.json" in refused(open_directory)
    assert len(list((world / "precious").iterdir())) == 1


@pytest.mark.parametrize("name", ["figures", "journal"])
def test_a_file_in_a_directorys_place_is_found_before_anything_runs(world, name):
    directory = evaluate()
    directory.begin()
    shutil.rmtree(directory.path / name, ignore_errors=True)
    (directory.path / name).write_text("")
    assert f"{name}: expected a directory of the run" in refused(evaluate)


@pytest.mark.parametrize("name", ["model.keras", "checkpoints/best.txt", "logs/training.csv"])
def test_a_directory_in_a_files_place_is_found_before_anything_runs(world, name):
    directory = train()
    directory.begin()
    (directory.path / name).mkdir()
    assert "expected a file of the run" in refused(train)


def test_only_our_own_files_go_with_the_journal_and_a_killed_end_is_made_up_for(world):
    directory = evaluate()
    directory.begin()
    entry = directory.journal_path / f"{0:032x}.npz"
    entry.write_bytes(b"")
    notes = directory.journal_path / "notes.txt"
    notes.write_text("a user's own")
    directory.finish()
    assert notes.exists() and not entry.exists()
    notes.unlink()
    entry.write_bytes(b"")
    (directory.path / "report.json").write_text("{}")
    assert "holds report.json" in refused(evaluate)
    assert not directory.journal_path.exists()


@BOTH
def test_the_same_bytes_are_the_same_and_other_bytes_are_told(world, open_directory):
    open_directory().begin()
    os.utime("mine.npz", (0, 0))
    shutil.copy("mine.npz", "copy.npz")
    os.replace("copy.npz", "mine.npz")
    open_directory()
    (world / "mine.npz").write_bytes(b"DATA")
    line = refused(open_directory)
    assert "begun before mine.npz changed" in line and "bring them back" in line
    (world / "mine.npz").unlink()
    assert "begun before mine.npz changed" in refused(open_directory)


@pytest.mark.parametrize("field", ["classifier", "distillation_teacher", "source_models"])
def test_a_changed_model_that_training_reads_is_told(world, field):
    (world / "served" / "1").mkdir(parents=True)
    (world / "served" / "1" / "saved_model.pb").write_bytes(b"model")
    settings = {
        "classifier": {"denoiser": True, "denoiser_epsilon": 0.1, "classifier": "model.keras"},
        "distillation_teacher": {"distillation_teacher": "model.keras"},
        "source_models": {
            "adversarial": "ensemble",
            "train_epsilon": 0.1,
            "source_models": ("model.keras", "served"),
        },
    }[field]
    train(**settings).begin()
    train(**settings)
    changed = world / ("served/1/saved_model.pb" if field == "source_models" else "model.keras")
    changed.write_bytes(b"MODEL")
    assert f"begun before {changed.relative_to(world)} changed" in refused(train, **settings)


def test_a_report_inside_the_models_own_folder_does_not_change_the_model(world):
    (world / "served").mkdir()
    (world / "served" / "saved_model.pb").write_bytes(b"model")
    (world / "served" / "round").symlink_to(world / "served")
    settings = {"path": "served/report", "models": ("served",)}
    directory = evaluate(**settings)
    directory.begin()
    (directory.path / "report.html").write_text("begun")
    evaluate(**settings)


def test_another_version_is_a_warning(world, capsys, monkeypatch):
    train().begin()
    monkeypatch.setattr(fingerprints, "versions", lambda: {"tensorflow": "9.9", "keras": "3"})
    train()
    (line,) = capsys.readouterr().err.splitlines()
    assert "warning: run was begun with tensorflow 2." in line
    assert "what is left is done with tensorflow 9.9" in line


@BOTH
def test_settings_of_an_older_version_lack_only_what_is_new(world, open_directory):
    open_directory().begin()
    path = world / "run" / "config.json"
    values = json.loads(path.read_text())
    del values["robust_keras"], values["distribute"]
    path.write_text(json.dumps(values))
    open_directory()


@BOTH
def test_what_another_process_did_meanwhile_is_seen_before_anything_is_written(
    world, open_directory
):
    slower, last = open_directory(), open_directory(seed=5)
    open_directory(seed=5).begin()
    assert "begun with --seed=5" in refused(slower.begin)
    finished = "serving/1" if open_directory is train else "report.json"
    (slower.path / finished).mkdir(parents=True)
    assert "finished" in refused(last.begin)


NAMES = ["a b", "[1]", "*", "back\\slash", "ünï-文字", "-dash", "a=b,c", "quote'\""]


@BOTH
@pytest.mark.parametrize("name", NAMES)
def test_names_that_shells_and_globs_make_much_of_are_names(world, open_directory, name):
    open_directory(f"x/{name}").begin()
    assert (world / "x" / name / "config.json").is_file()
    open_directory(f"x/{name}")


@BOTH
@pytest.mark.parametrize("name", ["n" * 300, "x/" + "n" * 300])
def test_names_that_no_disk_takes_are_one_line(world, open_directory, name):
    before = tree(world)
    assert "choose another" in refused(open_directory, name)
    assert tree(world) == before


def default(program):
    if program is train:
        return training_directory(TrainConfig(dataset="mine.npz", model="fc5"))
    return report_directory(EvaluateConfig(models=("model.keras",), dataset="mine.npz"))


@BOTH
def test_a_default_directory_that_is_finished_or_anothers_gives_way_to_the_next(
    world, open_directory
):
    first = default(open_directory)
    finished = "serving/1" if open_directory is train else "report.json"
    first.begin()
    assert default(open_directory).path == first.path, "unfinished and the same: gone on with"
    (first.path / finished).mkdir(parents=True)
    second = default(open_directory)
    assert second.path == first.path.with_name(f"{first.path.name}-2")
    second.path.mkdir()
    (second.path / "mine.txt").touch()
    third = default(open_directory)
    assert third.path.name.endswith("-3")
    open_directory(str(third.path), seed=5).begin()
    assert default(open_directory).path.name.endswith("-4")
    assert "finished" in refused(open_directory, str(first.path)), "it was named"


def test_a_record_is_found_by_what_it_says_and_not_by_its_name(world):
    (world / "run").mkdir()
    (world / "run" / record.NAME).write_text('{"model": "of somebody else"}')
    before = tree(world)
    refused(train)
    refused(evaluate)
    assert tree(world) == before


def test_what_decides_no_result_may_change_on_the_way(world):
    evaluate(fail_below="0.8@0.1", epsilons=(0.1, 0.3)).begin()
    evaluate(fail_below="0.5@0.3", first_passes_seconds=90.0, epsilons=(0.1, 0.3))
    assert "begun with --seed=0" in refused(evaluate, seed=1, epsilons=(0.1, 0.3))
