"""Keeps tensorflow_model_optimization from turning `tf.keras` into Keras 2 for the whole process.

Importing that package sets the environment variable `TF_USE_LEGACY_KERAS` to "1" and leaves it
there: `tf.keras`, if nothing has used it yet, silently becomes Keras 2 while `keras` stays 3, and
every child process inherits the variable. The package itself needs the variable while it is being
imported (its layer registry reads `tf.compat.v1.keras`), so the import is wrapped rather than the
variable forbidden. What this module imports is loaded with Python itself: `import robust_keras`
costs a millisecond (`importlib.abc` alone would cost twelve).
"""

import os
import sys
from collections.abc import Sequence
from importlib.abc import Loader
from importlib.machinery import ModuleSpec
from types import ModuleType

PACKAGE = "tensorflow_model_optimization"
VARIABLE = "TF_USE_LEGACY_KERAS"


def install() -> None:
    """Guards the import of tensorflow_model_optimization, past or to come; harmless when repeated.

    * Not imported yet: whoever imports it later gets `tf.keras` resolved first, by the variable
      as it is then (so Keras 3 unless the user chose otherwise), and the variable put back to
      what it was, set or unset.
    * Imported already: the "1" that it left behind is removed. Nobody can tell it from a "1" that
      the user had set, and `tf.keras` stays what that import made of it. Any other value is the
      user's, and stays.
    """
    if PACKAGE in sys.modules:
        if os.environ.get(VARIABLE) == "1":
            del os.environ[VARIABLE]
    elif not any(isinstance(finder, LegacyKerasGuard) for finder in sys.meta_path):
        sys.meta_path.insert(0, LegacyKerasGuard())


class LegacyKerasGuard:
    """Finds the one package as the other finders do, and has it executed by a guarded loader."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Returns the package's own spec with a guarded loader, or None for every other name."""
        if fullname != PACKAGE:
            return None
        for finder in sys.meta_path:
            find_spec = getattr(finder, "find_spec", None)
            spec = find_spec(fullname, path, target) if find_spec and finder is not self else None
            if spec is not None and spec.loader is not None:
                # Not removed here: a spec is also looked up just to see whether a package exists.
                spec.loader = GuardedLoader(spec.loader, self)
                return spec
        return None


class GuardedLoader:
    """Executes a module with `tf.keras` resolved before and the variable restored after."""

    def __init__(self, loader: Loader, finder: LegacyKerasGuard):
        self.loader = loader
        self.finder = finder

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        """Lets the package's own loader create the module."""
        return self.loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        """Executes the module; the guard stays in place where that fails."""
        # The package's own loader answers for its source and its data files from here on.
        if module.__spec__ is not None:
            module.__spec__.loader = self.loader
        module.__loader__ = self.loader
        before = os.environ.get(VARIABLE)
        try:
            import tensorflow as tf

            # `tf.keras` chooses its Keras on the first attribute that anyone asks it for.
            dir(tf.keras)
            self.loader.exec_module(module)
        finally:
            if before is None:
                os.environ.pop(VARIABLE, None)
            else:
                os.environ[VARIABLE] = before
        sys.meta_path[:] = [finder for finder in sys.meta_path if finder is not self.finder]
