"""Classes that have names, in the order of the model that is judged."""

import json

import numpy as np
import pytest

from robust_keras import data
from robust_keras.errors import InputError
from robust_keras.notes.class_note import class_note, read_class_names
from robust_keras.runs.model_loading import in_the_models_order

NAMES = ("zebra", "ant", "cat")


def dataset(tmp_path, labels, **more):
    images = np.arange(len(labels), dtype=np.uint8).reshape(-1, 1, 1, 1)
    np.savez(tmp_path / "set.npz", x_test=images, y_test=np.array(labels), **more)
    return data.load(str(tmp_path / "set.npz"))


def export(path, names):
    (path / "assets.extra").mkdir(parents=True)
    (path / "saved_model.pb").write_bytes(b"")
    (path / "assets.extra" / "classes.json").write_text(json.dumps({"class_names": names}))
    return str(path)


def test_names_are_noted_and_read(tmp_path):
    named = dataset(tmp_path, ["ant", "cat", "zebra"], class_names=np.array(NAMES))
    ((name, note),) = class_note(named).items()
    assert name == "classes.json" and note == {"class_names": list(NAMES)}
    assert read_class_names(export(tmp_path / "model", list(NAMES))) == NAMES
    assert class_note(dataset(tmp_path, [0, 1])) == {}


@pytest.mark.parametrize(
    "content", ["", "[]", "{}", '{"class_names": [1, 2]}', "[" * 9000, "\udcff"]
)
def test_a_strangers_note_is_no_note(tmp_path, content):
    path = export(tmp_path / "model", [])
    file = tmp_path / "model" / "assets.extra" / "classes.json"
    file.write_bytes(content.encode("utf-8", "surrogateescape"))
    assert read_class_names(path) is None
    assert read_class_names(tmp_path / "model.keras") is None


def test_labels_follow_the_order_and_the_names_of_the_model(tmp_path):
    model = export(tmp_path / "model" / "1", list(NAMES))
    shown = in_the_models_order(dataset(tmp_path, ["cat", "ant", "cat"]), [str(tmp_path / "model")])
    assert shown.class_names == NAMES
    assert shown.test.labels.tolist() == [2, 1, 2]
    assert any("numbered as those" in note for note in shown.notes)
    numbers = dataset(tmp_path, [2, 1])
    assert in_the_models_order(numbers, [model]) is numbers


def test_unknown_classes_and_two_orders_are_refused(tmp_path):
    first = export(tmp_path / "first", list(NAMES))
    with pytest.raises(InputError, match=r"zebra, ant, cat .*received cats \(did you mean cat\?\)"):
        in_the_models_order(dataset(tmp_path, ["cats", "ant"]), [first])
    second = export(tmp_path / "second", sorted(NAMES))
    with pytest.raises(InputError, match="classes in one order"):
        in_the_models_order(dataset(tmp_path, ["cat", "ant"]), [first, second])
