"""Keras' "accuracy" for a classifier whose one output is a logit."""

from typing import Any

import keras

from robust_keras.training.head import Head

_NAMES = ("accuracy", "acc")


def for_head(metrics: Any, head: Head) -> Any:
    """The metrics of `compile`, with 0 as the threshold of "accuracy" on one logit.

    Keras takes one column for a probability, and would count logits between 0 and 0.5 as class 0.

    Returns:
        The same, but for "accuracy" and "acc".
    """
    if head.columns != 1 or head.gives_probabilities or not isinstance(metrics, list | tuple):
        return metrics
    return [
        keras.metrics.BinaryAccuracy(name=metric, threshold=0.0) if metric in _NAMES else metric
        for metric in metrics
    ]
