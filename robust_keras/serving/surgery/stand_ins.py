"""What takes the place, on the way back, of an operation that stops or bends gradients."""

import re
from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

from robust_keras.serving.surgery.values import Value

# Their gradient is None, zero, or an error, although floats go in and come out.
ROUNDING = ("Round", "Rint", "Floor", "Ceil", "Sign")
STOPPED = ("StopGradient", "PreventGradient")
COMPARISONS = ("Greater", "GreaterEqual", "Less", "LessEqual")
CLIPS = ("ClipByValue", "Minimum", "Maximum", "Relu6")
SATURATING = ("Softmax", "Sigmoid", "Tanh", "Erf")
WAVES = ("Sin", "Cos", "FloorMod", "Mod")
DRAWS = re.compile(
    "(Stateless|Stateful|Parameterized)?"
    "(Multinomial|Shuffle|((Random)?(Standard|Truncated)?(Normal|Uniform|Gamma|Poisson|Binomial))"
    "|Random(Crop|Shuffle|IndexShuffle))((Full)?Int)?(V\\d)?"
)
# What depends on the number and size of the images alone.
SHAPES = ("Shape", "ShapeN", "Size", "Rank", "ZerosLike", "OnesLike", "BroadcastGradientArgs")
PICTURES = ("EncodeJpeg", "EncodeJpegVariableQuality", "EncodePng", "DecodeJpeg", "DecodeImage")
# No gradient, the most telling first: of a way through several, the first names it.
STOPPING = {
    **dict.fromkeys(PICTURES, "picture file"),
    **dict.fromkeys(("TopKV2", "TopK"), "top-k"),
    **dict.fromkeys(("ArgMax", "ArgMin", "OneHot", "Bucketize", "LookupTableFindV2"), "choice"),
    **dict.fromkeys(COMPARISONS, "threshold"),
    **dict.fromkeys(("QuantizeV2", "FloorDiv", "TruncateDiv"), "rounding"),
    **dict.fromkeys(ROUNDING, "rounding"),
    "Bitcast": "cast",
    "Cast": "cast",
}
KINDS = {
    **STOPPING,
    **dict.fromkeys(STOPPED, "stopped gradient"),
    **dict.fromkeys(("Select", "SelectV2", "Mul"), "threshold"),
    **dict.fromkeys(CLIPS, "clipping"),
    **dict.fromkeys(SATURATING, "saturation"),
    **dict.fromkeys(WAVES, "wave"),
    "IdentityN": "custom gradient",
}
# Whether a gradient of their own is useful depends on the numbers that go in.
BENDING = ("clipping", "saturation", "wave")


@tf.custom_gradient
def swapped(forward: tf.Tensor, backward: tf.Tensor) -> Any:
    """The first tensor, through which gradients reach the second, of the same shape."""

    def gradient(upstream):
        return None, upstream

    return tf.identity(forward), gradient


@tf.custom_gradient
def mixed(own: tf.Tensor, opened: tf.Tensor, share: tf.Tensor) -> Any:
    """The first tensor; a share of the gradient goes to the second, which has the same values."""

    def gradient(upstream):
        part = tf.cast(share, upstream.dtype)
        return (1 - part) * upstream, part * upstream, None

    return tf.identity(own), gradient


def straight(output: tf.Tensor, tensor: tf.Tensor) -> tf.Tensor:
    """The output, on the way back taken for the tensor, which may need broadcasting."""
    if output.shape.is_fully_defined() and output.shape == tensor.shape:
        return swapped(output, tensor)
    return swapped(output, tf.broadcast_to(tensor, tf.shape(output)))


def on_a_line(output: tf.Tensor, tensor: tf.Tensor) -> tf.Tensor:
    """The output, on the way back taken for the straight line that fits it best.

    Args:
        output: of floats.
        tensor: of floats and as many entries.
    """
    values = tf.cast(output, tf.float32)
    given = tf.cast(tf.reshape(tensor, tf.shape(output)), tf.float32)
    off = given - tf.reduce_mean(given)
    spread = tf.reduce_sum(off * off)
    slope = tf.math.divide_no_nan(tf.reduce_sum(off * (values - tf.reduce_mean(values))), spread)
    return swapped(output, tf.cast(tf.stop_gradient(slope) * given, output.dtype))


def _identity(output, inputs):
    return straight(output, inputs[0].tensor)


def _line(output, inputs):
    return on_a_line(output, inputs[0].tensor)


def _softmax(output, inputs):
    # A constant added to all changes nothing, so the mean is as good a reference as any.
    tensor = inputs[0].tensor
    return swapped(output, tensor - tf.reduce_mean(tensor, axis=-1, keepdims=True))


def _bounded(output, inputs):
    """The one operand that the images reach, where the others are bounds."""
    reached = [value.tensor for value in inputs if value.data]
    return straight(output, reached[0]) if len(reached) == 1 else None


def _maximum(output, inputs):
    # Above zero it is a ReLU, an honest curve.
    bounds = [tf.get_static_value(value.tensor) for value in inputs if not value.data]
    if not bounds or bounds[0] is None or not bounds[0].any():
        return None
    return _bounded(output, inputs)


STAND_INS: dict[str, Callable[[tf.Tensor, Sequence[Value]], Any]] = {
    **dict.fromkeys((*ROUNDING, *STOPPED, "Sigmoid", "Tanh", "Erf", "Relu6"), _identity),
    **dict.fromkeys(("ClipByValue", "Minimum"), _bounded),
    **dict.fromkeys(WAVES, _line),
    "Maximum": _maximum,
    "Softmax": _softmax,
}


def both_ways(output: tf.Tensor, first: tf.Tensor, second: tf.Tensor) -> tf.Tensor:
    """The output of a choice; on the way back both branches count as taken."""
    return straight(output, first + second)


def across(output: tf.Tensor, entries: Sequence[Any]) -> Any:
    """The output, made without a gradient, on a line over the last of the entries that fits.

    Args:
        output: of floats.
        entries: `Entry`s that it was made of.

    Returns:
        A tensor, or None where no entry has the output's shape.
    """
    latest = [entry.tensor for entry in entries]
    before = [tensor for entry in entries for tensor in entry.lineage]
    for tensor in (*reversed(latest), *reversed(before)):
        if _alike(tensor.shape, output.shape):
            return on_a_line(output, tensor)
    return None


def _alike(mine, theirs):
    if mine.rank is None or theirs.rank is None:
        return mine.rank == theirs.rank
    if mine.rank != theirs.rank:
        return mine[1:].is_fully_defined() and mine[1:].num_elements() == theirs[1:].num_elements()
    return mine.is_compatible_with(theirs)
