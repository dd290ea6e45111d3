"""The part of an evaluation that looks into the models."""

import dataclasses
import functools
import json
import zlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from robust_keras.engine.journal import Journal, Unrecorded
from robust_keras.engine.results import Evaluation
from robust_keras.errors import InputError
from robust_keras.findings import LayerReport, ModelReport
from robust_keras.findings.finding import kind_of
from robust_keras.inside.subject import Subject
from robust_keras.inside.views import VIEWS
from robust_keras.notes import keras_twin
from robust_keras.notes.layer_facts import read_layer_facts
from robust_keras.progress import RunProgress
from robust_keras.runs.nonsense_set import NonsenseSet
from robust_keras.serving.classifier import Classifier
from robust_keras.settings.config import EvaluateConfig
from robust_keras.time_spent import Part

TITLE = "inside view"


def inside_parts(config: EvaluateConfig) -> list[Part]:
    """What it goes through, for `TimeLeft`: gradients on few images, however many there are."""
    return [Part(TITLE, images=32, gradients=320, forwards=40, built=4)] if config.inside else []


def inside_view(
    classifier: Classifier,
    images: np.ndarray,
    labels: np.ndarray,
    evaluation: Evaluation,
    config: EvaluateConfig,
    journal: Journal | Unrecorded,
    progress: RunProgress,
    foreign: NonsenseSet | None = None,
) -> dict[str, Any]:
    """What goes on in a model, where that is asked for.

    Args:
        classifier: a `serving.Classifier`.
        images: float32 array (images, height, width, channels) in [0, 1].
        labels: int array (images,).
        evaluation: `engine.Evaluation` of the attacks, whose examples are looked at as well.
        config: an `EvaluateConfig`.
        journal: `Journal` or `Unrecorded`.
        progress: `RunProgress`.
        foreign: the `NonsenseSet` that stands for what the model does not know, or None for noise.

    Returns:
        Dict from the name of a field of `ModelReport` to its value.
    """
    if not config.inside:
        return {}
    subject = _subject(classifier.unscaled, images, labels, evaluation, config, foreign)
    content = [zlib.crc32(images.tobytes()), _content(subject.fooling)]
    content += [foreign.mark] if foreign else []
    found: dict[str, Any] = {}
    with progress.part(TITLE) as step:
        for number, (name, view) in enumerate(VIEWS.items()):
            step(number, len(VIEWS))
            key = ("inside", name, str(classifier.path), classifier.pixels, content, config.seed)
            kept = journal.remember(key, functools.partial(_looked, view, subject))
            value = json.loads(str(kept["found"]))
            found[name] = kind_of(ModelReport, name).read(name, value)
    found["layers"] = _with_gradients(found["layers"], read_layer_facts(classifier))
    return found


def _with_gradients(layers: Sequence[LayerReport], noted: Sequence[LayerReport]) -> list:
    """The layers with the gradients that train.py noted of them."""
    norms = {layer.name: layer.gradient_norm for layer in noted}
    return [
        # A graph names the model in front of the layer.
        dataclasses.replace(layer, gradient_norm=norms.get(layer.name.rpartition("/")[2]))
        for layer in layers
    ]


def _subject(
    classifier: Classifier,
    images: np.ndarray,
    labels: np.ndarray,
    evaluation: Evaluation,
    config: EvaluateConfig,
    foreign: NonsenseSet | None,
) -> Subject:
    model, obstacle = None, None
    try:
        model = keras_twin.keras_model(classifier, "--inside")
    except InputError as error:
        obstacle = str(error)
    return Subject(
        classifier=classifier,
        model=model,
        obstacle=obstacle,
        images=images,
        labels=np.asarray(labels),
        fooling=evaluation.per_image.adversarial or {},
        batch_size=config.batch_size,
        seed=config.seed,
        foreign=foreign.images if foreign else None,
    )


def _content(fooling: Mapping[int, np.ndarray]) -> tuple[int, int]:
    checksum = 0
    for number in sorted(fooling):
        checksum = zlib.crc32(fooling[number].tobytes(), checksum)
    return len(fooling), checksum


def _looked(view: Callable[[Subject], Any], subject: Subject) -> dict[str, str]:
    """What a view finds, as a journal takes it."""
    return {"found": _text(view(subject))}


def _text(value: Any) -> str:
    """A view's value as JSON text."""
    if isinstance(value, (list, tuple)):
        return json.dumps([item.plain() for item in value])
    return json.dumps(None if value is None else value.plain())
