"""What the kernels of trained networks look like, and the bound that follows from them."""

from typing import Any

import numpy as np

from robust_keras.studies.study import MadeBy, Place

_NEAR_ZERO = 0.01


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


def bound(run: str, epsilon: float) -> MadeBy:
    """How near changes of the logits come to the product of the layers' spectral norms.

    Args:
        run: of a network of dense layers with ReLU, after one normalisation.
        epsilon: size of the random and of the gradient's changes that are tried.

    Returns:
        A `Make.make` whose result has the `product`, and the `largest` ratio that was seen of a
        change of the logits to that of the image, both Euclidean.
    """

    def make(place: Place, images: int) -> dict[str, Any]:
        import keras

        attacked = np.load(place.directory / f"{run}-report" / "adversarial_examples.npz")
        network = keras.models.load_model(place.directory / run / "model.keras")
        before, after = attacked["originals"][:images], attacked["images"][:images]
        length = np.linalg.norm((after - before).reshape(len(before), -1), axis=1)
        moved = length > 0
        change = network.predict(after, verbose=0) - network.predict(before, verbose=0)
        ratio = np.linalg.norm(change, axis=1)[moved] / length[moved]
        norms = [float(np.linalg.norm(kernel, 2)) for kernel in _kernels(place, run)]
        scale = network.get_layer("normalization").variance
        factor = 1 / float(np.sqrt(np.asarray(scale).min()))
        return {
            "product": round(float(np.prod(norms)) * factor, 4),
            "largest": round(float(ratio.max()), 4),
        }

    return make


def _kernels(place, run):
    import keras

    network = keras.models.load_model(place.directory / run / "model.keras")
    return [
        np.asarray(layer.kernel)
        for layer in network.layers
        if isinstance(layer, keras.layers.Dense)
    ]


def _facts(kernels):
    near = [float((np.abs(k) < _NEAR_ZERO * np.abs(k).max()).mean()) for k in kernels]
    ranks = []
    for kernel in kernels:
        values = np.linalg.svd(kernel, compute_uv=False)
        ranks.append(float(values.sum() / values[0] / len(values)))
    return {"near_zero": float(np.mean(near)), "rank": float(np.mean(ranks))}
