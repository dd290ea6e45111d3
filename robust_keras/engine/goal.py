"""What an attacker wants: any wrong answer, or one answer and no other."""

import dataclasses
from collections.abc import Iterable
from typing import Any

import numpy as np

from robust_keras.attackable import unscaled
from robust_keras.attacks.attack import Attack
from robust_keras.attacks.loops.fooled import correct
from robust_keras.attacks.loops.prediction import predict
from robust_keras.engine.gallery import confidence
from robust_keras.engine.replicas import Replicas
from robust_keras.engine.results import AdversarialExample, Evaluation
from robust_keras.errors import InputError
from robust_keras.serving.views.aimed import aimed


class AnyWrongAnswer:
    """An image counts as fooled by any answer but its label.

    Args:
        replicas: `Replicas` of the model.
        images: float32 array (images, height, width, channels).
        labels: int array (images,).

    Attributes:
        replicas, images, labels: what is given to attacks.
        survivors: bool array (epsilons, images) of what is attacked, or None for all.
    """

    survivors: np.ndarray | None = None

    def __init__(self, replicas: Replicas, images: np.ndarray, labels: np.ndarray):
        self.replicas, self.images, self.labels = replicas, images, labels

    def told(self, evaluation: Evaluation) -> Evaluation:
        """The evaluation in the data set's own classes."""
        return evaluation

    def shown(self, examples: Iterable[AdversarialExample]) -> tuple[AdversarialExample, ...]:
        """The examples in the data set's own classes."""
        return tuple(examples)


class OneAnswer(AnyWrongAnswer):
    """An image counts as fooled only by the target; one that is misclassified is not attacked.

    Args:
        replicas, images, labels: as of `AnyWrongAnswer`; none of the labels is the target.
        target: a class of the model.
        epsilons: how many of them there are.
        batch_size: images a pass.
        views: `Replicas` of the model aimed at the target, or None to make them.
    """

    def __init__(
        self,
        replicas: Replicas,
        images: np.ndarray,
        labels: np.ndarray,
        *,
        target: int,
        epsilons: int,
        batch_size: int,
        views: Replicas | None = None,
    ):
        views = views or replicas.map(lambda c: aimed(c, target))
        # To two classes, every image is of the first.
        super().__init__(views, images, np.zeros_like(labels))
        self._model, self._labels, self._target = replicas.first, labels, target
        self._logits = predict(self._model, images, min(batch_size, len(images)))
        self._correct = correct(self._logits, labels)
        self.survivors = np.tile(self._correct, (epsilons, 1))

    def told(self, evaluation: Evaluation) -> Evaluation:
        """The evaluation in the data set's own classes; margins stay those of the target."""
        table, clean = evaluation.per_image, np.argmax(self._logits, axis=1)
        fallen = np.array([attack is not None for attack in table.attack])
        table = dataclasses.replace(
            table,
            label=np.array(self._labels),
            clean_class=clean,
            clean_correct=self._correct,
            adversarial_class=np.where(fallen, self._target, clean),
        )
        return dataclasses.replace(
            evaluation,
            clean_correct=self._correct,
            examples=self.shown(evaluation.examples),
            per_image=table,
        )

    def shown(self, examples: Iterable[AdversarialExample]) -> tuple[AdversarialExample, ...]:
        """The examples with the model's own answers and confidences."""
        return tuple(map(self._shown, examples))

    def _shown(self, example):
        model = unscaled(self._model)
        pair = np.stack([example.image, example.adversarial])
        clean, changed = predict(model, pair, 2)
        return dataclasses.replace(
            example,
            label=int(self._labels[example.index]),
            clean_class=int(np.argmax(clean)),
            adversarial_class=int(np.argmax(changed)),
            clean_confidence=confidence(clean),
            adversarial_confidence=confidence(changed),
        )


def goal(target: int | None, *given: Any, **settings: Any) -> AnyWrongAnswer:
    """The goal of an attacker who wants the target, or any wrong answer where that is None.

    Args:
        target: a class or None.
        *given: replicas, images and labels.
        **settings: those of `OneAnswer`.
    """
    return (
        AnyWrongAnswer(*given) if target is None else OneAnswer(*given, target=target, **settings)
    )


def check_aims(attacks: Iterable[Attack], norm: str) -> None:
    """Raises InputError for an attack that has an aim of its own, or one of whose stages has."""
    for attack in attacks:
        if not all(stage.aims for stage in attack.stages(norm)):
            expected = "attacks that can aim at --target_class, such as pgd, quick, autoattack"
            raise InputError.expected("--attacks", expected, attack.name)
