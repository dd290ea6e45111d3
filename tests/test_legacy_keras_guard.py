"""The guard around the import of tensorflow_model_optimization, on quick stand-ins."""

import json
import os
import pathlib
import subprocess
import sys

import pytest

from robust_keras import legacy_keras_guard

ROOT = pathlib.Path(__file__).parent.parent
PACKAGE = legacy_keras_guard.PACKAGE
VARIABLE = legacy_keras_guard.VARIABLE

# Like the real ones: tf.keras decides on first use, and the package sets the variable on import.
TENSORFLOW = """
import os, types

class Keras(types.ModuleType):
    choice = None
    def __dir__(self):
        self.choice = self.choice or os.environ.get("TF_USE_LEGACY_KERAS", "unset")
        return []

keras = Keras("keras")
"""
ORIGINAL = """
import os
import tensorflow
os.environ["TF_USE_LEGACY_KERAS"] = "1"
dir(tensorflow.keras)
if os.environ.get("BROKEN") == "1":
    raise ImportError("broken")
"""
PRINT = f"""
import json, os, sys
tensorflow = sys.modules.get("tensorflow")
guards = [finder for finder in sys.meta_path if type(finder).__name__ == "LegacyKerasGuard"]
choice = tensorflow and tensorflow.keras.choice
print(json.dumps([os.environ.get("{VARIABLE}"), choice, len(guards)]))
"""
IMPORT = f"import {PACKAGE}"
# name -> (variable at the start, statements, [variable, what tf.keras chose by, guards] after)
CASES = {
    "guard alone": (None, ["import robust_keras"], [None, None, 1]),
    "guard, package": (None, ["import robust_keras", IMPORT], [None, "unset", 0]),
    "package, guard": (None, [IMPORT, "import robust_keras"], [None, "1", 0]),
    "submodule": (None, ["import robust_keras", f"import {PACKAGE}.inner"], [None, "unset", 0]),
    "the user's 0": ("0", ["import robust_keras", IMPORT], ["0", "0", 0]),
    "the user's 1": ("1", ["import robust_keras", IMPORT], ["1", "1", 0]),
    "the user's 0, set between": (
        None,
        ["import robust_keras", f"import os; os.environ['{VARIABLE}'] = '0'", IMPORT],
        ["0", "0", 0],
    ),
    "the user's 0, set after": (
        None,
        [IMPORT, f"import os; os.environ['{VARIABLE}'] = '0'", "import robust_keras"],
        ["0", "1", 0],
    ),
    "installed twice": (
        None,
        [
            "import robust_keras",
            "robust_keras.legacy_keras_guard.install()",
            IMPORT,
        ],
        [None, "unset", 0],
    ),
    "only looked up": (
        None,
        [
            "import robust_keras, importlib.util",
            f"importlib.util.find_spec('{PACKAGE}')",
            f"assert '{PACKAGE}' not in sys.modules",
            IMPORT,
        ],
        [None, "unset", 0],
    ),
    "package reports its own loader": (
        None,
        [
            "import robust_keras, importlib.resources",
            IMPORT,
            f"module = {PACKAGE}",
            "assert module.__spec__.loader is module.__loader__",
            "assert type(module.__loader__).__name__ == 'SourceFileLoader'",
            f"assert importlib.resources.files('{PACKAGE}').joinpath('inner.py').is_file()",
        ],
        [None, "unset", 0],
    ),
    "import that fails, then works": (
        None,
        [
            "import robust_keras, os; os.environ['BROKEN'] = '1'",
            f"try: {IMPORT}\nexcept ImportError: pass\nelse: sys.exit('no error')",
            f"assert '{VARIABLE}' not in os.environ",
            "os.environ['BROKEN'] = '0'",
            IMPORT,
        ],
        [None, "unset", 0],
    ),
}


@pytest.fixture(scope="module")
def stand_ins(tmp_path_factory):
    directory = tmp_path_factory.mktemp("stand_ins")
    for name, source in (("tensorflow", TENSORFLOW), (PACKAGE, ORIGINAL)):
        (directory / name).mkdir()
        (directory / name / "__init__.py").write_text(source, encoding="utf-8")
    (directory / PACKAGE / "inner.py").touch()
    return directory


@pytest.mark.parametrize("name", CASES)
def test_variable_and_keras_after_the_imports(name, stand_ins):
    value, statements, expected = CASES[name]
    environment = {k: v for k, v in os.environ.items() if k != VARIABLE}
    environment["PYTHONPATH"] = os.pathsep.join([str(stand_ins), str(ROOT)])
    if value is not None:
        environment[VARIABLE] = value
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(["import sys", *statements, PRINT])],
        env=environment,
        cwd=stand_ins,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == expected


def test_importing_robust_keras_imports_no_framework():
    code = "import sys, robust_keras; print(sorted(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    heavy = {"tensorflow", "keras", "tf_keras", "numpy", PACKAGE, "cleverhans"}
    assert not heavy & set(json.loads(done.stdout.replace("'", '"')))


def test_a_missing_package_is_reported_as_missing(tmp_path):
    code = f"import robust_keras\ntry: import {PACKAGE}\nexcept ImportError as e: print(e.name)"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    # -S leaves out the installed packages.
    done = subprocess.run(
        [sys.executable, "-S", "-c", code],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == PACKAGE
