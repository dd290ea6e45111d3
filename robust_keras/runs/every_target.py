"""Every class as the answer that is wanted: which class can be made of which."""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from robust_keras import engine
from robust_keras.attacks import ThreatModel
from robust_keras.attacks.attack import Attack
from robust_keras.attacks.given_examples import GivenExamples
from robust_keras.engine.goal import goal
from robust_keras.engine.passes import in_passes
from robust_keras.engine.replicas import Replicas
from robust_keras.findings import TargetsReport
from robust_keras.runs.adversarial_images import all_of
from robust_keras.runs.fitted_models import meaningful_classes
from robust_keras.runs.target_pictures import target_pictures
from robust_keras.serving.views.aimed import aimed_in_turn

TITLE = "every target"


class EveryTarget(GivenExamples):
    """What was found on the way to every class, tried as whoever else's examples are."""

    name = "every_target"


@dataclasses.dataclass(frozen=True)
class _Found:
    """What was moved to one class: places among all images, what they became, and the results."""

    places: np.ndarray
    images: np.ndarray
    attacks: tuple


def every_target(
    replicas: Replicas,
    images: np.ndarray,
    labels: np.ndarray,
    attacks: Sequence[Attack],
    threat_model: ThreatModel,
    *,
    step: Callable[[int, int], None],
    **settings: Any,
) -> tuple[TargetsReport, Attack]:
    """Attacks every image towards every other class at the largest epsilon.

    Args:
        replicas: `Replicas` of the model.
        images: float32 array (images, height, width, channels).
        labels: int array (images,).
        attacks: `Attack`s.
        threat_model: `ThreatModel`.
        step: called as `step(done, total)`.
        **settings: `batch_size`, `seed` and `journal` of `engine.evaluate`.

    Returns:
        `(report, attack)`: a `TargetsReport`, and the attack that tries all that was found, so that
        it counts in the worst case.
    """
    largest = dataclasses.replace(threat_model, epsilons=threat_model.epsilons[-1:])
    classes, start = meaningful_classes(replicas.first), settings["journal"].now()
    found, views = [], replicas.map(aimed_in_turn)
    for target in range(classes):
        step(target, classes)
        places = np.flatnonzero(labels != target)
        if len(places):
            given = replicas, images, labels, places, attacks, largest
            at_target = views.map(lambda aim, target=target: aim(target))
            found.append(_towards(target, at_target, *given, **settings))
        else:
            found.append(_Found(places, images[:0], ()))
    correct = engine.evaluate(replicas, images, labels, [], largest, **settings).clean_correct
    results = [in_passes(result, replicas.first) for each in found for result in each.attacks]
    moved = [np.bincount(labels[f.places], minlength=classes) for f in found]
    report = TargetsReport(
        epsilon=largest.epsilons[0],
        attacked=tuple(np.bincount(labels[correct], minlength=classes)),
        moved=tuple(zip(*moved, strict=True)),
        seconds=settings["journal"].now() - start,
        gradient_evaluations=sum(result.gradient_evaluations for result in results),
        forward_evaluations=sum(result.forward_evaluations for result in results),
        pictures=target_pictures(replicas.first, images, labels, correct, _by_target(found)),
    )
    return report, _attack(found, images)


def _towards(target, views, replicas, images, labels, places, attacks, threat_model, **settings):
    """What the attacks move to one class, the cheapest first."""
    given = replicas, images[places], labels[places]
    aim = goal(target, *given, epsilons=1, batch_size=settings["batch_size"], views=views)
    found = engine.evaluate(
        *(aim.replicas, aim.images, aim.labels, attacks, threat_model),
        survivors=aim.survivors,
        survivors_only=True,
        keep_examples=True,
        **settings,
    )
    kept = found.per_image.adversarial
    moved = np.array(sorted(kept), int)
    pictures = np.array([kept[index] for index in moved], np.float32)
    return _Found(places[moved], pictures.reshape(-1, *images.shape[1:]), found.attacks)


def _by_target(found):
    """From an image's number and the class that was wanted to what the image became."""
    return {
        (int(place), target): image
        for target, each in enumerate(found)
        for place, image in zip(each.places, each.images, strict=True)
    }


def _attack(found, images):
    index = np.concatenate([each.places for each in found])
    examples = np.concatenate([each.images for each in found])
    return all_of(EveryTarget, index, examples, images)
