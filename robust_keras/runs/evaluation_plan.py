"""What an evaluation goes through and what that may cost, for the estimate of the time left."""

from collections.abc import Sequence
from typing import Any

from robust_keras.attacks import ThreatModel
from robust_keras.attacks.attack import Attack
from robust_keras.data.datasets import ImageSplit
from robust_keras.engine import sweep
from robust_keras.engine.minimal_search import is_raised
from robust_keras.runs.every_target import TITLE
from robust_keras.runs.minimal_evaluation import minimal_attack
from robust_keras.runs.transfer_evaluation import transfer_attack
from robust_keras.serving.classifier import Classifier
from robust_keras.settings.config import EvaluateConfig
from robust_keras.settings.target import ALL
from robust_keras.time_spent import Part

# Passes an image of the audit's sample, and functions that it builds. Counter-attacks run only
# where a check fails, which nobody knows beforehand.
_AUDIT: dict[str, Any] = {"gradients": 40, "forwards": 60, "built": 3}
_AUDITED = 128
# A search narrows each image's bracket; fewer images are left each time.
_SEARCHES = 6
# One step is tried at rising radii instead, about so many until an image falls.
_RISEN = 64
# Radii that a search tries, about, each in a batch of its own: at most, and for an image.
_RADII, _RADII_AN_IMAGE = 150, 3
# Attacks that a search for the one epsilon of an image takes, about.
_PROBES = 3
_REPORT_SECONDS, _REPORT_SECONDS_A_MODEL = 0.5, 0.5
# Its figures, three files each.
_INSIDE_SECONDS_A_MODEL = 2.5
# Images in a generation of those that breed them.
_BRED = 200
_STRENGTHS = 10
_SUBSTITUTE_SECONDS = 15.0


def model_parts(
    attacks: Sequence[Attack],
    threat_model: ThreatModel,
    config: EvaluateConfig,
    classifier: Classifier,
    split: ImageSplit,
) -> list[Part]:
    """The parts of one model, in the order in which they and the attacks run."""
    shape, images = split.image_shape, len(split)
    usable = classifier.gradient_error is None
    parts = _every_target(attacks, threat_model, config, classifier, split)
    parts += [
        Part(
            title,
            attack.name,
            epsilon,
            **_passes([stage], shape, _PROBES if epsilon is None else 1),
            rounds=stage.rounds,
            built=int(stage.needs_gradient),
            whole=stage.needs_gradient and not stage.any_batch,
        )
        for attack in attacks
        for title, stage, epsilon in sweep.parts(attack, threat_model, config.sweep)
        if usable or not stage.needs_gradient
    ]
    parts.append(Part("audit", images=min(images, _AUDITED), **_AUDIT))
    if config.minimal_epsilon:
        stages = minimal_attack(config).stages(config.norm)
        built = sum(stage.needs_gradient for stage in stages)
        searches = _RISEN if any(map(is_raised, stages)) else _SEARCHES
        # The passes are those of one search, made on so many more images.
        tried: dict[str, Any] = {"images": images * searches, "built": built}
        batches = min(_RADII, _RADII_AN_IMAGE * images)
        parts.append(Part("minimal epsilons", **tried, batches=batches, **_passes(stages, shape)))
    kinds = [kind for kind in config.unusual if kind != "none"]
    return parts + [_unusual(kind, config, classifier, images) for kind in kinds]


def _every_target(attacks, threat_model, config, classifier, split):
    """The part that wants every class in turn, where it is asked for."""
    if config.target_class != ALL:
        return []
    stages = [stage for attack in attacks for stage in attack.stages(threat_model.norm)]
    classes = classifier.num_classes
    passes = _passes(stages, split.image_shape, classes)
    built = classes * sum(stage.needs_gradient for stage in stages)
    return [Part(TITLE, images=len(split), **passes, built=built)]


def parts_after(config: EvaluateConfig, models: int, split: ImageSplit) -> list[Part]:
    """The parts that follow the last of so many models."""
    parts = []
    if config.transfer:
        attack = transfer_attack(config)
        made = models * (2 if config.substitute else 1)
        stages, times = attack.stages(config.norm), len(config.epsilons) * made
        passes = _passes(stages, split.image_shape, times)
        parts.append(Part("transfer", images=len(split), **passes, built=made))
        if config.substitute:
            parts.append(Part("substitutes", seconds=_SUBSTITUTE_SECONDS * models))
    each = _REPORT_SECONDS_A_MODEL + config.inside * _INSIDE_SECONDS_A_MODEL
    seconds = _REPORT_SECONDS + models * each
    return [*parts, Part("report", seconds=seconds)]


def _unusual(kind, config, classifier, images):
    if kind in ("noisy", "nonsense"):
        return Part(kind, images=images, forwards=_STRENGTHS)
    if kind == "fooling_gradient":
        steps = config.fooling_steps
        return Part(kind, images=classifier.num_classes, gradients=steps, forwards=steps, built=1)
    return Part(kind, images=_BRED, forwards=config.fooling_generations + 1)


def _passes(stages, image_shape, times=1):
    """Passes of attacks one after the other on an image that holds out, as a `Part` takes them."""
    each = [(stage.rounds * times, *stage.usual_passes(image_shape)) for stage in stages]
    gradients, forwards = (sum(row[0] * row[place] for row in each) for place in (1, 2))
    return {"gradients": gradients, "forwards": forwards}
