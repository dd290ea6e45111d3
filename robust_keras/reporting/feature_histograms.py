"""Drawing of feature histograms: images and nonsense, channels one by one and in pairs."""

from typing import Any

import numpy as np

from robust_keras.reporting import panels, theme

_SINGLE, _PAIRS = 4, 2


def draw(features: Any, *, size: theme.Size = theme.WIDE, title: str = "") -> Any:
    """Draws a `FeaturesReport`."""
    single, pairs = features.single[:_SINGLE], features.pairs[:_PAIRS]
    titles = [f"channel {one.channel}" for one in single]
    titles += ["channels {} and {}".format(*pair.channels) for pair in pairs]
    settings: dict[str, Any] = {"columns": 3, "narrow": 2, "height": 165, "names": 3.2}
    figure, axes = panels.sheet(titles, size=size, title=title, **settings)
    for part, one in zip(axes, single, strict=False):
        _histograms(part, one)
    # Room for the legend above the histograms.
    axes[0].set_ylim(0, 1.7 * axes[0].get_ylim()[1])
    panels.legend(axes[0], "upper left")
    for part, pair in zip(axes[len(single) :], pairs, strict=True):
        _pair(part, pair)
    return figure


def _histograms(axes, feature):
    edges = np.linspace(feature.low, feature.high, len(feature.images) + 1)
    for index, (name, counts) in enumerate(
        (("images", feature.images), ("nonsense", feature.nonsense))
    ):
        colour, _, _ = theme.line_look(index)
        shares = np.array(counts) / max(sum(counts), 1)
        axes.stairs(shares, edges, fill=True, color=colour, alpha=0.25, linewidth=0)
        axes.stairs(shares, edges, color=colour, linewidth=1.4, label=name)
    axes.set_yticks([])


def _pair(axes, pair):
    """Both clouds as shades of their colours, through which the paper is seen."""
    import matplotlib.colors

    limits = (pair.low[0], pair.high[0], pair.low[1], pair.high[1])
    for index, counts in enumerate((pair.images, pair.nonsense)):
        shares = np.sqrt(np.array(counts, float).T)
        cloud = np.zeros((*shares.shape, 4))
        cloud[..., :3] = matplotlib.colors.to_rgb(theme.LINES[index])
        cloud[..., 3] = 0.85 * shares / max(shares.max(), 1.0)
        axes.imshow(cloud, origin="lower", extent=limits, aspect="auto", zorder=2 + index)
    axes.grid(False)
