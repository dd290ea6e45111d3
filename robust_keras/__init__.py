"""Build, train, prune, export and honestly attack Keras 3 image classifiers."""

import types
import typing
from collections.abc import Sequence

from robust_keras import legacy_keras_guard

if typing.TYPE_CHECKING:
    from robust_keras.runs.result import EvaluationResult

__all__ = ["evaluate"]
__version__ = "0.1.0"

# What a program may use; the other packages are how these are wired together.
_LIBRARIES = (
    *("attacks", "audit", "bounds", "data", "engine", "errors", "findings", "inside", "layers"),
    *("models", "reporting", "serving", "training", "unusual"),
)

legacy_keras_guard.install()


def __getattr__(name: str) -> types.ModuleType:
    """A library, such as `robust_keras.attacks`, loaded when it is first asked for."""
    if name not in _LIBRARIES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    return importlib.import_module(f"{__name__}.{name}")


def evaluate(
    model: typing.Any,
    images: typing.Any,
    labels: typing.Any = None,
    *,
    attacks: str | Sequence[typing.Any] = "quick",
    norm: str = "linf",
    epsilons: float | Sequence[float] = (0.1, 0.3),
    certify: str | Sequence[str] = (),
    inside: bool = False,
    seed: int = 0,
    num_classes: int | None = None,
    class_names: Sequence[str] | None = None,
    progress: bool = True,
    **settings: typing.Any,
) -> "EvaluationResult":
    """Attacks models and says how far the numbers can be believed, as evaluate.py does.

    All images are attacked, in their order. Epsilons are distances between images in [0, 1],
    whatever pixels the model itself takes (`model_pixels`).

    Args:
        model: a Keras model; a path of a SavedModel or .keras file; a function from float32 images
            (batch, height, width, channels) in [0, 1] to logits (batch, classes), which is attacked
            by its gradients where it is made of operations of TensorFlow, else without; or a dict
            from a name to any of these.
        images: array (images, height, width[, channels]), uint8 or floats in [0, 1]; or one
            `tf.data.Dataset` of (image, label), batched or not, which is read into memory.
        labels: int array (images,), class numbers; None with a `tf.data.Dataset`.
        attacks: names as of `--attacks` ("quick", "fgsm,pgd"), or `robust_keras.attacks.Attack`s
            such as `PGD(steps=100)`.
        norm: "linf" or "l2".
        epsilons: one radius or several.
        certify: "bounds" (images whose class no change within epsilon alters, with proof; linf),
            "complete" (the same, exactly, for small ReLU networks), "lipschitz" (for l2),
            "smoothing" (l2 distances, under noise), several, or none; `--certify` of evaluate.py.
        inside: whether to look inside the models as well: weights, Lipschitz bounds, activations,
            calibration; `--inside` of evaluate.py.
        seed: whole number; which images are attacked does not depend on it.
        num_classes: columns of the logits, needed for a function.
        class_names: one a class.
        progress: whether the terminal or notebook is told how far it is.
        **settings: any other setting of evaluate.py, under its name: `batch_size`, `sweep`,
            `survivors_only`, `minimal_epsilon`, `transfer`, `unusual`, `model_pixels`, ...

    Returns:
        An `EvaluationResult`: `models`, `summary()`, `save(directory)`.

    Raises:
        InputError: something cannot be used; the message is one line that says what would be right.
    """
    # TensorFlow takes seconds to load.
    from robust_keras.runs import python_evaluation

    return python_evaluation.evaluate(
        model,
        images,
        labels,
        attacks=attacks,
        norm=norm,
        epsilons=epsilons,
        certify=certify,
        inside=inside,
        seed=seed,
        num_classes=num_classes,
        class_names=class_names,
        progress=progress,
        **settings,
    )
