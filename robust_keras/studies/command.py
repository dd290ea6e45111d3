"""From the flags of a study to its results, page and figure."""

import pathlib
from typing import Any

from robust_keras import reporting
from robust_keras.directories import whole_files
from robust_keras.quiet_start import start_tensorflow
from robust_keras.runs.plugins import load_plugins
from robust_keras.studies import all_studies, known, page, picture, results, running
from robust_keras.studies.answers import Answers
from robust_keras.studies.study import Place

_ATTACK = pathlib.Path(__file__).parent / "published_attack.py"


def main(asked: Any) -> None:
    """Runs a study in one of its forms.

    Args:
        asked: a `StudyConfig`.
    """
    study = all_studies.STUDIES[asked.study]
    form = asked.form
    directory = pathlib.Path(asked.output_dir or f"runs/studies/{study.name}-{form}")
    where = pathlib.Path(asked.results_dir or directory)
    for path in (directory, where):
        path.mkdir(parents=True, exist_ok=True)

    declared = study.forms[form]
    steps = study.steps[: declared.steps]
    runs = where / f"{study.name}.runs.jsonl"
    finished = known.Known(directory, _kept(runs, steps, declared))

    def write():
        found = results.results(study, form, finished)
        whole_files.write(runs, known.text(steps, declared, finished))
        whole_files.write(where / f"{study.name}.json", results.text(found))
        whole_files.write(where / f"{study.name}.md", page.page(study, found))
        whole_files.write(where / f"{study.name}.svg", picture.svg(found["figure"]))

    reporting.register(Answers())
    if not asked.pages_only:
        start_tensorflow()
        load_plugins([str(_ATTACK)])
        place = Place(directory, asked.data_dir, asked.networks_dir)
        running.check_same(study.steps, declared, place)
        running.run(study.steps, declared, place, finished, write)
    write()
    print(f"page  {where / f'{study.name}.md'}")


def _kept(path, steps, form):
    counts, others = known.kept(path, steps, form)
    for name in others:
        print(
            f"again {name}: {path} knows it, or what it reads, by other flags than now", flush=True
        )
    return counts
