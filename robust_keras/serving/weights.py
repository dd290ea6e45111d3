"""How many parameters a model has and how many of its kernels' weights are zero."""

import math
from collections.abc import Iterable
from typing import Any

import numpy as np


def count_parameters(variables: Iterable[Any]) -> int | None:
    """Number of floating-point weights that inference uses, moving statistics included.

    Args:
        variables: `tf.Variable`s or `keras.Variable`s.

    Returns:
        What `keras.Model.count_params` says, or None where there is no variable to count (a graph
        frozen into constants).
    """
    sizes = [math.prod(variable.shape) for variable in variables if _is_float(variable)]
    return sum(sizes) if sizes else None


def kernel_sparsity(variables: Iterable[Any]) -> float | None:
    """Fraction of weights that are exactly zero among the kernels, in [0, 1].

    Kernels are the weights of two axes or more whose name ends in "kernel", as Keras names them;
    where no weight has such a name, all weights of two axes or more.

    Args:
        variables: `tf.Variable`s or `keras.Variable`s.

    Returns:
        The fraction, or None where there is no such weight.
    """
    matrices = [v for v in variables if _is_float(v) and len(v.shape) >= 2]
    named = [v for v in matrices if v.name.split(":")[0].endswith("kernel")]
    values = [np.asarray(variable) for variable in named or matrices]
    total = sum(value.size for value in values)
    return sum(int(np.sum(value == 0)) for value in values) / total if total else None


def _is_float(variable):
    # bfloat16 is no numpy type, so the name decides.
    dtype = getattr(variable.dtype, "name", variable.dtype)
    return "float" in str(dtype)
