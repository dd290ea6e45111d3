"""The largest slope of a kernel activation, from above."""

import keras
import numpy as np

_CELLS, _PAIRED_CELLS = 4096, 400
# Beyond so many standard deviations of its last kernel a channel's slope is below 1.3e-9 of what
# its weights add up to, in units of one over the standard deviation.
_REACH, _TAIL = 6.7, 1.3e-9
# Largest derivatives: the fourth of exp(-t^2 / 2), the second of a logistic function.
_FOURTH, _BEND = 3.0, 0.09623
# No third derivative of exp(-(s^2 + t^2) / 2) in any direction is larger.
_THIRD = 1.3802


def kernel_slope(layer: keras.layers.Layer) -> float:
    """A number that no slope of a kernel activation exceeds, over all channels and inputs.

    Of paired channels that is the largest length of the gradient by both inputs. A network's
    gradient can grow by no more than this in the layer, so it tells which of many is about to
    explode.

    Between two points h apart a curve strays from a straight line by `h^2 / 8` of its largest
    second derivative; applied to the slope on a fine grid, this bounds it everywhere.

    Args:
        layer: a built `layers.KernelActivation`.

    Returns:
        A float, at least 0; NaN where the layer's weights are not finite.

    Example:
        >>> from robust_keras.layers import KernelActivation
        >>> layer = KernelActivation()
        >>> _ = layer(np.zeros((1, 2), "float32"))
        >>> round(kernel_slope(layer))  # The start as ELU falls to zero at the dictionary's end.
        3
    """
    weights = [np.asarray(v, np.float64) for v in layer.parameters()]
    if not all(np.isfinite(each).all() for each in weights):
        return float("nan")
    mixing, dictionary, bandwidth = weights
    if layer.kernel == "relu":
        return _of_steps(mixing, dictionary)
    if layer.kernel != "gaussian":
        return _of_softplus(mixing, dictionary)
    spread = 1.0 / np.sqrt(2.0 * bandwidth)
    slope = _of_pairs if layer.paired else _of_gaussians
    if not (np.ptp(dictionary, 0).any() or np.ptp(spread)):
        # One set of kernels for all channels, as nearly always.
        return float(slope(mixing, dictionary[0], spread[0, 0]))
    rows = zip(mixing[:, None], dictionary, spread[:, 0], strict=True)
    return float(max(slope(*row) for row in rows))


def _of_steps(mixing, dictionary):
    """Kernels `max(s - d, 0)`: the slope is the sum of the weights to the left."""
    order = np.argsort(dictionary, axis=1)
    return float(np.abs(np.cumsum(np.take_along_axis(mixing, order, 1), 1)).max())


def _of_softplus(mixing, dictionary):
    """Kernels `log(1 + exp(s - d))`."""
    points = np.linspace(dictionary.min() - 40.0, dictionary.max() + 40.0, 2 * _CELLS + 1)
    step = points[1] - points[0]
    largest = 0.0
    for weights, centres in zip(mixing, dictionary, strict=True):
        slopes = weights @ (0.5 + 0.5 * np.tanh((points - centres[:, None]) / 2.0))
        total = np.abs(weights).sum()
        largest = max(largest, np.abs(slopes).max() + total * (step**2 * _BEND / 8 + 1e-15))
    return float(largest)


def _of_gaussians(mixing, centres, spread):
    points = np.linspace(
        centres.min() - _REACH * spread, centres.max() + _REACH * spread, _CELLS + 1
    )
    step, total = points[1] - points[0], np.abs(mixing).sum(1)
    t = (points - centres[:, None]) / spread
    squares = t * t
    rising = t * np.exp(squares / -2)
    slope = np.abs(mixing @ rising).max(1) / spread
    # Multiplied out: `t**3` takes several times what all else here takes.
    third = np.abs(mixing @ ((3 - squares) * rising)).max(1) / spread**3
    third += step / 2 * _FOURTH * total / spread**4
    return np.maximum(slope + step**2 / 8 * third, _TAIL * total / spread).max()


def _of_pairs(mixing, centres, spread):
    return max(_of_pair(weights, centres, spread) for weights in mixing)


def _of_pair(weights, centres, spread):
    points = np.linspace(
        centres.min() - _REACH * spread, centres.max() + _REACH * spread, _PAIRED_CELLS + 1
    )
    step, total = points[1] - points[0], np.abs(weights).sum()
    t = (points[:, None] - centres) / spread
    bell = np.exp(-(t**2) / 2)
    rising, bent = -t * bell / spread, (t**2 - 1) * bell / spread**2
    mixing = weights.reshape(len(centres), len(centres))
    slope = np.hypot(rising @ mixing @ bell.T, bell @ mixing @ rising.T).max()
    squares = (bent @ mixing @ bell.T) ** 2 + (bell @ mixing @ bent.T) ** 2
    bend = np.sqrt((squares + 2 * (rising @ mixing @ rising.T) ** 2).max())
    # No point is farther from one of the grid than so.
    away = step / np.sqrt(2)
    return max(slope + away * (bend + away * _THIRD * total / spread**3), _TAIL * total / spread)
