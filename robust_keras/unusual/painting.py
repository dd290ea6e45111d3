"""Images that small networks paint: each pixel is what the network makes of its coordinates."""

import numpy as np

from robust_keras.unusual.networks import INPUTS, Networks

FUNCTIONS = {
    "sine": np.sin,
    "sigmoid": lambda sums: np.tanh(sums / 2.0),
    "gaussian": lambda sums: np.exp(-np.square(sums)),
    "linear": lambda sums: np.clip(sums, -3.0, 3.0) / 3.0,
}
# Numbers held at a time, 64 MiB of them.
_LARGEST = 2**24


def paint(networks: Networks, image_shape: tuple[int, ...]) -> np.ndarray:
    """The images of all networks, float32 (networks, height, width, channels) in [0, 1].

    A network sees x and y in [-1, 1], their distance to the centre, and 1. A pixel is `min(|o|, 1)`
    for its output o; with three outputs these are hue, saturation and value.

    Args:
        networks: `Networks` with one output a channel.
        image_shape: (height, width, channels).
    """
    height, width, channels = image_shape
    coordinates = _coordinates(height, width)
    nodes = int(networks.alive.sum(axis=1).max())
    rows = max(1, _LARGEST // (nodes * height * width))
    parts = [
        _outputs(networks.take(slice(first, first + rows)), coordinates, channels)
        for first in range(0, len(networks), rows)
    ]
    values = np.minimum(np.abs(np.concatenate(parts)), 1.0)
    images = np.moveaxis(values, 1, -1).reshape(-1, *image_shape)
    return _rgb(images) if channels == 3 else images


def _coordinates(height, width):
    """What every network sees of every pixel, float32 (4, pixels)."""
    y, x = np.meshgrid(np.linspace(-1, 1, height), np.linspace(-1, 1, width), indexing="ij")
    inputs = np.stack([x, y, np.hypot(x, y), np.ones_like(x)])
    return inputs.reshape(INPUTS, -1).astype(np.float32)


def _outputs(networks, coordinates, channels):
    """The outputs at every pixel, float32 (networks, channels, pixels)."""
    places = np.where(networks.alive, networks.places, np.inf)
    # Every node comes after those that it is linked from; outputs come last, unused nodes after.
    order = np.argsort(places, axis=1, kind="stable")
    counts = networks.alive.sum(axis=1)
    weights = np.where(networks.linked, networks.weights, np.float32(0.0))
    weights = np.take_along_axis(weights, order[:, :, np.newaxis], axis=1)
    weights = np.take_along_axis(weights, order[:, np.newaxis], axis=2)
    functions = np.take_along_axis(networks.functions, order, axis=1)
    values = np.zeros((len(networks), counts.max(), coordinates.shape[1]), np.float32)
    values[:, :INPUTS] = coordinates
    for rank in range(INPUTS, counts.max()):
        sums = np.matmul(weights[:, np.newaxis, :rank, rank], values[:, :rank])[:, 0]
        for kind, function in enumerate(FUNCTIONS.values()):
            rows = functions[:, rank] == kind
            values[rows, rank] = function(sums[rows])
    ranks = counts[:, np.newaxis] - channels + np.arange(channels)
    return np.take_along_axis(values, ranks[:, :, np.newaxis], axis=1)


def _rgb(images):
    """Red, green and blue of hue, saturation and value, all in [0, 1]."""
    hue, saturation, value = np.moveaxis(images, -1, 0)
    colours = []
    for offset in (5.0, 3.0, 1.0):
        sector = np.mod(offset + 6.0 * hue, 6.0)
        missing = np.clip(np.minimum(sector, 4.0 - sector), 0.0, 1.0)
        colours.append(value - value * saturation * missing)
    return np.stack(colours, axis=-1)
