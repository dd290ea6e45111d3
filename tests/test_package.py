"""The wheel, in an environment of its own: its programs, its layers, its files."""

import importlib.metadata
import os
import pathlib
import re
import shutil
import subprocess
import sys
import sysconfig
import tomllib
import zipfile

import pytest

import robust_keras
from robust_keras.programs import packages

ROOT = pathlib.Path(__file__).parent.parent
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PROJECT = SETTINGS["project"]
PROGRAMS = ("robust-keras-train", "robust-keras-evaluate")
# What a user's own project may hold beside a script that imports ours.
HOSTILE = "raise RuntimeError('this is the user\\'s own module')\n"


def run(*command, cwd, **variables):
    environment = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "PYTHONHOME")}
    return subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=environment | {"TF_CPP_MIN_LOG_LEVEL": "2"} | variables,
        capture_output=True,
        text=True,
        timeout=300,
    )


def pip(*arguments, cwd):
    done = run(
        sys.executable, "-m", "pip", "--disable-pip-version-check", *arguments, "--no-deps", cwd=cwd
    )
    assert done.returncode == 0, done.stderr[-2000:]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Built from what the project's directory holds, without leaving anything there."""
    path = tmp_path_factory.mktemp("wheel")
    source = path / "source"
    for folder in ("layers", "robust_keras"):
        shutil.copytree(ROOT / folder, source / folder, ignore=shutil.ignore_patterns("*.pyc"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    major = int(importlib.metadata.version("setuptools").partition(".")[0])
    # Older ones, which come with Python 3.11's venv, cannot read the settings: pip fetches another.
    isolation = ["--no-build-isolation"] if major >= 77 else []
    pip("wheel", *isolation, "--wheel-dir", path, source, cwd=path)
    (built,) = path.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel):
    """An environment that holds the wheel alone, and finds more where BEHIND is set."""
    home = wheel.parent / "environment"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", home], check=True)
    pip("--python", home / "bin" / "python", "install", wheel, cwd=wheel.parent)
    (site,) = home.glob("lib/python*/site-packages")
    (site / "behind.pth").write_text(
        "import os, sys; sys.path += filter(None, [os.environ.get('BEHIND')])\n"
    )
    return home


def run_complete(installed, program, *arguments, cwd):
    """A program of that environment with the present packages behind it."""
    behind = sysconfig.get_path("purelib")
    return run(installed / "bin" / program, *arguments, cwd=cwd, BEHIND=behind)


@pytest.fixture
def user(tmp_path):
    """A user's own directory, with modules that are called like ours."""
    for name in ("layers", "serving", "training", "data", "models"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text(HOSTILE)
    for name in ("train", "evaluate", "command_line", "config"):
        (tmp_path / f"{name}.py").write_text(HOSTILE)
    return tmp_path


def test_the_wheel_holds_everything_that_is_not_python(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    wanted = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "robust_keras").rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }
    assert "robust_keras/py.typed" in wanted
    assert "robust_keras/reporting/style.css" in wanted
    assert wanted <= names
    assert any(name.endswith("licenses/LICENSE") for name in names)
    ours = {name.partition("/")[0] for name in names}
    assert {name for name in ours if not name.endswith(".dist-info")} == {"layers", "robust_keras"}


@pytest.mark.parametrize("program", PROGRAMS)
def test_without_its_packages_a_program_says_what_to_install(program, installed, user):
    done = run(installed / "bin" / program, cwd=user)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "pip install '.[programs]'" in done.stderr
    assert "without absl-py, cleverhans, " in done.stderr


@pytest.mark.parametrize("program", PROGRAMS)
def test_an_installed_program_answers_in_any_directory(program, installed, user):
    done = run_complete(installed, program, "--help", cwd=user)
    assert done.returncode == 0, done.stderr
    assert "--dataset" in done.stdout


LAYERS_ALONE = """
import sys

class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {refused}:
            raise ImportError(name)

sys.meta_path.insert(0, Refuse())
import numpy
import robust_keras
from {module} import KernelActivation, SmoothReLU

assert {site!r} in robust_keras.__file__, robust_keras.__file__
print(float(numpy.sum(KernelActivation()(numpy.zeros((1, 4), "float32")))))
"""


@pytest.mark.parametrize("module", ["layers", "robust_keras.layers"])
def test_layers_need_tensorflow_and_nothing_else(module, installed, user):
    if module == "layers":
        shutil.rmtree(user / "layers")
    refused = set(packages.PACKAGES) - {"absl", "keras", "numpy", "tensorflow"}
    script = LAYERS_ALONE.format(refused=refused, module=module, site=str(installed))
    done = run_complete(installed, "python", "-c", script, cwd=user)
    assert done.returncode == 0, done.stderr[-2000:]
    assert abs(float(done.stdout)) < 0.1


def test_a_folder_called_layers_breaks_that_import_and_nothing_else(installed, user):
    script = (
        "from robust_keras import attacks, data, models, reporting, serving, training\n"
        "import robust_keras.runs.evaluation\n"
        "import layers"
    )
    done = run_complete(installed, "python", "-c", script, cwd=user)
    assert done.stderr.strip().endswith("this is the user's own module")
    assert "line 3, in <module>" in done.stderr


def name_of(requirement):
    return re.match(r"[\w.-]+", requirement)[0].lower().replace("_", "-")


def pinned(file):
    lines = (ROOT / file).read_text(encoding="utf-8").splitlines()
    return dict(
        (name_of(line), line.partition("==")[2].split()[0])
        for line in lines
        if line and not line.startswith(("#", "-"))
    )


def test_requirements_and_settings_name_the_same_packages():
    wanted = [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["programs"]]
    assert {name_of(text) for text in wanted} == set(pinned("requirements.txt"))
    assert {name_of(name) for name in packages.PACKAGES.values()} == set(pinned("requirements.txt"))
    for text in wanted:
        if "==" in text:
            assert pinned("requirements.txt")[name_of(text)] == text.partition("==")[2]


def test_the_gpu_extra_is_the_same_tensorflow_with_its_libraries():
    (plain,) = [text for text in PROJECT["dependencies"] if name_of(text) == "tensorflow"]
    libraries = plain.replace("tensorflow", "tensorflow[and-cuda]")
    assert PROJECT["optional-dependencies"]["gpu"] == [libraries]


def test_nothing_is_pinned_twice():
    files = [pinned(name) for name in ("requirements.txt", "requirements-dev.txt")]
    constraints = pinned("constraints.txt")
    assert not set(files[0]) & set(files[1])
    assert not set(files[0]) & set(constraints)
    for name in set(files[1]) & set(constraints):
        assert files[1][name] == constraints[name]


def test_all_that_make_installs_has_a_checksum_and_is_what_is_pinned():
    installs = re.findall(r"\$\(PIP\) install (.*)", (ROOT / "Makefile").read_text("utf-8"))
    files = [re.search(r"--require-hashes -r ([\w-]+)\.lock$", line)[1] for line in installs]
    assert files == ["requirements", "requirements-dev"]
    constraints = pinned("constraints.txt")
    for name in files:
        wanted = pinned("requirements.txt") | pinned(f"{name}.txt")
        lines = (ROOT / f"{name}.lock").read_text(encoding="utf-8").replace("\\\n", "").splitlines()
        entries = [line for line in lines if not line.startswith("#")]
        assert all(re.search(r" --hash=sha256:[0-9a-f]{64}", line) for line in entries)
        locked = {name_of(line): line.partition("==")[2].split()[0] for line in entries}
        assert wanted.items() <= locked.items(), "run `make lock`"
        others = {n: v for n, v in locked.items() if n not in wanted}
        assert others.items() <= constraints.items(), "run `make lock`"


def test_licence_and_citation():
    licence = (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert "Apache License" in licence and "END OF TERMS AND CONDITIONS" in licence
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert f"version: {robust_keras.__version__}\n" in citation
    assert f"license: {PROJECT['license']}\n" in citation
