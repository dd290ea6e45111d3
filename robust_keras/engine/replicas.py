"""Copies of one classifier on several devices, which share the images of every batch."""

import concurrent.futures
import contextlib
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import tensorflow as tf

from robust_keras.attackable import Attackable


class Replicas:
    """A classifier and its copies, each on its own device and with its own thread.

    An attack's random numbers belong to the image, so who attacks it changes nothing.

    Args:
        classifiers: at least one; the others must be copies of the first.
        devices: name of each one's device, or None for TensorFlow's choice.

    Example:
        >>> def classes(classifier, indices):
        ...     return np.argmax(classifier.logits(images[indices]), axis=1)
        >>> Replicas([classifier]).run(classes, np.arange(3))
        [array([...])]
    """

    def __init__(self, classifiers: Iterable[Attackable], devices: Iterable[str | None] = (None,)):
        self._classifiers = tuple(classifiers)
        self._devices = tuple(devices)
        if not self._classifiers or len(self._classifiers) != len(self._devices):
            raise ValueError(
                "`devices` must name one device a classifier, one or more. "
                f"Received: {len(self._classifiers)} classifiers, devices={devices}"
            )
        many = len(self._classifiers) > 1
        self._threads = [concurrent.futures.ThreadPoolExecutor(1) for _ in self._devices * many]

    def __len__(self):
        return len(self._classifiers)

    @property
    def first(self) -> Any:
        """The classifier of which the others are copies."""
        return self._classifiers[0]

    def map(self, function: Callable) -> "Replicas":
        """The same with every classifier replaced by `function(classifier)`."""
        return Replicas(map(function, self._classifiers), self._devices)

    def share_of(self, rows: int) -> int:
        """The most rows that one of them gets of so many."""
        return -(-rows // len(self))

    def run(self, function: Callable, indices: np.ndarray) -> list:
        """Calls `function(classifier, indices)` for every classifier's part of the indices.

        Args:
            function: called in a thread of the classifier's own, on its device.
            indices: int array.

        Returns:
            List of what it returned, in the order of the indices.
        """
        parts = [part for part in np.array_split(indices, len(self)) if len(part)]
        jobs = list(zip(self._classifiers, self._devices, parts, strict=False))
        if len(jobs) == 1:
            return [_on_device(function, *jobs[0])]
        started = [
            thread.submit(_on_device, function, *job)
            for thread, job in zip(self._threads, jobs, strict=False)
        ]
        return [job.result() for job in started]


def _on_device(function, classifier, device, indices):
    # TensorFlow keeps the device scope per thread.
    with contextlib.nullcontext() if device is None else tf.device(device):
        return function(classifier, indices)
