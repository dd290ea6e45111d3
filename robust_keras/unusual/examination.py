"""Shows a model all kinds of unusual inputs that are asked for, and reports on each."""

import dataclasses
import functools
import json
import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from robust_keras.attackable import told
from robust_keras.engine.passes import in_passes
from robust_keras.findings import FoolingReport, SampleReport, UnusualReport
from robust_keras.serving.classifier import Classifier
from robust_keras.unusual.subject import Subject

# As many classes' images are kept in a report; thousands would make it too large to open.
_KEPT = 20


def examine(
    classifier: Classifier,
    images: np.ndarray,
    labels: np.ndarray,
    kinds: Sequence,
    *,
    batch_size: int,
    seed: int,
    journal: Any,
    progress: Any,
) -> UnusualReport | None:
    """What a classifier makes of unusual inputs.

    Args:
        classifier: a `serving.Classifier`.
        images: float32 array (images, height, width, channels) in [0, 1].
        labels: int array (images,).
        kinds: what to show it, such as `NoisySamples()`.
        batch_size: images a pass.
        seed: of everything random, a whole number of at least 0.
        journal: `Journal` or `Unrecorded`, which keeps what each kind came to.
        progress: `progress.RunProgress`.

    Returns:
        An `UnusualReport`, or None where there are no kinds.
    """
    if not kinds:
        return None
    subject = Subject(classifier, images, labels, batch_size=batch_size, seed=seed)
    content = zlib.crc32(subject.images.tobytes())
    found = []
    for kind in kinds:
        model = str(classifier.path), told(classifier, "pixels")
        key = "unusual inputs", model, content, repr(kind), seed
        with progress.part(kind.name) as step:
            kept = journal.remember(key, functools.partial(_run, kind, subject, step))
        found.append(_read(json.loads(str(kept["result"]))))
    return UnusualReport(
        samples=tuple(part for part in found if isinstance(part, SampleReport)),
        fooling=tuple(
            _with_few_pictures(part) for part in found if isinstance(part, FoolingReport)
        ),
    )


def _run(kind, subject, step):
    """What came of one kind, as a journal takes it."""
    return {"result": json.dumps(in_passes(kind.run(subject, step), subject.classifier).plain())}


def _read(values):
    return (SampleReport if "strengths" in values else FoolingReport).from_plain(values)


def _with_few_pictures(part):
    images = [
        image if image.class_index < _KEPT else dataclasses.replace(image, pixels=None)
        for image in part.images
    ]
    return dataclasses.replace(part, images=images)
