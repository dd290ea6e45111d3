"""A report.json that was damaged: read as it is, or refused in one line."""

import json
import random
import re

import pytest
import report_samples as samples

from robust_keras import reporting
from robust_keras.errors import InputError
from robust_keras.findings import strict_json

TEXT = samples.report().to_json()
VALUES = (
    *("null", "true", "-1", "2.5", "[]", "{}", '""', '"x"', "NaN", "Infinity", "1e999"),
    *("1" * 30, "1" * 5000, '"\\ud800"', "[" * 3000, "[" * 200 + "]" * 200, '{"a": 1, "a": 2}'),
)


def damaged_bytes(generator):
    content = bytearray(TEXT.encode())
    for _ in range(generator.choice((1, 1, 2, 5))):
        place, length = generator.randrange(len(content)), generator.randrange(1, 200)
        kind = generator.choice(("flip", "set", "cut", "out", "in"))
        if kind == "flip":
            content[place] ^= 1 << generator.randrange(8)
        elif kind == "set":
            content[place] = generator.randrange(256)
        elif kind == "cut":
            del content[max(place, 1) :]
        elif kind == "out":
            del content[place : min(place + length, len(content) - 1)]
        else:
            content[place:place] = content[place : place + length]
    return bytes(content)


def damaged_value(generator):
    """The report with another value somewhere, or one left out."""
    value = json.loads(TEXT)
    inside, place = value, None
    while place is None or (isinstance(inside[place], dict | list) and generator.random() < 0.8):
        inside = value if place is None else inside[place]
        places = list(inside) if isinstance(inside, dict) else range(len(inside))
        if not places:
            return TEXT.encode()
        place = generator.choice(places)
    inside[place] = "@"
    return json.dumps(value).replace('"@"', generator.choice(VALUES)).encode()


def test_a_damaged_report_is_read_or_refused_in_one_line(tmp_path):
    generator = random.Random(0)
    path, refused = tmp_path / "report.json", 0
    for trial in range(150):
        damage = damaged_value if trial % 2 else damaged_bytes
        path.write_bytes(damage(generator))
        try:
            reporting.summary_table(reporting.Report.read(path)).encode("utf-8", "replace")
        except InputError as error:
            assert "\n" not in str(error) and len(str(error)) < 1000
            refused += 1
    assert refused > 60


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('"seed": 0', '"seed": ' + "[" * 100_000, "lists and mappings within each other"),
        ('"seed": 0', '"seed": ' + "[" * 90 + "]" * 90, "lists and mappings within each other"),
        ('"seed": 0', '"seed": ' + "1" * 5000, "at most 18 digits. Received: 5000"),
        ('"seed": 0', '"seed": 1e999', "finite. Received: 1e999"),
        ('"seed": 0', '"seed": NaN', "finite. Received: NaN"),
        ('"seed": 0', '"seed": 0, "seed": 1', "come once. Received: 'seed' twice"),
        ('"name": "pgd"', '"name": 7', "`name` must be a string"),
    ],
)
def test_what_our_writer_never_writes_is_refused(old, new, words):
    assert old in TEXT
    with pytest.raises(InputError, match=re.escape(words)) as error:
        reporting.Report.from_json(TEXT.replace(old, new, 1))
    assert "\n" not in str(error.value) and len(str(error.value)) < 400


def test_files_that_cannot_be_read_say_what_to_do(tmp_path, monkeypatch):
    path = tmp_path / "report.json"
    for words, make in (
        ("No such file", lambda: None),
        ("text in UTF-8", lambda: path.write_bytes(TEXT.encode("utf-16"))),
        ("must be JSON", lambda: path.write_text(TEXT[:100])),
    ):
        make()
        with pytest.raises(InputError, match=f"report.json: expected.*evaluate again.*{words}"):
            reporting.Report.read(path)
    with pytest.raises(InputError, match="Is a directory"):
        reporting.Report.read(tmp_path)
    path.write_text(TEXT)
    monkeypatch.setattr(strict_json, "MOST_BYTES", 2**10)
    with pytest.raises(InputError, match="at most 0 MiB"):
        reporting.Report.read(path)
