"""Loaded models as an attacker knows them, beside the data set whose classes they tell apart."""

import dataclasses
from collections.abc import Sequence

from robust_keras import data
from robust_keras.data.datasets import ImageDataset
from robust_keras.engine.replicas import Replicas
from robust_keras.serving.classifier import Classifier
from robust_keras.serving.views.attacker import averaged
from robust_keras.settings.config import EvaluateConfig


@dataclasses.dataclass(frozen=True)
class FittedModels:
    """Models as the attacker knows them, and the data set whose classes they tell apart.

    Args:
        names: under which they are reported.
        copies: `Replicas`, one a model.
        dataset: the `ImageDataset`.
    """

    names: tuple[str, ...]
    copies: Sequence[Replicas]
    dataset: ImageDataset


def fitted(
    names: tuple[str, ...],
    copies: Sequence[Replicas],
    dataset: ImageDataset,
    config: EvaluateConfig,
) -> FittedModels:
    """The `FittedModels` of loaded models.

    Raises:
        InputError: a model does not tell the data set's classes apart.
    """
    for replicas in copies:
        _check_fit(replicas.first, dataset)
    dataset = dataset.widened(max(meaningful_classes(replicas.first) for replicas in copies))
    attacked = [replicas.map(lambda c: _as_attacked(c, config)) for replicas in copies]
    return FittedModels(names, attacked, dataset)


def _as_attacked(classifier, config):
    """The classifier to an attacker who averages over its randomness and scales its logits."""
    steady = averaged(classifier, config.expectation_samples)
    return steady.at_temperature(config.attacker_temperature)


def _check_fit(classifier, dataset):
    """Raises InputError unless the classifier tells the data set's classes apart."""
    data.check_model_classes(dataset, meaningful_classes(classifier), str(classifier.path))


def meaningful_classes(classifier: Classifier) -> int:
    """How many classes of a model are not nonsense."""
    return classifier.num_classes - classifier.nonsense_classes
