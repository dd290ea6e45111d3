"""The part of an evaluation that proves: bounds of a model, and its answers under noise."""

import dataclasses
from collections.abc import Callable

import keras
import numpy as np

from robust_keras import bounds
from robust_keras.attacks.attack import Attack
from robust_keras.bounds.smoothing import farthest
from robust_keras.engine.journal import Journal, Unrecorded
from robust_keras.errors import InputError
from robust_keras.findings import CertifiedReport, SmoothedReport
from robust_keras.inside.lipschitz_proof import LipschitzProof
from robust_keras.notes import keras_twin
from robust_keras.progress import RunProgress
from robust_keras.runs.adversarial_images import counterexamples
from robust_keras.serving.classifier import Classifier
from robust_keras.settings.certify import BOUNDS, COMPLETE, LIPSCHITZ, SMOOTHING
from robust_keras.settings.config import EvaluateConfig
from robust_keras.time_spent import Part

# Radii at which an l2 curve is told.
_RADII = 11
# Images a file of the journal.
_KEPT = 20
# Bounds of an image cost about as much as so many forward passes.
_BOUNDS_PASSES = 40
# The part that proves before anything is attacked, by whatever method.
TITLE = "bounds"


PROVERS: dict[str, Callable[[keras.Model], bounds.Prover]] = {
    COMPLETE: bounds.CompleteSearch,
    BOUNDS: bounds.Bounds,
    LIPSCHITZ: LipschitzProof,
}


def provable(classifier: Classifier, config: EvaluateConfig) -> tuple[str, bounds.Prover | None]:
    """How the Keras model of a classifier is proved, and by what; None if it is not to be.

    Raises:
        InputError: it has no bounds; the line says why, and names the layer.
    """
    method = next((name for name in PROVERS if name in config.certify), "none")
    if method == "none":
        return method, None
    model = keras_twin.keras_model(classifier, f"--certify={method}")
    try:
        return method, PROVERS[method](model)
    except InputError as error:
        raise InputError(
            f"--certify={method}, {classifier.path}: {error}; leave --certify out for this model"
        ) from error


@dataclasses.dataclass(frozen=True, eq=False)
class Proofs:
    """What is known of one model's images before they are attacked.

    Args:
        images: bool array (epsilons, images), which need no attack; None where nothing was asked.
        report: `CertifiedReport`, or None.
        attacks: what tries the examples that a complete search found, if it found any.
    """

    images: np.ndarray | None = None
    report: CertifiedReport | None = None
    attacks: tuple[Attack, ...] = ()


class Certification:
    """Proofs about one model's images.

    Raises:
        InputError: as `provable`.
    """

    def __init__(
        self, classifier: Classifier, config: EvaluateConfig, journal: Journal | Unrecorded
    ):
        self._classifier = classifier
        self._config = config
        self._journal = journal
        self._method, self._prover = provable(classifier, config)

    def parts(self, images: int) -> list[Part]:
        """What it goes through, for `TimeLeft`, `images` of them."""
        config, parts = self._config, []
        if self._prover is not None:
            passes = _BOUNDS_PASSES * len(config.epsilons)
            parts.append(Part(TITLE, images=images, forwards=passes, built=1))
        if SMOOTHING in config.certify:
            parts.append(Part("smoothing", images=images, forwards=config.smoothing_samples))
        return parts

    def prove(self, images: np.ndarray, labels: np.ndarray, progress: RunProgress) -> Proofs:
        """What bounds prove of the images, and a search finds."""
        if self._prover is None:
            return Proofs()
        epsilons, start = self._config.epsilons, self._journal.now()
        key = (
            "proofs",
            self._method,
            str(self._classifier.path),
            [float(e).hex() for e in epsilons],
        )
        with progress.part(TITLE) as step:
            kept = self._journal.remember(key, lambda: self._proved(images, labels, step))
        report = CertifiedReport(
            norm=self._config.norm,
            epsilons=epsilons,
            accuracy=kept["proved"].mean(axis=1),
            method=self._method,
            seconds=self._journal.now() - start,
        )
        attack = counterexamples(kept["originals"], kept["examples"])
        return Proofs(kept["proved"], report, () if attack is None else (attack,))

    def _proved(self, images, labels, step):
        """What the journal keeps: what is proved, and pairs of an image and what breaks it."""
        prover = self._prover
        proved = bounds.prove(prover, images, labels, self._config.epsilons, progress=step)
        broken = prover.broken if isinstance(prover, bounds.CompleteSearch) else []
        shape = (-1, *images.shape[1:])
        return {
            "proved": proved,
            "originals": np.array([pair[0] for pair in broken], np.float32).reshape(shape),
            "examples": np.array([pair[1] for pair in broken], np.float32).reshape(shape),
        }

    def smooth(
        self, images: np.ndarray, labels: np.ndarray, progress: RunProgress
    ) -> SmoothedReport | None:
        """A `SmoothedReport`, or None where it was not asked for."""
        config, start = self._config, self._journal.now()
        if SMOOTHING not in config.certify:
            return None
        with progress.part("smoothing") as step:
            found = self._smoothed(images, step)
        sigma, samples, alpha = (
            config.smoothing_sigma,
            config.smoothing_samples,
            config.smoothing_alpha,
        )
        radii = np.linspace(0.0, max(farthest(sigma, samples, alpha), 0.0), _RADII)
        return SmoothedReport(
            sigma=sigma,
            samples=samples,
            alpha=alpha,
            abstained=np.mean(found.answers < 0),
            radii=tuple(radii),
            accuracy=found.accuracy(labels, radii),
            seconds=self._journal.now() - start,
        )

    def _smoothed(self, images, step):
        parts = np.split(np.arange(len(images)), range(_KEPT, len(images), _KEPT))
        jobs, pieces = [self._piece(images, part) for part in parts], []
        for part, piece in zip(parts, self._journal.remember_all(jobs), strict=True):
            pieces.append(piece)
            step(int(part[-1]) + 1, len(images))
        names = ("answers", "radii")
        return bounds.Smoothed(*(np.concatenate([p[name] for p in pieces]) for name in names))

    def _piece(self, images, numbers):
        """What names a part of the images in the journal, and the function that smooths it."""
        config = self._config
        settings = {
            "sigma": config.smoothing_sigma,
            "samples": config.smoothing_samples,
            "alpha": config.smoothing_alpha,
            "batch_size": config.batch_size,
            "seed": config.seed,
        }
        key = ("smoothing", str(self._classifier.path), settings, numbers.tolist())
        return key, lambda: vars(
            bounds.smooth(self._classes, images[numbers], numbers=numbers, **settings)
        )

    def _classes(self, images):
        logits = self._classifier.logits(images).numpy()
        # An answer that is not finite is none of the classes.
        finite = np.isfinite(logits).all(axis=1)
        return np.where(finite, np.argmax(logits, axis=1), logits.shape[1])
