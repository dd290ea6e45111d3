"""Which functions of a SavedModel's graph call which."""

from collections.abc import Iterable, Iterator
from typing import Any


def called_by(nodes: Iterable[Any]) -> Iterator[str]:
    """Yields the names of the functions that nodes refer to."""
    for node in nodes:
        for value in node.attr.values():
            if value.HasField("func"):
                yield value.func.name
            yield from (function.name for function in value.list.func)


def reached(starts: Iterable[str], graph: Any) -> set[str]:
    """The set of names of the functions that are called from some, those included."""
    functions = graph.graph_def.library.function
    calls = {f.signature.name: set(called_by(f.node_def)) for f in functions}
    found, waiting = set(), list(starts)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting.extend(calls.get(name, ()))
    return found
