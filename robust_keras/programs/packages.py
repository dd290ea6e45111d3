"""The packages that the programs import beyond the layers: one line where they are missing.

Standard library only, so that a Python that has none of them gets that line, too.
"""

import importlib.util
import pathlib
import sys
from collections.abc import Callable

from robust_keras.errors import InputError

# As imported -> as installed: the dependencies and the extra `programs` of pyproject.toml.
PACKAGES = {
    "absl": "absl-py",
    "cleverhans": "cleverhans",
    "importlib_resources": "importlib_resources",
    "jinja2": "jinja2",
    "keras": "keras",
    "matplotlib": "matplotlib",
    "mlxtend": "mlxtend",
    "numpy": "numpy",
    "PIL": "pillow",
    "psutil": "psutil",
    "scipy": "scipy",
    "sklearn": "scikit-learn",
    "tensorboard": "tensorboard",
    "tensorflow": "tensorflow",
    "tensorflow_datasets": "tensorflow-datasets",
    "tensorflow_model_optimization": "tensorflow-model-optimization",
    "tensorflow_serving": "tensorflow-serving-api",
    "tf_keras": "tf_keras",
    "tqdm": "tqdm",
}
CHECKOUT = pathlib.Path(__file__).parent.parent.parent


def missing() -> list[str]:
    """Names of the packages that this Python does not have, as pip calls them."""
    return [name for module, name in PACKAGES.items() if importlib.util.find_spec(module) is None]


def check() -> None:
    """Looks for every package without importing any.

    Raises:
        InputError: naming those that are missing, and the command that installs them.
    """
    found = missing()
    if found:
        raise InputError.expected(
            "packages", _where_from(), f"{sys.executable} without {', '.join(found)}"
        )


def _where_from():
    if (CHECKOUT / "requirements.txt").is_file():
        return (
            "those of requirements.txt (`source .venv/bin/activate` after `make quickstart`, "
            "or `pip install -r requirements.txt`)"
        )
    return (
        "those of the extra `programs` (`pip install '.[programs]'` in the directory of "
        "robust_keras, or `pip install 'FILE.whl[programs]'`)"
    )


def start(main: Callable, config_class: type, description: str) -> None:
    """`command_line.run`, once there is something to run it with.

    `--help` and wrong flags need nothing but absl, so the other packages are looked for later.
    """
    if importlib.util.find_spec("absl") is None:
        try:
            check()
        except InputError as error:
            raise SystemExit(_refused(error)) from None
    from robust_keras.programs import command_line

    def checked(config):
        check()
        main(config)

    command_line.run(checked, config_class, description)


def _refused(error):
    print(f"error: {error}", file=sys.stderr)
    return 2
