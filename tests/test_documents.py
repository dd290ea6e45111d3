"""README, docs and configs do what they say: every command parses, links lead somewhere."""

import re
import shlex
import subprocess

import pdoc
import pytest
from document_blocks import DOCUMENTS, ROOT, blocks, outside

from robust_keras.programs import command_line
from robust_keras.settings.config import EvaluateConfig, TrainConfig

CONFIGS = sorted((ROOT / "configs").glob("**/*.cfg"))
PROGRAMS = [ROOT / "robust_keras" / "programs" / f"{name}.py" for name in ("train", "evaluate")]
CLASSES = {"train.py": TrainConfig, "evaluate.py": EvaluateConfig}


def commands(text):
    """Every `python train.py ...` or `python evaluate.py ...` in a text, on one line or more."""
    joined = re.sub(r" \\\n#? +", " ", text)
    return re.findall(r"python (?:train|evaluate)\.py [^`\n]*--[^`\n]*", joined)


def parse(command, monkeypatch):
    program, *arguments = shlex.split(command, comments=True)[1:]
    monkeypatch.chdir(ROOT)
    return command_line.parse(CLASSES[program], "", [program, *arguments])


def all_commands():
    sources = [*DOCUMENTS, *CONFIGS, *PROGRAMS]
    found = [
        pytest.param(command, id=f"{source.name}: {command}")
        for source in sources
        for command in commands(source.read_text(encoding="utf-8"))
        if not re.search(r"--help|--version|=\.\.\.", command)
    ]
    assert len(found) > 5
    return found


@pytest.mark.parametrize("command", all_commands())
def test_every_command_parses(command, monkeypatch):
    parse(command, monkeypatch)


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.name)
def test_every_config_begins_with_its_command(path):
    comments = [line for line in path.read_text().splitlines() if line.startswith("#")]
    assert len(comments) >= 3
    assert f"--flagfile={path.relative_to(ROOT).as_posix()}" in comments[-1]


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.name)
def test_every_config_says_how_long_it_takes_and_what_to_expect(path):
    told = " ".join(line for line in path.read_text().splitlines() if line.startswith("#"))
    assert re.search(r"(second|minute|hour|day)s?\b", told)
    assert re.search(r"accuracy\b.*0\.\d|\d %|left \d|loss of \d", told)


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(path):
    for target in re.findall(r"\]\(([^)#]+)\)", outside(path)):
        if "://" not in target:
            assert (path.parent / target).exists(), target


def test_the_block_of_symmetric_units_tells_who_is_in_the_sphere():
    code = next(b for b in blocks(ROOT / "docs" / "symmetric_units.md") if b.language == "python")
    made = {}
    exec(code.text.partition("\n\ndef small")[0], made)
    assert made["inside"].min() > 0 and made["outside"].max() == 0
    assert made["radius"] < made["farther"] < 1.02 * made["radius"]


def test_api_pages_are_made_from_docstrings(tmp_path):
    pdoc.render.configure(docformat="google")
    pdoc.pdoc("robust_keras.layers", output_directory=tmp_path)
    page = (tmp_path / "robust_keras" / "layers.html").read_text(encoding="utf-8")
    assert "Scardapane" in page and "dictionary_size" in page
    printed = subprocess.run(
        ["make", "--dry-run", "docs"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    assert "-m pdoc" in printed


@pytest.mark.parametrize("path", sorted((ROOT / "benchmarks").glob("*.py")), ids=lambda p: p.name)
def test_a_benchmark_finds_the_checkout_it_lies_in(path):
    text = path.read_text(encoding="utf-8")
    ours = re.search(r"^ *(?:from|import) robust_keras", text, re.MULTILINE)
    if ours and '__name__ == "__main__"' in text:
        assert "sys.path" in text[: ours.start()] or path.name == "recorded_runs.py"
