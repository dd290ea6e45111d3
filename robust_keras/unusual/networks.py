"""Many small networks without loops at once, and what can happen to their structure."""

import dataclasses
import math

import numpy as np

INPUTS = 4


@dataclasses.dataclass(frozen=True)
class Networks:
    """Networks with room for the same number of nodes: inputs first, then outputs, then the hidden.

    A link runs from a node to one of a higher place only, so there is never a loop. Nothing here is
    ever changed; every change makes new arrays.

    Args:
        weights: float32 array (networks, nodes, nodes), from the first node to the second.
        linked: bool array of the same shape.
        functions: int array (networks, nodes), which function a node is.
        alive: bool array (networks, nodes); hidden nodes may be unused.
        places: float64 array (networks, nodes): 0 for inputs, 1 for outputs, between for others.
    """

    weights: np.ndarray
    linked: np.ndarray
    functions: np.ndarray
    alive: np.ndarray
    places: np.ndarray

    def __len__(self):
        return len(self.weights)

    def take(self, rows: np.ndarray | slice) -> "Networks":
        """The networks at these rows."""
        return Networks(*(values[rows] for values in self._arrays()))

    def replace(self, rows: np.ndarray, others: "Networks") -> "Networks":
        """The networks with others, as many, at these rows."""
        made = self.copy()
        for values, new in zip(made._arrays(), others._arrays(), strict=True):
            values[rows] = new
        return made

    def copy(self) -> "Networks":
        """The same in arrays of their own."""
        return Networks(*(values.copy() for values in self._arrays()))

    def join(self, others: "Networks") -> "Networks":
        """These networks and then the others."""
        pairs = zip(self._arrays(), others._arrays(), strict=True)
        return Networks(*(np.concatenate(pair) for pair in pairs))

    def _arrays(self):
        return [getattr(self, field.name) for field in dataclasses.fields(self)]


def perceptrons(
    count: int,
    outputs: int,
    hidden: int,
    functions: int,
    limit: float,
    generator: np.random.Generator,
) -> Networks:
    """Networks with every input linked to every output and no hidden node.

    Args:
        count: how many.
        outputs: nodes that are outputs.
        hidden: how many hidden nodes there is room for.
        functions: how many functions there are to choose from.
        limit: weights are uniform in [-limit, limit].
        generator: `numpy.random.Generator`.
    """
    nodes, end = INPUTS + outputs + hidden, INPUTS + outputs
    linked = np.zeros((count, nodes, nodes), bool)
    linked[:, :INPUTS, INPUTS:end] = True
    weights = generator.uniform(-limit, limit, linked.shape).astype(np.float32)
    alive = np.zeros((count, nodes), bool)
    alive[:, :end] = True
    places = np.zeros((count, nodes))
    places[:, INPUTS:end] = 1.0
    kinds = generator.integers(0, functions, (count, nodes))
    return Networks(weights, linked, kinds, alive, places)


def add_link(
    networks: Networks, rate: float, limit: float, generator: np.random.Generator
) -> Networks:
    """Links two nodes of some networks that were not linked, with a weight in [-limit, limit]."""
    made, weights = networks.copy(), generator.uniform(-limit, limit, len(networks))
    rows, source, target = _some(_free(networks), rate, generator)
    made.linked[rows, source, target] = True
    made.weights[rows, source, target] = weights[rows]
    return made


def delete_link(networks: Networks, rate: float, generator: np.random.Generator) -> Networks:
    """Takes a link out of some networks."""
    made = networks.copy()
    made.linked[_some(networks.linked, rate, generator)] = False
    return made


def change_link(networks: Networks, rate: float, generator: np.random.Generator) -> Networks:
    """Puts a link of some networks, with its weight, between two other nodes."""
    made = networks.copy()
    free = _free(networks)
    movable = networks.linked & free.any(axis=(1, 2))[:, np.newaxis, np.newaxis]
    rows, *old = _some(movable, rate, generator)
    _, *new = _some(free[rows], 1.0, generator)
    made.linked[rows, *new] = True
    made.weights[rows, *new] = networks.weights[rows, *old]
    made.linked[rows, *old] = False
    return made


def add_node(
    networks: Networks, rate: float, functions: int, generator: np.random.Generator
) -> Networks:
    """Puts a hidden node into a link of some networks: a link of weight 1 to it, the old weight on.

    The function of the node is drawn from as many as `functions`.
    """
    made, kinds = networks.copy(), generator.integers(0, functions, len(networks))
    room = np.logical_not(networks.alive.all(axis=1))
    rows, source, target = _some(networks.linked & room[:, None, None], rate, generator)
    node = np.argmin(networks.alive[rows], axis=1)
    made.alive[rows, node] = True
    made.functions[rows, node] = kinds[rows]
    made.places[rows, node] = (networks.places[rows, source] + networks.places[rows, target]) / 2.0
    made.linked[rows, source, target] = False
    made.linked[rows, source, node] = made.linked[rows, node, target] = True
    made.weights[rows, source, node] = 1.0
    made.weights[rows, node, target] = networks.weights[rows, source, target]
    return made


def delete_node(networks: Networks, rate: float, generator: np.random.Generator) -> Networks:
    """Takes a hidden node of some networks away, with its links."""
    made = networks.copy()
    hidden = networks.alive & (networks.places > 0.0) & (networks.places < 1.0)
    rows, node = _some(hidden, rate, generator)
    made.alive[rows, node] = False
    made.linked[rows, node] = made.linked[rows, :, node] = False
    return made


def _free(networks):
    """Which pairs of nodes could be linked and are not."""
    alive, places = networks.alive, networks.places
    upward = places[:, :, np.newaxis] < places[:, np.newaxis]
    return upward & alive[:, :, np.newaxis] & alive[:, np.newaxis] & ~networks.linked


def _some(allowed, rate, generator):
    """The rows to change, each with probability `rate`, and for each an entry that is allowed.

    Args:
        allowed: bool array (networks, ...); a network without an entry is never changed.
        rate: probability in [0, 1].
        generator: `numpy.random.Generator`.

    Returns:
        A tuple of index arrays, one an axis of `allowed`.
    """
    flat = allowed.reshape(len(allowed), math.prod(allowed.shape[1:]))
    keys = np.where(flat, generator.random(flat.shape, np.float32), -1.0)
    drawn = generator.random(len(flat)) < rate
    rows = np.flatnonzero(drawn & flat.any(axis=1))
    entries = keys[rows].argmax(axis=1)
    return rows, *np.unravel_index(entries, allowed.shape[1:])
