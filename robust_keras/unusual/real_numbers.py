"""Crossing and mutating vectors of bounded numbers, many at once."""

import numpy as np


def polynomial_mutation(
    values: np.ndarray,
    generator: np.random.Generator,
    *,
    rate: float,
    index: float,
    low: float,
    high: float,
) -> np.ndarray:
    """Moves some of the numbers, most of them a little.

    Formula: with probability `rate`, `v + d (high - low)`, cut off at the bounds, with u uniform in
    (0, 1) and `d = (2 u)^(1 / (index + 1)) - 1` if u < 1/2, else
    `1 - (2 (1 - u))^(1 / (index + 1))`.

    Args:
        values: float array of any shape, within the bounds.
        generator: `numpy.random.Generator`.
        rate: probability in [0, 1] that a number moves.
        index: >= 0; the larger, the smaller are the moves.
        low: least number.
        high: largest number, > low.

    Returns:
        A new array.

    Reference: Deb and Agrawal, "A Niched-Penalty Approach for Constraint Handling in Genetic
    Algorithms", 1999.
    """
    uniform = generator.random(values.shape, np.float32)
    nearer = np.minimum(uniform, 1.0 - uniform)
    shrunk = np.power(2.0 * nearer, 1.0 / (index + 1.0))
    moves = np.where(uniform < 0.5, shrunk - 1.0, 1.0 - shrunk) * (high - low)
    chosen = generator.random(values.shape, np.float32) < rate
    return np.where(chosen, np.clip(values + moves, low, high), values).astype(values.dtype)


def simulated_binary_crossover(
    mothers: np.ndarray,
    fathers: np.ndarray,
    generator: np.random.Generator,
    *,
    rate: float,
    index: float,
    low: float,
    high: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Two children of each pair: around the parents, as near to them as the parents to each other.

    Formula: `((1 + b) v + (1 - b) w) / 2` and `((1 - b) v + (1 + b) w) / 2`, cut off at the bounds,
    with u uniform in [0, 1) for every number and `b = (2 u)^(1 / (index + 1))` if u < 1/2, else
    `(2 (1 - u))^(-1 / (index + 1))`. Which child gets which of the two is even.

    Args:
        mothers: float array (pairs, ...) within the bounds.
        fathers: the same.
        generator: `numpy.random.Generator`.
        rate: probability in [0, 1] that a pair is crossed; else its children are its copies.
        index: >= 0; the larger, the nearer are children to their parents.
        low: least number.
        high: largest number, > low.

    Returns:
        `(children, children)`, two new arrays of the parents' shape.

    Reference: Deb and Agrawal, "Simulated Binary Crossover for Continuous Search Space", 1995.
    """
    uniform = generator.random(mothers.shape, np.float32)
    spread = np.power(
        np.where(uniform < 0.5, 2.0 * uniform, 0.5 / np.maximum(1.0 - uniform, 1e-7)),
        1.0 / (index + 1.0),
    )
    swapped = generator.random(mothers.shape, np.float32) < 0.5
    spread = np.where(swapped, -spread, spread)
    middle, half = (mothers + fathers) / 2.0, spread * (mothers - fathers) / 2.0
    column = (len(mothers),) + (1,) * (mothers.ndim - 1)
    crossed = generator.random(len(mothers)).reshape(column) < rate
    first = np.where(crossed, np.clip(middle + half, low, high), mothers)
    second = np.where(crossed, np.clip(middle - half, low, high), fathers)
    return first.astype(mothers.dtype), second.astype(mothers.dtype)
