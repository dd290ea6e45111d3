"""Whatever is read is used or refused in one line: flags, configs, reports, notes and data files.

Some dozens of inputs each, the same every time; FUZZ_EXAMPLES=2000 in the environment takes as many
each, others every time, and keeps those that fail in .hypothesis/ to begin with.
"""

import dataclasses
import io
import json
import os
import warnings
import zipfile

import keras
import numpy as np
import pytest
import report_samples as samples
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from robust_keras import data, reporting, serving
from robust_keras.data import check_trainable
from robust_keras.directories import epoch_table, record
from robust_keras.errors import InputError
from robust_keras.notes.class_note import read_class_names
from robust_keras.notes.training_note import read_training_note
from robust_keras.programs import command_line
from robust_keras.runs.training_settings import training_settings
from robust_keras.serving import export_notes
from robust_keras.serving.load import _of_a_run as of_a_run
from robust_keras.settings.config import EvaluateConfig, TrainConfig

MANY = "FUZZ_EXAMPLES" in os.environ
fuzzed = settings(
    max_examples=int(os.environ.get("FUZZ_EXAMPLES", "40")),
    derandomize=not MANY,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    **({} if MANY else {"database": None}),
)
NAMES = {cls: [f.name for f in dataclasses.fields(cls)] for cls in (TrainConfig, EvaluateConfig)}
SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
    | st.sampled_from([10**30, -(10**400), 1e308, "pgd", "0.1,0.2", "8/255", "\ud800", "\0", ""])
)  # fmt: skip
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=6,
)
DEEP = b"[" * 3000


@st.composite
def changed(draw, value):
    """JSON text of a value in which one to three places hold something else, or are gone."""
    value = json.loads(json.dumps(value))
    for _ in range(draw(st.integers(1, 3))):
        inside = value
        while isinstance(inside, dict | list) and inside:
            keys = list(inside) if isinstance(inside, dict) else range(len(inside))
            key = draw(st.sampled_from(keys))
            if not isinstance(inside[key], dict | list) or draw(st.integers(0, 4)) == 0:
                if draw(st.booleans()):
                    inside[key] = draw(VALUES)
                else:
                    del inside[key]
                break
            inside = inside[key]
    return json.dumps(value)


def files(value):
    """Bytes of a JSON file: nearly that value, another one, or anything."""
    texts = changed(value) | VALUES.map(json.dumps)
    return texts.map(str.encode) | st.binary(max_size=60)


def one_line(error):
    text = str(error)
    assert "\n" not in text and text.isprintable() and len(text) < 1500, text


def tried(function, *arguments):
    """What the function gives; None where it refuses in one line."""
    try:
        return function(*arguments)
    except InputError as error:
        one_line(error)


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return tmp_path_factory.mktemp("fuzz")


TEXTS = SCALARS.map(str) | st.text(max_size=30) | st.lists(SCALARS.map(str)).map(",".join)


def arguments(cls):
    names = st.sampled_from(NAMES[cls])
    given_flag = st.builds("--{}={}".format, names, TEXTS) | st.builds(
        "--{}{}".format, names, TEXTS
    )
    return st.tuples(st.just(cls), st.lists(given_flag | TEXTS, min_size=1, max_size=4))


@fuzzed
@given(asked=st.one_of(map(arguments, NAMES)), in_a_file=st.booleans())
def test_flags(asked, in_a_file, path):
    cls, words = asked
    if in_a_file:
        (path / "flags").write_bytes("\n".join(words).encode("utf-8", "surrogatepass"))
        words = [f"--flagfile={path / 'flags'}"]
    if any(word.startswith(("--help", "-h", "--h", "--version", "-version")) for word in words):
        return
    required = ["--models=model"] if cls is EvaluateConfig else []
    made = tried(command_line.parse, cls, "A program.", ["program", *required, *words])
    assert made is None or cls.from_json(made.to_json()) == made


CONFIG = dataclasses.asdict(TrainConfig(final_sparsity=0.5)) | {
    "robust_keras": {"program": "train", "tensorflow": "2.21.0", "files": {"mine.npz": "0" * 64}}
}


@fuzzed
@given(content=files(CONFIG))
@example(content=DEEP)
def test_the_config_of_a_run(content, path):
    (path / "config.json").write_bytes(content)
    stored = record.Record(path, TrainConfig(output_dir=str(path)), "train", [])
    if tried(stored.exists):
        tried(stored.check_same)
    (path / "model.keras").touch()
    training_settings(path / "model.keras"), of_a_run(path / "model.keras")


@fuzzed
@given(content=files(json.loads(samples.report().to_json())))
def test_a_report(content, path):
    (path / "report.json").write_bytes(content)
    report = tried(reporting.Report.read, path / "report.json")
    if report is not None:
        reporting.summary_table(report)
        reporting.Report.from_json(report.to_json())


ROWS = b"epoch,loss,val_accuracy\n0,0.5,0.25\n1,0.25,0.5\n"


@fuzzed
@given(
    content=st.binary(max_size=80)
    | st.builds(lambda at, new: ROWS[:at] + new + ROWS[at + 1 :], st.integers(0, len(ROWS)),
                st.binary(max_size=6)),
    note=files({"dataset": "mine.npz", "split": "test", "examples": 10, "correct": 9})
    | files({"class_names": ["ant", "bee"]}),
)  # fmt: skip
@example(content=b"", note=DEEP)
def test_what_lies_beside_a_run_or_an_export(content, note, path):
    (path / "log.csv").write_bytes(content)
    tried(epoch_table.read_rows, path / "log.csv")
    extra = path / export_notes.DIRECTORY
    extra.mkdir(exist_ok=True)
    for name in ("accuracy.json", "classes.json"):
        (extra / name).write_bytes(note)
    read_training_note(path), read_class_names(path)
    (extra / "notes.sha256").write_bytes(content)
    export_notes.warnings(path)
    (extra / "notes.sha256").unlink()


KINDS = ["u1", "i1", "i4", "u8", "f2", "f4", "f8", "c8", "?", "U3", "S2", "O", "M8[s]", "V4"]
SHAPES = st.lists(st.integers(0, 7), max_size=5).map(tuple)
GOOD = [("u1", (6, 5, 5, 1)), ("f4", (6, 5, 5)), ("i4", (6,)), ("i8", (6, 3)), ("U3", (6,))]


@st.composite
def arrays(draw):
    kind, shape = draw(st.sampled_from(GOOD) | st.tuples(st.sampled_from(KINDS), SHAPES))
    fill = draw(st.sampled_from([0, 1, 2, 255, -1, np.nan, np.inf, 1e30]))
    made = np.zeros(shape, kind)
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        values = np.arange(made.size) % draw(st.integers(1, 6))
        if kind not in ("O", "V4"):
            made.flat[:] = values.astype(kind)
            if made.size and kind[0] in "uif":
                made.flat[draw(st.integers(0, made.size - 1))] = np.array(fill).astype(kind)
    return made


USUAL = ["x_train", "y_train", "x_test", "y_test", "images", "labels", "class_names", "val_images"]
MEMBERS = st.dictionaries(
    st.sampled_from(USUAL) | st.text(max_size=8).filter(lambda n: "\0" not in n and "/" not in n),
    arrays(), max_size=6,
)  # fmt: skip


def damaged(draw, content):
    """The bytes, some of them others, or cut short."""
    content = bytearray(content)
    for _ in range(draw(st.sampled_from([0, 0, 1, 4]))):
        content[draw(st.integers(0, len(content) - 1))] = draw(st.integers(0, 255))
    return bytes(content[: draw(st.integers(1, 2 * len(content)))])


@st.composite
def archives(draw):
    """Bytes of an .npz file."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", draw(st.sampled_from([0, 8]))) as archive:
        for name, array in draw(MEMBERS).items():
            member = io.BytesIO()
            np.save(member, array, allow_pickle=True)
            content = bytearray(member.getvalue())
            if draw(st.integers(0, 5)) == 0:
                content[draw(st.integers(0, len(content) - 1))] = draw(st.integers(0, 255))
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                archive.writestr(f"{name.encode('utf-8', 'replace').decode()}.npy", bytes(content))
    return damaged(draw, stream.getvalue())


@fuzzed
@given(content=archives())
def test_data_files(content, path):
    (path / "mine.npz").write_bytes(content)
    found = tried(data.load, str(path / "mine.npz"))
    if found is not None:
        assert np.isfinite(found.test.float_images()).all()
        assert len(found.test.labels) == len(found.test)
        tried(check_trainable, found)


@pytest.fixture(scope="module")
def keras_file(path):
    layers = [keras.Input((4, 4, 1)), keras.layers.Flatten(), keras.layers.Dense(2)]
    keras.Sequential(layers).save(path / "whole.keras")
    with zipfile.ZipFile(path / "whole.keras") as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@fuzzed
@given(drawing=st.data())
def test_keras_files(drawing, path, keras_file):
    members = dict(keras_file)
    config = files(json.loads(members["config.json"])) | st.just(DEEP) | st.none()
    members["config.json"] = drawing.draw(config)
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in members.items():
            if content is not None:
                archive.writestr(name, content)
    (path / "mine.keras").write_bytes(damaged(drawing.draw, stream.getvalue()))
    tried(serving.load, str(path / "mine.keras"))
