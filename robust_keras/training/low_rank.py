"""Low-rank convolutions in closed form: one vertical and one horizontal convolution."""

import dataclasses
import math

import keras
import numpy as np

from robust_keras import arguments
from robust_keras.training.kernel_matrices import rows_by_height


@dataclasses.dataclass(frozen=True)
class LowRankLayer:
    """What became of one convolution.

    Args:
        name: of the layer.
        rank: how many vertical filters there are.
        full_rank: how many would reproduce any kernel of this shape.
        error: Frobenius norm of the change over that of the kernel, in [0, 1].
    """

    name: str
    rank: int
    full_rank: int
    error: float


def separate(kernel: np.ndarray, rank: float) -> tuple[np.ndarray, np.ndarray]:
    """The best vertical and horizontal kernels of a rank, in Frobenius norm.

    With `W = U S V^T` of the kernel as (C kh, kw N), the vertical filters are the first columns of
    `U sqrt(S)` and the horizontal ones the first rows of `sqrt(S) V^T`.

    Args:
        kernel: array (kh, kw, C, N).
        rank: K, from 1 to min(C kh, kw N).

    Returns:
        float32 arrays (kh, 1, C, K) and (1, kw, K, N).

    Raises:
        ValueError: the rank is out of its range.

    Reference: Tai, Xiao, Zhang, Wang and E, Convolutional Neural Networks with Low-rank
    Regularization, 2015, arXiv 1511.06067.
    """
    height, width, channels, filters = kernel.shape
    if not 1 <= rank <= full_rank(kernel.shape):
        arguments.refuse("rank", f"in 1..{full_rank(kernel.shape)}", rank)
    matrix = rows_by_height(np.asarray(kernel, np.float64))
    left, values, right = np.linalg.svd(matrix, full_matrices=False)
    roots = np.sqrt(values[:rank])
    vertical = (left[:, :rank] * roots).reshape(channels, height, 1, rank)
    horizontal = (roots[:, np.newaxis] * right[:rank]).reshape(1, rank, width, filters)
    return (
        vertical.transpose(1, 2, 0, 3).astype(np.float32),
        horizontal.transpose(0, 2, 1, 3).astype(np.float32),
    )


def truncate(kernel: np.ndarray, rank: float) -> np.ndarray:
    """The nearest kernel of a rank, (kh, kw, C, N), float32; arguments as `separate`."""
    vertical, horizontal = (part.astype(np.float64) for part in separate(kernel, rank))
    return np.einsum("hick,iwkn->hwcn", vertical, horizontal).astype(np.float32)


def full_rank(shape: tuple[int, ...]) -> int:
    """The highest rank of a kernel (kh, kw, C, N)."""
    height, width, channels, filters = shape
    return min(channels * height, width * filters)


def rank_of(shape: tuple[int, ...], rank: float) -> int:
    """The rank that a kernel gets.

    Args:
        shape: (kh, kw, C, N).
        rank: below 1 a share of the full rank, rounded up; from 1 on the rank, at most the full
            one.

    Returns:
        A whole number from 1 to the full rank.

    Raises:
        ValueError: `rank` is not above 0, or above 1 and no whole number.
    """
    if not 0 < rank < math.inf or (rank >= 1 and rank != int(rank)):
        arguments.refuse("rank", "a share in (0, 1) or a whole number >= 1", rank)
    # Rounding first: 0.3 of 10 is a little above 3 in binary.
    wanted = math.ceil(round(rank * full_rank(shape), 9)) if rank < 1 else int(rank)
    return min(wanted, full_rank(shape))


def convolutions(model: keras.Model) -> list[keras.layers.Layer]:
    """The layers that can be split: 2D convolutions, higher and wider than a pixel, in one group.

    Args:
        model: a built `keras.Model`. Layers inside nested models are left out.
    """
    return [
        layer
        for layer in model.layers
        if type(layer) is keras.layers.Conv2D and min(layer.kernel_size) > 1 and layer.groups == 1
    ]


def convert(model: keras.Model, rank: float) -> tuple[keras.Model, tuple]:
    """A copy of a model in which every convolution is a vertical and a horizontal one.

    A kernel kh x kw with N filters becomes kh x 1 with K filters, without bias or activation, and
    1 x kw with N filters. Strides, dilation and padding are divided between the two. At full rank
    the copy computes what the model does. K d (C + N) weights take the place of d^2 C N.

    Args:
        model: a built functional or sequential `keras.Model` of one input and one output, trained
            or not.
        rank: below 1 the share of each layer's full rank, from 1 on the rank.

    Returns:
        `(copy, layers)`: a functional model, with the layers' names followed by `_vertical` and
        `_horizontal`; and a tuple of `LowRankLayer`s.

    Raises:
        ValueError: `rank` is out of its range, or there is no convolution to split.

    Reference: Tai et al., 2015, arXiv 1511.06067.

    Example:
        smaller, layers = convert(model, rank=0.25)
        print([(layer.name, layer.rank, layer.error) for layer in layers])
    """
    found = convolutions(model)
    if not found:
        raise ValueError(
            "`model` must have a 2D convolution that is higher and wider than a pixel. "
            f"Received: model={model.name!r}"
        )
    pairs = {layer.name: _pair(layer, rank_of(layer.kernel.shape, rank)) for layer in found}

    def call(layer, *args, **kwargs):
        if layer.name not in pairs:
            return layer(*args, **kwargs)
        vertical, horizontal = pairs[layer.name]
        return horizontal(vertical(*args))

    functional = keras.Model(model.inputs[0], model.outputs[0], name=model.name)
    copy = keras.models.clone_model(functional, call_function=call)
    described = [_fill(layer, *pairs[layer.name]) for layer in found]
    for layer in functional.layers:
        if layer.name not in pairs and layer.weights:
            copy.get_layer(layer.name).set_weights(layer.get_weights())
    return copy, tuple(described)


def _pair(layer, rank):
    """Two convolutions that together have the layer's strides, padding, bias and activation."""
    config = layer.get_config()
    (height, width), (down, right) = layer.kernel_size, layer.strides
    (dilated_down, dilated_right) = layer.dilation_rate
    shared = {
        "padding": layer.padding,
        "data_format": layer.data_format,
        "kernel_initializer": config["kernel_initializer"],
        "kernel_regularizer": config["kernel_regularizer"],
        "dtype": layer.dtype_policy,
    }
    vertical = keras.layers.Conv2D(
        rank,
        (height, 1),
        strides=(down, 1),
        dilation_rate=(dilated_down, 1),
        use_bias=False,
        name=f"{layer.name}_vertical",
        **shared,
    )
    horizontal = keras.layers.Conv2D(
        layer.filters,
        (1, width),
        strides=(1, right),
        dilation_rate=(1, dilated_right),
        use_bias=layer.use_bias,
        activation=layer.activation,
        bias_initializer=config["bias_initializer"],
        bias_regularizer=config["bias_regularizer"],
        name=f"{layer.name}_horizontal",
        **shared,
    )
    return vertical, horizontal


def _fill(layer, vertical, horizontal):
    """Gives the pair its closed-form weights; returns what that cost."""
    kernel, *bias = layer.get_weights()
    parts = separate(kernel, vertical.filters)
    vertical.set_weights([parts[0]])
    horizontal.set_weights([parts[1], *bias])
    change = np.linalg.norm(truncate(kernel, vertical.filters) - kernel)
    size = float(np.linalg.norm(kernel))
    return LowRankLayer(
        layer.name,
        vertical.filters,
        full_rank(kernel.shape),
        min(float(change) / size, 1.0) if size else 0.0,
    )
