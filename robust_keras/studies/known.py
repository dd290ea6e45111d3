"""What is known of a study's steps: from their files, or from what was kept of them elsewhere.

A study may be computed in pieces, on machines that do not share a disk. `NAME.runs.jsonl`, beside
its results, has one line a finished step: what was asked, and of what was found all that claims,
tables and figures may ask for, each image's answers included.
"""

import contextlib
import json
import pathlib
from collections.abc import Iterable, Mapping
from typing import Any

from robust_keras.errors import InputError
from robust_keras.studies import running, study
from robust_keras.studies.study import Form, Step

# Of each model of a report.
_KEPT = ("verdict", "answers", "certified", "unusual", "activations", "targets")
# What train.py notes in an export: how many test images the network reads.
_COUNTED = "assets.extra/accuracy.json"
Key = tuple[str, str]


class NotRunError(Exception):
    """A run is not finished, or did not measure what is asked for."""


class Known:
    """The finished steps of a study.

    Args:
        directory: of its runs.
        kept: (kind, name) -> what was found. It comes first: a network that is trained again, for a
            step that reads it, is not the one that was attacked to the last bit.
    """

    def __init__(self, directory: pathlib.Path, kept: Mapping[Key, Any] | None = None):
        self._directory = directory
        self._kept = dict(kept or {})
        self._read: dict[Key, Any] = {}

    def has(self, step: Step) -> bool:
        """Whether a step is finished, here or elsewhere."""
        return key(step) in self._kept or running.is_done(self._directory, step)

    def found(self, kind: str, name: str) -> Any:
        """What a step found, as JSON holds it.

        Args:
            kind: `train` (how many test images the network reads), `evaluate` (its report) or
                `make`.
            name: of the step.

        Raises:
            NotRunError: it is not finished.
        """
        place = kind, name
        if place in self._kept:
            told = self._kept[place]
        else:
            told = self._read[place] = self._read.get(place) or self._from_file(kind, name)
        if told is None:
            raise NotRunError(name.rpartition("-")[0])
        return told

    def _from_file(self, kind, name):
        path = running.last_file(self._directory, kind, name)
        path /= _COUNTED if kind == "train" else ""
        if not path.is_file():
            return None
        if kind == "make":
            return running.found_in(path)
        return json.loads(path.read_text(encoding="utf-8"))


def key(step: Step) -> Key:
    """Kind and name of a step."""
    return study.kind(step), step.name


def text(steps: Iterable[Step], form: Form, known: Known) -> str:
    """The lines to be kept, in the steps' order."""
    lines = []
    for step in filter(known.has, steps):
        kind, name = key(step)
        found = None
        with contextlib.suppress(NotRunError):  # a denoiser's training counts nothing
            found = known.found(kind, name)
        slim = _slim(found) if kind == "evaluate" else found
        row = {"kind": kind, "name": name, "asked": running.asked(step, form), "found": slim}
        lines.append(json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n")
    return "".join(lines)


def kept(path: pathlib.Path, steps: Iterable[Step], form: Form) -> tuple[dict[Key, Any], list[str]]:
    """Reads such a file.

    Args:
        path: of the file; it need not exist.
        steps: of the study.
        form: how large it is run.

    Returns:
        What counts, and the names of steps that were asked for something else than they are now,
        or read what such a step left: they do not count.

    Raises:
        InputError: the file is no such file.
    """
    if not path.is_file():
        return {}, []
    steps = list(steps)
    now = {key(step): running.asked(step, form) for step in steps}
    counts: dict[Key, Any] = {}
    others: set[Key] = set()
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        try:
            row = json.loads(line)
            place, same = (row["kind"], row["name"]), row["asked"]
            found = row["found"]
        except (ValueError, TypeError, KeyError) as error:
            expected = "a finished step a line (delete the file to begin anew)"
            raise InputError.expected(str(path), expected, f"line {number}: {line[:40]}") from error
        if now.get(place) == same:
            counts[place] = found
        else:
            others.add(place)
    lost = {key(step) for step in _after(steps, others)} & set(counts)
    counts = {place: found for place, found in counts.items() if place not in lost}
    return counts, sorted({name for _, name in others | lost})


def _after(steps, others):
    """The steps that read, directly or through others, what steps of these kinds and names left."""
    changed: set[str] = set()
    for step in steps:
        if key(step) in others:
            changed |= running.makes(step)
        elif changed.intersection(running.needs(step)):
            changed |= running.makes(step)
            yield step


def _slim(report):
    """A report without pictures, settings and what was told of single images."""
    models = [{name: model[name] for name in _KEPT if name in model} for model in report["models"]]
    return {
        "threat_model": {"epsilons": report["threat_model"]["epsilons"]},
        "dataset": {"examples": report["dataset"]["examples"]},
        "models": models,
        "transfer": _carried(report.get("transfer")),
    }


def _carried(transfer):
    """Of a transfer table what each source leaves of each target: its paths are of one machine."""
    if transfer is None:
        return None
    sources = transfer["sources"]
    kept = [[{"accuracy": each["accuracy"]} for each in source["targets"]] for source in sources]
    return {"sources": [{"targets": targets} for targets in kept]}
