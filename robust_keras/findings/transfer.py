"""What examples made on one model did to others."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from robust_keras.findings import fields
from robust_keras.findings.finding import Finding
from robust_keras.findings.kinds import TOLERANCE


@dataclasses.dataclass(frozen=True, kw_only=True)
class SubstituteReport(Finding):
    """How a substitute came about that was trained on a model's predicted classes."""

    images: int = fields.positive_count(
        "images that the attacker began with, none of them among those attacked"
    )
    queries: int = fields.positive_count("images whose class the model was asked for")
    agreement: float = fields.fraction("of those images: where substitute and model agree")


@dataclasses.dataclass(frozen=True, kw_only=True)
class TransferTarget(Finding):
    """What the examples did to one model."""

    path: str = fields.text("the model on which the examples were tried")
    accuracy: tuple[float, ...] = fields.fractions(
        "per epsilon: images that it classifies correctly both as they are and as they were "
        "changed for the source; it need not fall as epsilon grows"
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class TransferSource(Finding):
    """Examples that were made on one model, and what they did to every model."""

    path: str = fields.text(
        "the model that was attacked; for a substitute the model that it imitates"
    )
    targets: tuple[TransferTarget, ...] = fields.parts(
        TransferTarget, "one object a model, in their order; empty if skipped"
    )
    seconds: float = fields.number("time over all epsilons, without the training of a substitute")
    gradient_evaluations: int = fields.count("gradients of one image each on the source")
    forward_evaluations: int = fields.count("forward passes of one image each on the source")
    substitute: SubstituteReport | None = fields.part(
        SubstituteReport,
        "how the substitute was made, see below; null where the source is the model itself",
    )
    skipped: str | None = fields.text("why no examples could be made on it; null if they were")

    @property
    def accuracy(self) -> dict[str, tuple[float, ...]]:
        """Dict from target to its accuracy per epsilon."""
        return {target.path: target.accuracy for target in self.targets}


@dataclasses.dataclass(frozen=True, kw_only=True)
class TransferReport(Finding):
    """A table of sources by targets."""

    attack: str = fields.text("the attack that made the examples (`--transfer_attack`)")
    settings: Mapping = fields.mapping("every setting of it")
    sources: tuple[TransferSource, ...] = fields.parts(
        TransferSource,
        least=1,
        meaning="one object a source: the models in their order, then the substitutes for them",
    )

    def check_models(self, models: Sequence[Any]) -> None:
        """Raises ValueError unless the sources and targets are the models, with as many epsilons.

        Args:
            models: `ModelReport`s.
        """
        paths = [model.path for model in models]
        for source in self.sources:
            targets = [target.path for target in source.targets]
            if source.path not in paths or targets != ([] if source.skipped else paths):
                raise ValueError(
                    f"`transfer` must be among the models {paths}. "
                    f"Received: {source.path} to {targets}"
                )
            for target, model in zip(source.targets, models, strict=False):
                _check_accuracy(target, model)


def _check_accuracy(target, model):
    epsilons, highest = model.worst_case.epsilons, model.clean_accuracy + TOLERANCE
    if len(target.accuracy) != len(epsilons) or max(target.accuracy) > highest:
        raise ValueError(
            f"`transfer` to {model.path} must hold one number an epsilon, {len(epsilons)}, none "
            f"above its clean accuracy {model.clean_accuracy}. Received: {target.accuracy}"
        )
