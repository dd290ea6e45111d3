"""Decides how a model that was found is asked and how its answers are read."""

import contextlib
import dataclasses
import functools
import pathlib
from typing import Any

import numpy as np

from robust_keras.errors import InputError, first_line
from robust_keras.serving import probing
from robust_keras.serving.endpoint import Endpoint, viewed
from robust_keras.serving.examples import Examples
from robust_keras.serving.exposure import accepting_floats, without_activation
from robust_keras.serving.outputs import choose_output
from robust_keras.serving.pixel_choice import PixelChoice, choose_pixels
from robust_keras.serving.time_limit import FIRST_PASSES, within
from robust_keras.serving.views.pixels import (
    PIXELS,
    possible,
    require_possible,
    without_a_name,
)
from robust_keras.serving.views.scores import Scores


@dataclasses.dataclass(frozen=True)
class Reading:
    """A model as it is attacked.

    Args:
        endpoint: `Endpoint` of float32 images in [0, 1], channels last.
        plain: the same with the softmax or sigmoid at its end, where `endpoint` is without.
        scores: `Scores`, how its output is read.
        pixels: name in `PIXELS`, what the model itself is shown.
        probes: float32 array (images, height, width, channels) by which it was tried.
        notes: sentences on what is unusual.
    """

    endpoint: Endpoint
    plain: Endpoint
    scores: Scores
    pixels: str
    probes: np.ndarray
    notes: tuple = ()


def read(
    path: str | pathlib.Path,
    model: Any,
    *,
    examples: Examples | None = None,
    pixels: str = "auto",
    time_limit: float | None = FIRST_PASSES,
) -> Any:
    """Decides how a model is read, by its answers to the data set's images.

    Args:
        path: of the model, for errors.
        model: `Editable`.
        examples: `Examples`, or None: then pixels other than those in [0, 1] cannot be told.
        pixels: a name in `PIXELS`, or "auto".
        time_limit: seconds in which it must answer the first images.

    Raises:
        InputError: it does not run on such images, takes no such pixels, or has no scores.
    """
    guard = functools.partial(within, time_limit, str(path))
    reader = _Reader(path, model, examples, guard)
    possible_names = reader.names(pixels)
    probes, names, outputs = guard(lambda: reader.probed(possible_names))
    scores, output_note = choose_output(
        path,
        outputs,
        len(probes) * len(names),
        name=model.entrance.output,
        num_classes=examples.num_classes if examples else None,
    )
    choice = reader.choice(names, scores)
    view = functools.partial(reader.viewed, choice.pixels)
    model, input_note = accepting_floats(model, view, probes)
    endpoint, scores = without_activation(model, view, scores, probes)
    found = (model.entrance.layout.note, input_note, output_note, choice.note)
    notes = (*model.entrance.notes, *filter(None, found))
    plain = view(model.entrance.endpoint)
    return Reading(endpoint, plain, scores, choice.pixels, probes, notes)


class _Reader:
    """What is tried on one model."""

    def __init__(self, path, model, examples, guard):
        self._path = path
        self._ours = model.ours
        self._entrance = model.entrance
        self._examples = examples
        self._guard = guard
        self._whole = model.entrance.endpoint.whole

    def names(self, pixels):
        """The pixels to try, the usual first."""
        channels = self._entrance.layout.image_shape[-1]
        channels = channels or (self._examples and self._examples.image_shape[-1])
        if pixels != "auto":
            require_possible(self._path, pixels, channels, whole=self._whole)
            return (pixels,)
        names = possible(channels, whole=self._whole)
        return names[:1] if self._ours or self._examples is None else names

    def viewed(self, pixels, endpoint=None):
        """The model, or another endpoint of it, behind the view of its input."""
        return self._shown(PIXELS[pixels], endpoint or self._entrance.endpoint)

    def _shown(self, view, endpoint):
        return viewed(endpoint, self._entrance.layout, view, whole=self._whole)

    def probed(self, names):
        """Images to try the model on, the names of pixels that it takes, and its outputs."""
        probes, first = self._first_outputs(names[0])
        taken, outputs = [names[0]], [first]
        for name in names[1:]:
            # A model may refuse pixels that it was not made for in any way.
            with contextlib.suppress(Exception):
                outputs.append(probing.run_any_batch(self.viewed(name), probes))
                taken.append(name)
        return probes, taken, probing.together(outputs)

    def choice(self, names, scores):
        """The `PixelChoice`."""
        if len(names) == 1:
            return PixelChoice(names[0])
        readable = dataclasses.replace(scores, take_logarithm=scores.kind == "probabilities")

        nameless = without_a_name(self._examples.images)
        views = PIXELS | nameless

        def correct(name):
            endpoint = self._shown(views[name], self._entrance.endpoint)
            outputs = probing.run_any_batch(endpoint, self._examples.images, guard=self._guard)
            logits = np.asarray(readable.logits(outputs))
            right = np.argmax(logits, axis=-1) == self._examples.labels
            return right & np.isfinite(logits).all(axis=-1)

        return choose_pixels(names, correct, tuple(nameless))

    def _first_outputs(self, name):
        endpoint = self.viewed(name)
        found = None
        for probes in self._possible_probes(endpoint.batch_shape[1:]):
            try:
                found = probes, probing.run_any_batch(endpoint, probes)
            # A stranger's graph may fail in any way on images of the shape that it declares.
            except Exception as error:
                reason, shape = first_line(error), probes.shape[1:]
                continue
            # Of a size that is too small for a network, a mean over no pixels at all may be left.
            if probing.any_numbers(found[1]):
                break
        if found is not None:
            return found
        expected = f"a model that runs on images of shape {shape}"
        raise InputError.expected(str(self._path), expected, reason)

    def _possible_probes(self, image_shape):
        if self._examples is not None:
            return [self._examples.probes]
        sides = probing.OPEN_SIDES if None in image_shape[:2] else probing.OPEN_SIDES[:1]
        return [probing.probe_images(image_shape, side) for side in sides]
