"""Custom gradients that were not saved with a model: the operations' own take their place."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from robust_keras.serving import finite_differences
from robust_keras.serving.call_graph import called_by, reached
from robust_keras.serving.operation_kinds import CALLS

_IMAGES = 8
_AGREES = 0.1


def use_own_gradients(message: Any) -> tuple[str, ...]:
    """Lets operations whose custom gradient was not saved use the one that TensorFlow knows.

    An operation with a custom gradient names it "CustomGradient-7". Where that gradient was not
    saved, as with `tf.nn.silu` in TensorFlow 2.3, asking for it fails; or the name belongs by
    chance to a gradient of another model in this process, which TensorFlow would then use without
    a word. The operation is mostly an `IdentityN` over those that computed its value, so its own
    gradient, that of the value, is exact.

    Args:
        message: `SavedModel`, changed in place.

    Returns:
        Names of the operations that were changed on the way to an answer, sorted, each once.
    """
    changed = set()
    for graph in message.meta_graphs:
        library = graph.graph_def.library
        saved = {gradient.registered_op_type for gradient in library.registered_gradients}
        forward = _forward_functions(graph)
        for function in library.function:
            for node in function.node_def:
                attribute = node.attr.get("_gradient_op_type")
                if attribute is None or node.op in CALLS or attribute.s.decode() in saved:
                    continue
                del node.attr["_gradient_op_type"]
                if function.signature.name in forward:
                    changed.add(node.op)
    return tuple(sorted(changed))


def _forward_functions(graph):
    """Names of the functions that are more than gradients: only second derivatives miss those."""
    gradients = {g.gradient_func for g in graph.graph_def.library.registered_gradients}
    starts = {*graph.object_graph_def.concrete_functions, *called_by(graph.graph_def.node)}
    return reached(starts - gradients, graph)


def note(operations: Sequence[str], logits: Any, images: np.ndarray) -> str:
    """A sentence that says whose gradient was used, and whether finite differences confirm it.

    Args:
        operations: what `use_own_gradients` returned, at least one.
        logits: function from images to (batch, classes) that has a gradient.
        images: float32 array (images, height, width, channels).
    """
    images = images[:_IMAGES]
    error = finite_differences.disagreement(logits, images)
    names = ", ".join(operations)
    start = (
        f"The gradient of {names} was not saved with the model; that of the operations that "
        "compute its value is used"
    )
    if error <= _AGREES:
        return (
            f"{start}. It agrees with finite differences on {len(images)} images "
            f"(off by {error:.1%} in the median)."
        )
    return (
        f"{start}, but finite differences on {len(images)} images do not confirm it (off by "
        f"{error:.0%} in the median): attacks that follow gradients may be blind on this model."
    )
