"""Which kernels of a model can be pruned, and how sparse they are."""

import typing
from collections.abc import Sequence

import keras
import numpy as np

from robust_keras.layers import keras_private

_CONVOLUTIONS = (
    keras.layers.Conv1D,
    keras.layers.Conv2D,
    keras.layers.Conv3D,
    keras.layers.Conv1DTranspose,
    keras.layers.Conv2DTranspose,
    keras.layers.Conv3DTranspose,
)
_SEPARABLE = (keras.layers.SeparableConv1D, keras.layers.SeparableConv2D)
_DEPTHWISE = (keras.layers.DepthwiseConv1D, keras.layers.DepthwiseConv2D)

# Kind -> ((layer classes, attribute that holds the kernel), ...). Everything else a model holds
# (biases, batch normalisation, mixing coefficients of trainable activations) is never pruned.
LAYER_KINDS = {
    "dense": (((keras.layers.Dense, keras.layers.EinsumDense), "kernel"),),
    "conv": ((_CONVOLUTIONS, "kernel"), (_SEPARABLE, "pointwise_kernel")),
    "depthwise": ((_DEPTHWISE, "kernel"), (_SEPARABLE, "depthwise_kernel")),
    "embedding": (((keras.layers.Embedding,), "embeddings"),),
}
DEFAULT_LAYER_KINDS = ("dense", "conv")


class PrunableKernel(typing.NamedTuple):
    """One kernel: its unique path in the model, its layer's name, its keras.Variable."""

    path: str
    layer_name: str
    variable: keras.Variable


def prunable_kernels(
    model: keras.Model,
    layer_kinds: Sequence[str] = DEFAULT_LAYER_KINDS,
    skip_layers: Sequence[str] = (),
    skip_last: bool = False,
) -> list[PrunableKernel]:
    """Lists the kernels to prune in the model's layer order, nested layers and models included.

    Args:
        model: a built keras.Model.
        layer_kinds: keys of `LAYER_KINDS`.
        skip_layers: names of layers that are left dense, with all layers inside them.
        skip_last: whether the last prunable layer of the model is left dense too.

    Returns:
        A list of `PrunableKernel`; a kernel that several layers share appears once.

    Raises:
        ValueError: an unknown kind or layer name, a layer that is not built, or a kernel that is
            no variable (a quantised layer, or one with LoRA).
    """
    unknown = [kind for kind in layer_kinds if kind not in LAYER_KINDS]
    if unknown or not layer_kinds or isinstance(layer_kinds, str):
        raise ValueError(
            f"`layer_kinds` must hold at least one of {sorted(LAYER_KINDS)} and nothing else. "
            f"Received: layer_kinds={layer_kinds!r}"
        )
    names: set[str] = set()
    layers: list[keras.layers.Layer] = []
    _walk(model, set(skip_layers), names, layers)
    missing = sorted(set(skip_layers) - names)
    if missing:
        raise ValueError(
            f"`skip_layers` must hold names of layers of model '{model.name}'. Received: {missing}"
        )
    groups = [group for layer in layers if (group := _kernels_of(layer, layer_kinds))]
    if skip_last:
        groups = groups[:-1]
    seen, kernels = set(), []
    for kernel in (kernel for group in groups for kernel in group):
        if id(kernel.variable) not in seen:
            seen.add(id(kernel.variable))
            kernels.append(kernel)
    return _with_unique_paths(kernels)


def layer_sparsities(
    model: keras.Model, layer_kinds: Sequence[str] = DEFAULT_LAYER_KINDS
) -> dict[str, float]:
    """The fraction of zeros in every prunable kernel.

    Args:
        model: a built keras.Model.
        layer_kinds: keys of `LAYER_KINDS`.

    Returns:
        A dict from kernel path to its fraction of exact zeros in [0, 1], in layer order.

    Example:
        `layer_sparsities(model)` -> `{"lenet5/conv1/kernel": 0.8, ...}`
    """
    kernels = prunable_kernels(model, layer_kinds)
    return {path: 1.0 - nonzero / size for path, nonzero, size in _counts(kernels)}


def sparsity(model: keras.Model, layer_kinds: Sequence[str] = DEFAULT_LAYER_KINDS) -> float:
    """The fraction of zeros over all prunable kernels together; 0.0 if there are none.

    Args:
        model: a built keras.Model.
        layer_kinds: keys of `LAYER_KINDS`.

    Returns:
        A float in [0, 1]: exact zeros / weights.
    """
    counts = list(_counts(prunable_kernels(model, layer_kinds)))
    total = sum(size for _, _, size in counts)
    return 1.0 - sum(nonzero for _, nonzero, _ in counts) / total if total else 0.0


def _walk(layer, skip_layers, names, layers):
    names.add(layer.name)
    if layer.name in skip_layers:
        return
    layers.append(layer)
    for inner in keras_private.inner_layers(layer):
        _walk(inner, skip_layers, names, layers)


def _counts(kernels):
    for kernel in kernels:
        values = keras.ops.convert_to_numpy(kernel.variable.value)
        yield kernel.path, int(np.count_nonzero(values)), values.size


def _kernels_of(layer, layer_kinds):
    found = []
    for classes, attribute in (entry for kind in layer_kinds for entry in LAYER_KINDS[kind]):
        if not isinstance(layer, classes):
            continue
        if not layer.built:
            raise ValueError(
                "The model must be built before it is pruned: give it an input shape or call it "
                f"once. Received: layer '{layer.name}', which has no weights yet"
            )
        kernel = getattr(layer, attribute)
        if not isinstance(kernel, keras.Variable) or not keras.backend.is_float_dtype(kernel.dtype):
            raise ValueError(
                f"Layer '{layer.name}' must hold its `{attribute}` as one float variable to be "
                f"pruned. Received: {type(kernel).__name__} of dtype {kernel.dtype}"
            )
        found.append(PrunableKernel(kernel.path, layer.name, kernel))
    return found


def _with_unique_paths(kernels):
    # Two layers of one name inside different custom layers can have the same path.
    times, unique = {}, []
    for kernel in kernels:
        count = times[kernel.path] = times.get(kernel.path, 0) + 1
        unique.append(kernel if count == 1 else kernel._replace(path=f"{kernel.path}#{count}"))
    return unique
