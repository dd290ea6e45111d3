"""The part of a report about examples made on one model and tried on others."""

import dataclasses
from collections.abc import Mapping

from robust_keras.reporting import parts, validation


@dataclasses.dataclass(frozen=True, kw_only=True)
class SubstituteReport:
    """How a substitute came about that was trained on a model's predicted classes.

    Args:
        images: number of images that the attacker began with.
        queries: number of images whose class the model was asked for.
        agreement: fraction in [0, 1] of those on which the two agree.
    """

    images: int
    queries: int
    agreement: float

    def __post_init__(self):
        """Checks every field."""
        parts.store(
            self,
            images=validation.integer("images", self.images, low=1),
            queries=validation.integer("queries", self.queries, low=1),
            agreement=validation.fraction("agreement", self.agreement),
        )


@dataclasses.dataclass(frozen=True, kw_only=True)
class TransferTarget:
    """What the examples did to one model.

    Args:
        path: the model.
        accuracy: per epsilon, the fraction in [0, 1] of all images that it classifies correctly
            without the attack and as they were changed for the source; it need not fall as epsilon
            grows.
    """

    path: str
    accuracy: tuple[float, ...]

    def __post_init__(self):
        """Checks every field."""
        validation.text("path", self.path)
        accuracy = validation.sequence("accuracy", self.accuracy, validation.fraction)
        parts.store(self, accuracy=accuracy)


@dataclasses.dataclass(frozen=True, kw_only=True)
class TransferSource:
    """Examples that were made on one model, and what they did to every model.

    Args:
        path: the model; for a substitute the model that it was trained to imitate.
        targets: `TransferTarget`s, one a model in their order; none if skipped.
        seconds: wall time, at least 0.
        gradient_evaluations: gradients of one image each on the source.
        forward_evaluations: forward passes of one image each on the source.
        substitute: `SubstituteReport` where the source is one, else None.
        skipped: why no examples could be made, or None.
    """

    path: str
    targets: tuple[TransferTarget, ...]
    seconds: float
    gradient_evaluations: int
    forward_evaluations: int
    substitute: SubstituteReport | None = None
    skipped: str | None = None

    def __post_init__(self):
        """Checks every field."""
        validation.text("path", self.path)
        if self.skipped is not None:
            validation.text("skipped", self.skipped)
        if self.substitute is not None:
            validation.members("substitute", (self.substitute,), SubstituteReport)
        parts.store(
            self,
            targets=validation.members("targets", self.targets, TransferTarget),
            seconds=validation.number("seconds", self.seconds),
            gradient_evaluations=validation.integer(
                "gradient_evaluations", self.gradient_evaluations
            ),
            forward_evaluations=validation.integer("forward_evaluations", self.forward_evaluations),
        )


@dataclasses.dataclass(frozen=True, kw_only=True)
class TransferReport:
    """A table of sources by targets.

    Args:
        attack: name of the attack that made the examples.
        settings: its settings.
        sources: `TransferSource`s, at least one.
    """

    attack: str
    settings: Mapping
    sources: tuple[TransferSource, ...]

    def __post_init__(self):
        """Checks every field."""
        validation.text("attack", self.attack)
        sources = validation.members("sources", self.sources, TransferSource)
        if not sources:
            raise ValueError("`sources` must hold at least one source. Received: sources=()")
        settings = validation.mapping("settings", self.settings)
        parts.store(self, settings=settings, sources=sources)

    def check_models(self, models):
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
    epsilons, highest = model.worst_case.epsilons, model.clean_accuracy + parts.TOLERANCE
    if len(target.accuracy) != len(epsilons) or max(target.accuracy) > highest:
        raise ValueError(
            f"`transfer` to {model.path} must hold one number an epsilon, {len(epsilons)}, none "
            f"above its clean accuracy {model.clean_accuracy}. Received: {target.accuracy}"
        )
