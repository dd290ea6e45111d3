"""What TensorFlow knows of its graphs and tells by no public name."""

from typing import Any

from tensorflow.python.framework import ops


def gradient_of(operation: Any) -> Any:
    """The function (operation, *upstream) that was registered as an operation's gradient.

    Raises:
        LookupError: there is none of that name.
    """
    return ops.get_gradient_function(operation)


def has_gradient(operation: Any) -> bool:
    """Whether TensorFlow knows what to do where a gradient meets an operation, be it nothing."""
    try:
        gradient_of(operation)
    except LookupError:
        return False
    return True


def function_graph(graph: Any, name: str) -> Any:
    """The graph of a function that another one calls by name, or None where it is not at hand."""
    while graph is not None:
        function = graph._get_function(name)
        if function is not None:
            return function.graph
        graph = getattr(graph, "outer_graph", None)
    return None
