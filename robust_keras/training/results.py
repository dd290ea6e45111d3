"""What is left of a run: the model on disk and its accuracy."""

import pathlib

import keras
import numpy as np
import tensorflow as tf

from robust_keras.data import pipeline
from robust_keras.data.datasets import ImageSplit
from robust_keras.directories import whole_files
from robust_keras.training.classifier_training import ClassifierTraining
from robust_keras.training.head import find_head


def save_model(model: keras.Model, path: str | pathlib.Path) -> None:
    """Saves a `.keras` file, whole or not at all, that loads wherever `layers` is imported.

    Only what is needed to classify is saved: loss and optimizer would make whoever loads the file
    import the training code, too.

    Args:
        model: functional or sequential Keras model of one input and one output, or a
            `ClassifierTraining` of one, of which the model is saved.
        path: `pathlib.Path` of the file.
    """
    if isinstance(model, ClassifierTraining):
        model = model.classifier
    with whole_files.writing(path, ".keras") as temporary:
        keras.Model(model.inputs[0], model.outputs[0], name=model.name).save(temporary)


def accuracy(model: keras.Model, split: ImageSplit, batch_size: int) -> float:
    """Fraction of the split's images that the model classifies correctly.

    Args:
        model: Keras model from images (batch, height, width, channels) to logits or probabilities
            (batch, classes), or (batch, 1) for two classes.
        split: an `ImageSplit`.
        batch_size: images a forward pass.

    Returns:
        A float in [0, 1].
    """
    outputs = model.predict(pipeline.evaluation_dataset(split, batch_size=batch_size), verbose=0)
    logits = find_head(model).class_logits(tf.constant(outputs))
    return float(np.mean(np.argmax(logits, axis=-1) == split.labels))
