"""Methods of adversarial training: one class, in a file of its own, each.

A user's own is a subclass of `Method` and one `register(MethodDeclaration(...))`.
"""

import importlib

from robust_keras.settings.adversarial_methods import METHODS, MethodDeclaration, register
from robust_keras.training.methods.method import Method

__all__ = ["METHODS", "Method", "MethodDeclaration", "method_class", "register"]


def method_class(name: str) -> type[Method]:
    """The class of a method that is declared."""
    module, _, attribute = METHODS[name].code.partition(":")
    return getattr(importlib.import_module(module), attribute)
