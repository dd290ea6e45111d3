"""Public functions say what they take and give, and a type checker believes them."""

import ast
import pathlib
import subprocess
import sys
import tomllib

ROOT = pathlib.Path(__file__).parent.parent
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["mypy"]
SOURCES = sorted(
    path for name in SETTINGS["packages"] for path in (ROOT / name.replace(".", "/")).rglob("*.py")
)


def public(path):
    """The functions and methods of a file that others call, and what they have beside `self`."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        methods = node.body if isinstance(node, ast.ClassDef) else ()
        for function in (node, *methods):
            if not isinstance(function, ast.FunctionDef) or node.name.startswith("_"):
                continue
            if function.name == "__init__" or not function.name.startswith("_"):
                yield function, function is not node


def untyped(function, method):
    """What of a signature says no type."""
    given = function.args
    named = [*given.posonlyargs, *given.args]
    static = "staticmethod" in map(ast.unparse, function.decorator_list)
    named = named[1:] if method and not static else named
    named += [*given.kwonlyargs, *filter(None, (given.vararg, given.kwarg))]
    missing = [argument.arg for argument in named if argument.annotation is None]
    return missing + ["return"] * (function.returns is None and function.name != "__init__")


def test_public_functions_say_their_types():
    found = {
        f"{path.relative_to(ROOT)}: {function.name}": missing
        for path in SOURCES
        for function, method in public(path)
        if (missing := untyped(function, method))
    }
    assert not found


def test_the_type_checker_finds_nothing():
    done = subprocess.run(
        [sys.executable, "-m", "mypy"], cwd=ROOT, capture_output=True, text=True, timeout=600
    )
    assert done.returncode == 0, done.stdout
