"""What a study is: a plain declaration of its runs, of what is measured and of what is claimed."""

import dataclasses
import pathlib
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from robust_keras.errors import InputError

# What `Measure.value` and lines of a figure are given: a `seen.Seen`, what is known of one seed.
Value = Callable[[Any], np.ndarray | float]


@dataclasses.dataclass(frozen=True)
class Place:
    """Where a study finds and keeps its files.

    Args:
        directory: of its runs.
        data_dir: where TensorFlow Datasets keeps its data, or None for its own place.
        networks_dir: of published networks, or None for `kaf_networks_2020` beside `data_dir`.
    """

    directory: pathlib.Path
    data_dir: str | None = None
    networks_dir: str | None = None

    def networks(self, name: str) -> pathlib.Path:
        """A published network; raises InputError where there is none."""
        beside = pathlib.Path(self.data_dir or ".").parent / "kaf_networks_2020"
        path = pathlib.Path(self.networks_dir or beside) / name
        if not path.is_dir():
            raise InputError.expected("--networks_dir", f"a directory that holds {name}", path)
        return path

    def trained(self, run: str) -> Any:
        """The Keras model of one of the study's trainings."""
        import keras

        import robust_keras.layers  # noqa: F401 -- Keras then knows them by name

        return keras.models.load_model(self.directory / run / "model.keras")


# (Where, how many images at most) -> what JSON can hold.
MadeBy = Callable[[Place, int], Any]


@dataclasses.dataclass(frozen=True)
class Train:
    """One run of train.py.

    Args:
        name: of the run, `MODEL-SEED`; its directory under the study's.
        flags: as for train.py; `RUNS/` in them stands for the study's directory.
    """

    name: str
    flags: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class Evaluate:
    """One run of evaluate.py; name and flags as for `Train`."""

    name: str
    flags: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class Make:
    """A step that no program of ours has.

    Args:
        name: of the step; what it returns is kept as `NAME.json` in the study's directory.
        make: function of a `Place` and of how many images it may look at, to what JSON can hold.
        images: how many images it looks at.
        needs: names in the study's directory that it reads, which earlier steps have made.
        makes: name in that directory of what it leaves for later steps, or "".
    """

    name: str
    make: MadeBy
    images: int
    needs: tuple[str, ...] = ()
    makes: str = ""


Step = Train | Evaluate | Make


def kind(step: Step) -> str:
    """`train`, `evaluate` or `make`."""
    return type(step).__name__.lower()


def once(steps: Iterable[Step]) -> tuple[Step, ...]:
    """Steps in the order in which they are first named."""
    return tuple({(type(step), step.name): step for step in steps}.values())


@dataclasses.dataclass(frozen=True)
class Measure:
    """One number that decides about a claim, oriented so that the claim says: it is above.

    Args:
        budget: what the attacker was allowed, in words.
        value: function of what one seed found (`Seen`) to a float array with one entry an image, or
            to a single float where images have no say.
        above: the claim holds if the whole interval is above this, and fails if none of it is.
        unit: "points" (of accuracy, a share times 100) or "" for plain numbers.
    """

    budget: str
    value: Value
    above: float = 0.0
    unit: str = "points"


def alone(
    budget: str, value: Value, above: float = 0.0, unit: str = "points"
) -> tuple[Measure, ...]:
    """The measures of a claim that one number decides; see `Measure`."""
    return (Measure(budget, value, above, unit),)


@dataclasses.dataclass(frozen=True)
class Claim:
    """One claim of a source.

    Args:
        name: short, without blanks.
        says: what the source says.
        number: its number, or what is known of it.
        measures: what decides, the published budget first and the strongest last, which decides.
        holds: one plain sentence why, where it does.
        fails: the same where it fails.
        open: the same where it stays open.
        seeds: how many seeds there must be for a verdict.
        group: heading under which the page has it, or "".
    """

    name: str
    says: str
    number: str
    measures: tuple[Measure, ...]
    _: dataclasses.KW_ONLY
    holds: str
    fails: str
    open: str = "The interval does not tell: it lies on both sides of the bound."
    seeds: int = 3
    group: str = ""


def grouped(group: str, claims: Iterable[Claim]) -> tuple[Claim, ...]:
    """Claims under one heading of the page."""
    return tuple(dataclasses.replace(claim, group=group) for claim in claims)


@dataclasses.dataclass(frozen=True)
class Figure:
    """The figure that answers the question: lines over an axis, one an entry of `lines`.

    Args:
        title: what is seen.
        across: label of the axis.
        up: label of the other.
        places: where on the axis.
        ticks: names of the places, where they are no numbers; nothing joins them then.
        lines: pairs of a label and a function from a place to what `Measure.value` is.
        colours: after how many lines the colours begin again, with another dash and bars in place
            of bands; 0 for a colour a line.
        signed: whether these are differences, in points, around 0.
    """

    title: str
    across: str
    up: str
    places: tuple[float, ...]
    lines: tuple[tuple[str, Callable[[float], Value]], ...]
    ticks: tuple[str, ...] = ()
    colours: int = 0
    signed: bool = False


@dataclasses.dataclass(frozen=True)
class Table:
    """A table beside that of the models.

    Args:
        title: what is seen.
        rows: pairs of a label and what the columns' functions take.
        columns: pairs of a heading and a function from that to what `Measure.value` is.
    """

    title: str
    rows: tuple[tuple[str, Any], ...]
    columns: tuple[tuple[str, Callable[[Any], Value]], ...]


@dataclasses.dataclass(frozen=True)
class Form:
    """How large a study is run.

    Args:
        told: what was shortened, or what is run, in words, for the page.
        train: flags after those of every training.
        evaluate: flags after those of every evaluation.
        steps: how many of the steps, the first ones; None for all.
        images: most images of a `Make`.
        instead: flags of its steps, and what stands in their place.
        hours: about how long it takes, in words.
    """

    told: str
    train: tuple[str, ...] = ()
    evaluate: tuple[str, ...] = ()
    steps: int | None = None
    images: int = 1_000_000
    instead: Mapping[str, str] = dataclasses.field(default_factory=dict)
    hours: str = ""


@dataclasses.dataclass(frozen=True)
class Study:
    """One study: everything that is fixed before its first result is seen.

    Args:
        name: as on the command line.
        title: of its page.
        source: whose claims these are.
        question: one or two sentences.
        method: at most eight lines, each a sentence or two.
        steps: its runs in the order in which whole claims finish first.
        seeds: of the runs, in that order.
        rows: table of models: pairs of a label and the name of a model.
        columns: of that table: pairs of a heading and a function from a model's name to what
            `Measure.value` is.
        claims: its claims.
        headlines: names of those that README tells.
        figure: its figure.
        meaning: what it means: pieces of text, each given only where a claim came out so, by
            (claim, verdict).
        doubts: what would change our mind.
        forms: `smoke`, `small` and `full`.
        tables: what else is shown beside its table of models.
        curves: what is told as tables of means, networks by places, and not drawn.
        details: what somebody who checks the claims wants to know besides, as lines.
    """

    name: str
    title: str
    source: str
    question: str
    method: tuple[str, ...]
    steps: tuple[Step, ...]
    seeds: tuple[int, ...]
    rows: tuple[tuple[str, str], ...]
    columns: tuple[tuple[str, Callable[[str], Value]], ...]
    claims: tuple[Claim, ...]
    headlines: tuple[str, ...]
    figure: Figure
    meaning: Mapping[tuple[str, str], str]
    doubts: tuple[str, ...]
    forms: dict[str, Form]
    tables: tuple[Table, ...] = ()
    curves: tuple[Figure, ...] = ()
    details: tuple[str, ...] = ()
