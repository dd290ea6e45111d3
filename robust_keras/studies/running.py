"""Runs a study's steps: those that are finished are left, one that was begun goes on."""

import gc
import hashlib
import json
import pathlib
import re
import sys
import time
from collections.abc import Callable, Iterable
from typing import Any

from robust_keras.directories import record, whole_files
from robust_keras.directories.occupied import OccupiedError
from robust_keras.programs import command_line, evaluate, train
from robust_keras.settings.config import EvaluateConfig, TrainConfig
from robust_keras.studies.study import Evaluate, Form, Make, Place, Step, Train, kind
from robust_keras.studies.turns import Turns

RUNS = "RUNS/"
# Kind of a step -> where it keeps what it does, and what is there once it is finished.
_OUTPUTS = {
    "train": ("{}", "serving/1"),
    "evaluate": ("{}-report", "report.json"),
    "make": ("{}.json", ""),
}
# What was run before a default changed is gone on with: evaluations say how many images a pass.
_EVALUATE = ("--batch_size=250",)
_BETWEEN_LOOKS_S = 0.5


def flags(step: Train | Evaluate, form: Form, runs: str, data_dir: str | None) -> list[str]:
    """The flags of one run, as its program takes them.

    Args:
        step: of a study.
        form: how large it is run.
        runs: the study's directory, what `RUNS/` in flags stands for.
        data_dir: as `--data_dir`, or None.
    """
    early, later = ((), form.train) if isinstance(step, Train) else (_EVALUATE, form.evaluate)
    chosen = (form.instead.get(flag, flag) for flag in (*early, *step.flags, *later))
    given = [flag.replace(RUNS, f"{runs}/") for flag in chosen]
    if data_dir is not None:
        given.append(f"--data_dir={data_dir}")
    return [*given, f"--output_dir={output(pathlib.Path(runs), step)}"]


def output(directory: pathlib.Path, step: Step) -> pathlib.Path:
    """Where a step keeps what it does."""
    return directory / _OUTPUTS[kind(step)][0].format(step.name)


def last_file(directory: pathlib.Path, kind: str, name: str) -> pathlib.Path:
    """What there is once the step of a kind and name is finished, and not before."""
    place, last = _OUTPUTS[kind]
    return directory / place.format(name) / last


def is_done(directory: pathlib.Path, step: Step) -> bool:
    """Whether a step is finished."""
    return last_file(directory, kind(step), step.name).exists()


def asked(step: Step, form: Form) -> list[str]:
    """What a step is asked to do, without any machine's paths."""
    if isinstance(step, Make):
        return [f"images={min(step.images, form.images)}"]
    return flags(step, form, "RUNS", None)


def check_same(steps: tuple[Step, ...], form: Form, place: Place) -> None:
    """Raises OccupiedError where a finished run was made with other flags than are declared."""
    for step in steps[: form.steps]:
        if not is_done(place.directory, step):
            continue
        where = output(place.directory, step)
        if isinstance(step, Make):
            if _made(where).get("recipe") != _recipe(step, steps, form):
                expected = (
                    f"a directory whose {where.name} was made of what the flags declared now give "
                    "(delete that file, and it is made again)"
                )
                raise OccupiedError.expected("--output_dir", expected, place.directory)
        else:
            _, name, config = _asked(step, form, place)
            record.Record(where, config, name, ()).check_settings()


def _recipe(step, steps, form):
    """A digest of what a step, and all that it reads, was asked to do."""
    told = [[kind(step), step.name, *asked(step, form)]]
    told += [_recipe(earlier, steps, form) for earlier in _sources(step, steps)]
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()


def _made(path):
    found = json.loads(path.read_text(encoding="utf-8"))
    return found if isinstance(found, dict) else {}


def found_in(path: pathlib.Path) -> Any:
    """What a `Make` found, from the file that it left."""
    return _made(path).get("found")


def _asked(step, form, place):
    """(Program, its name, what it is asked to do)."""
    given = ["", *flags(step, form, str(place.directory), place.data_dir)]
    if isinstance(step, Train):
        return train, "train", command_line.parse(TrainConfig, "", given)
    return evaluate, "evaluate", command_line.parse(EvaluateConfig, "", given)


def ready(steps: tuple[Step, ...], form: Form, known: Any) -> list[Step]:
    """Those that could begin now: what they read is finished, and they are not."""
    left = [step for step in steps[: form.steps] if not known.has(step)]
    unmade = {name for step in left for name in makes(step)}
    return [step for step in left if not unmade.intersection(needs(step))]


def run(
    steps: tuple[Step, ...],
    form: Form,
    place: Place,
    known: Any,
    after: Callable[[], Any],
    turns: Turns | None = None,
) -> bool:
    """Runs what is not finished, in its order.

    What a step reads of an earlier one that was run elsewhere is made again before it.

    Args:
        steps: of a study.
        form: how large it is run.
        place: where; the directory exists.
        known: what is known of the steps, see `known.Known`.
        after: called after each step that was run.
        turns: where other processes run it, too: what they are at is left to them.

    Returns:
        Whether everything is finished: an assistant that holds enough memory after a step ends.
    """
    chosen = steps[: form.steps]
    turns = turns or Turns()
    worked = False
    while left := [step for step in chosen if not known.has(step)]:
        # Not before a step: with a GPU a process holds as much from the beginning.
        if worked and not turns.leads and turns.holds_enough():
            return False
        if worked and turns.relieved():
            time.sleep(_BETWEEN_LOOKS_S)
            if any(map(known.has, left)):
                after()
            continue
        for step in left:
            title = f"[{chosen.index(step) + 1}/{len(chosen)}]"
            if _in_turn(step, title, steps, form, place, known, turns):
                worked = True
                after()
                break
        else:
            time.sleep(_BETWEEN_LOOKS_S)
    return True


def _in_turn(step, title, steps, form, place, known, turns):
    """Runs one step and what it lacks; False where others are at one of them, or have run it."""
    read = _sources(step, steps)
    with turns.taken(map(_mark, read)) as finished:
        if not finished:
            return False
    lacking = _missing(step, steps, place.directory)
    with turns.taken(map(_mark, (*lacking, step))) as ours:
        if not ours or known.has(step):
            return False
        for each in (*_missing(step, steps, place.directory), step):
            print(f"{title} {kind(each)} {each.name}", flush=True)
            began = time.process_time()
            _run(each, steps, form, place)
            _forget()
            print(f"took          {time.process_time() - began:.0f} s of the processor", flush=True)
    return True


def _mark(step):
    return f"{kind(step)}-{step.name}"


def makes(step: Step) -> set[str]:
    """The names in a study's directory that a step leaves there."""
    names = {output(pathlib.Path(), step).name}
    return names | ({step.makes} - {""} if isinstance(step, Make) else set())


def needs(step: Step) -> list[str]:
    """The names in a study's directory that a step reads."""
    if isinstance(step, Make):
        return list(step.needs)
    return list(dict.fromkeys(re.findall(f"{RUNS}([^/,]+)", " ".join(step.flags))))


def _sources(step: Step, steps: Iterable[Step]) -> list[Step]:
    """The earlier step that makes each of what a step needs."""
    by_name = {name: each for each in steps for name in makes(each)}
    return [by_name[name] for name in needs(step)]


def _missing(step: Step, steps: Iterable[Step], directory: pathlib.Path) -> list[Step]:
    """The earlier steps, in their order, whose files a step needs and that are not here."""
    found: list[Step] = []

    def look(of):
        for name, earlier in zip(needs(of), _sources(of, steps), strict=True):
            here = is_done(directory, earlier) and (directory / name).exists()
            if not (here or earlier in found):
                look(earlier)
                found.append(earlier)

    look(step)
    return found


def _run(step, steps, form, place):
    if isinstance(step, Make):
        found = step.make(place, min(step.images, form.images))
        made = {"recipe": _recipe(step, steps, form), "found": found}
        whole_files.write(output(place.directory, step), json.dumps(made, indent=1))
        return
    program, name, config = _asked(step, form, place)
    # What the run's report and its last lines tell as the command.
    sys.argv = [f"{name}.py", *flags(step, form, str(place.directory), place.data_dir)]
    program.main(config)


def _forget():
    """Lets go of the models and compiled functions of a run, so that the next begins afresh."""
    import keras

    keras.utils.clear_session()
    gc.collect()
