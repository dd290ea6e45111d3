"""From the flags of a study to its results, page and figure."""

import pathlib

from robust_keras import reporting
from robust_keras.directories import whole_files
from robust_keras.quiet_start import start_tensorflow
from robust_keras.runs.plugins import load_plugins
from robust_keras.settings.study import StudyConfig
from robust_keras.studies import all_studies, assistants, known, page, picture, results, running
from robust_keras.studies.answers import Answers
from robust_keras.studies.study import Place
from robust_keras.studies.turns import Turns

_ATTACK = pathlib.Path(__file__).parent / "published_attack.py"


def main(asked: StudyConfig) -> None:
    """Runs a study in one of its forms."""
    study, form, place, where = _asked(asked)
    for path in (place.directory, where):
        path.mkdir(parents=True, exist_ok=True)
    finished = _finished(study, form, place, where)

    def write():
        found = results.results(study, asked.form, finished)
        text = known.text(study.steps[: form.steps], form, finished)
        whole_files.write(_rows(study, where), text)
        whole_files.write(where / f"{study.name}.json", results.text(found))
        whole_files.write(where / f"{study.name}.md", page.page(study, found))
        whole_files.write(where / f"{study.name}.svg", picture.svg(found["figure"]))

    reporting.register(Answers())
    if not asked.pages_only:
        _start()
        running.check_same(study.steps, form, place)
        most = len(running.ready(study.steps, form, finished))
        with assistants.turns(asked, place.directory, most) as turns:
            running.run(study.steps, form, place, finished, write, turns)
    write()
    print(f"page  {where / f'{study.name}.md'}")


def assist(asked: StudyConfig, turns: Turns) -> bool:
    """Runs those steps that no other process is at, and writes no page; whether none is left."""
    study, form, place, where = _asked(asked)
    reporting.register(Answers())
    _start()
    finished = _finished(study, form, place, where)
    return running.run(study.steps, form, place, finished, lambda: None, turns)


def _asked(asked):
    """(Study, the form it is run in, where it finds its files, where results go)."""
    study = all_studies.STUDIES[asked.study]
    directory = pathlib.Path(asked.output_dir or f"runs/studies/{study.name}-{asked.form}")
    place = Place(directory, asked.data_dir, asked.networks_dir)
    return study, study.forms[asked.form], place, pathlib.Path(asked.results_dir or directory)


def _start():
    start_tensorflow()
    load_plugins([str(_ATTACK)])


def _finished(study, form, place, where):
    counts, others = known.kept(_rows(study, where), study.steps[: form.steps], form)
    for name in others:
        print(
            f"again {name}: {_rows(study, where)} knows it, or what it reads, by other flags than "
            "now",
            flush=True,
        )
    return known.Known(place.directory, counts)


def _rows(study, where):
    return where / f"{study.name}.runs.jsonl"
