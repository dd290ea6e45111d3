"""What the kernels of trained networks look like, and the bound that follows from them."""

from typing import Any

import numpy as np

from robust_keras.studies.study import MadeBy, Place

_NEAR_ZERO = 0.01
# Where features lie, in standard deviations of real ones; the ends take what lies farther out.
DEVIATIONS = tuple(half / 2 for half in range(-6, 7))
# Beyond what share of real features a feature counts as unusual.
_MOST = 0.95


def compared(robust: str, plain: str) -> MadeBy:
    """Sparsity and rank of two networks' hidden kernels.

    Args:
        robust: run of a network.
        plain: of its twin.

    Returns:
        A `Make.make` whose result has for `robust` and `plain` means over the dense kernels:
        `near_zero`, the share of entries below a hundredth of the largest, and `rank`, nuclear over
        spectral norm as a share of the full rank.
    """

    def make(place: Place, images: int) -> dict[str, Any]:
        runs = {"robust": robust, "plain": plain}
        return {name: _facts(_kernels(place, run)) for name, run in runs.items()}

    return make


def bound(run: str) -> MadeBy:
    """How near changes of the logits come to what the layers' norms allow.

    Args:
        run: of an evaluated network.

    Returns:
        A `Make.make` whose result has the `bound` on the ratio of a change of the logits to that
        of the image, both Euclidean, and the `largest` ratio of its adversarial examples.
    """

    def make(place: Place, images: int) -> dict[str, Any]:
        from robust_keras.inside.lipschitz_bound import lipschitz_bound

        attacked = np.load(place.directory / f"{run}-report" / "adversarial_examples.npz")
        network = place.trained(run)
        before, after = attacked["originals"][:images], attacked["images"][:images]
        length = np.linalg.norm((after - before).reshape(len(before), -1), axis=1)
        change = network.predict(after, verbose=0) - network.predict(before, verbose=0)
        ratio = np.linalg.norm(change, axis=1)[length > 0] / length[length > 0]
        highest = lipschitz_bound(network).l2
        return {"bound": round(highest, 4), "largest": round(float(ratio.max()), 4)}

    return make


def bounds(runs: tuple[str, ...]) -> MadeBy:
    """The bounds alone, of several networks.

    Args:
        runs: whose directories hold a `model.keras`.

    Returns:
        A `Make.make` whose result has the decimal logarithm of each one's bound.
    """

    def make(place: Place, images: int) -> dict[str, float]:
        from robust_keras.inside.lipschitz_bound import lipschitz_bound

        return {
            run: round(float(np.log10(lipschitz_bound(place.trained(run)).l2)), 3) for run in runs
        }

    return make


def asymmetry(run: str) -> MadeBy:
    """How symmetric the inputs of a network's convolutional activations are.

    Args:
        run: of a LeNet-5 trained on MNIST.

    Returns:
        A `Make.make` whose result has the median over all channels of the absolute `skewness` of
        what the convolutions give on test images, the `distance` of nonsense (normal noise, each
        image scaled to lie between 0 and 1) from the features' mean, in standard deviations, over
        that of the test images, and the share of nonsense `beyond` 95 % of the test images'
        features of its channel, mean over the channels. And `digits` and `nonsense`, a histogram
        each for every convolution: the shares of features that lie nearest to each of `DEVIATIONS`.
    """

    def make(place: Place, images: int) -> dict[str, Any]:
        import keras
        import scipy.stats

        from robust_keras import data

        network = place.trained(run)
        test = data.load("mnist", place.data_dir).test.select(slice(0, images)).float_images()
        nonsense = _nonsense(test.shape)
        outputs = [network.get_layer(name).output for name in ("conv1", "conv2")]
        inner = keras.Model(network.inputs, outputs)
        skewness, ratios, beyond = [], [], []
        histograms: dict[str, list] = {"digits": [], "nonsense": []}
        for real, odd in zip(
            inner.predict(test, verbose=0), inner.predict(nonsense, verbose=0), strict=True
        ):
            columns = real.reshape(-1, real.shape[-1])
            skewness.extend(np.abs(scipy.stats.skew(columns, axis=0)))
            middle, spread = columns.mean(0), columns.std(0) + 1e-9
            standardised = [(one.reshape(columns.shape) - middle) / spread for one in (real, odd)]
            for histogram, values in zip(histograms.values(), standardised, strict=True):
                histogram.append(_nearest(values))
            near, far = map(np.abs, standardised)
            ratios.append(far.mean() / near.mean())
            beyond.extend((far > np.quantile(near, _MOST, axis=0)).mean(axis=0))
        return {
            "skewness": float(np.median(skewness)),
            "distance": float(np.mean(ratios)),
            "beyond": float(np.mean(beyond)),
            **histograms,
        }

    return make


def _nearest(values):
    """The share of values that lie nearest to each of `DEVIATIONS`."""
    ends = np.convolve(DEVIATIONS, (0.5, 0.5), "valid")
    places = np.digitize(values.ravel(), ends)
    counts = np.bincount(places, minlength=len(DEVIATIONS))
    return [round(float(share), 6) for share in counts / values.size]


def _nonsense(shape):
    noise = np.random.default_rng(0).standard_normal(shape)
    low, high = (end(noise, axis=(1, 2, 3), keepdims=True) for end in (np.min, np.max))
    return ((noise - low) / (high - low)).astype("float32")


def _kernels(place, run):
    import keras

    return [
        np.asarray(layer.kernel)
        for layer in place.trained(run).layers
        if isinstance(layer, keras.layers.Dense)
    ]


def _facts(kernels):
    near = [float((np.abs(k) < _NEAR_ZERO * np.abs(k).max()).mean()) for k in kernels]
    ranks = []
    for kernel in kernels:
        values = np.linalg.svd(kernel, compute_uv=False)
        ranks.append(float(values.sum() / values[0] / len(values)))
    return {"near_zero": float(np.mean(near)), "rank": float(np.mean(ranks))}
