"""What models that train another one share: whose weights are saved, which images are taken."""

import inspect
from typing import Any

import keras
import tensorflow as tf

from robust_keras.errors import InputError
from robust_keras.layers import keras_private
from robust_keras.training import first_batch
from robust_keras.training.head import image_shape
from robust_keras.training.pixels import PixelRange


class ClassifierTraining(keras.Model):
    """A classifier wrapped for training on images made from those of `fit`.

    The first batch that `fit`, `evaluate`, `train_on_batch` and `test_on_batch` are given is
    looked at: images made from it are clipped to `pixel_range`, so others are refused.

    Args:
        classifier: a built keras.Model from images to logits or probabilities.
        pixel_range: what black and white are to it, see `PixelRange`.

    Raises:
        ValueError: the classifier is not built, or `pixel_range` is none.
    """

    def __init__(self, classifier: keras.Model, pixel_range: Any):
        if not classifier.built:
            raise ValueError(
                "`classifier` must be built: give it an input shape or call it once. "
                f"Received: classifier={classifier.name!r}, which has no weights yet"
            )
        # Pixels reach the classifier as they are: half precision would round an epsilon away.
        super().__init__(name=classifier.name, dtype=classifier.dtype_policy, autocast=False)
        self.classifier = classifier
        self.pixels = PixelRange.of(pixel_range)
        self._refusals: list[Exception] = []

    @property
    def image_shape(self) -> tuple[int, ...]:
        """The shape of one image."""
        return image_shape(self.classifier)

    def call(self, images: tf.Tensor, training: bool | None = None) -> tf.Tensor:
        """The classifier's outputs (batch, classes)."""
        return self.classifier(images, training=training)

    def fit(self, *args: Any, **kwargs: Any) -> keras.callbacks.History:
        """As `keras.Model.fit`; refuses images that the classifier does not take.

        Raises:
            InputError: pixels outside `pixel_range`, or labels are missing.
        """
        given = inspect.signature(keras.Model.fit).bind(self, *args, **kwargs).arguments
        given.pop("self")
        self._require_labels(given)
        given["x"] = self._looked_at(given.get("x"), "images")
        held_out = given.get("validation_data")
        if isinstance(held_out, tuple | list):
            self._looked_at(held_out[0], "validation images")
        elif held_out is not None:
            given["validation_data"] = self._looked_at(held_out, "validation images")
        return self._telling(super().fit, **given)

    def evaluate(self, x: Any = None, *args: Any, **kwargs: Any) -> Any:
        """As `keras.Model.evaluate`, on the images as they are; refuses as `fit` does."""
        # Keras hands its own adapter on while it fits; those images were looked at.
        if not keras_private.is_called_by_fit(kwargs):
            x = self._looked_at(x, "images")
        return self._telling(super().evaluate, x, *args, **kwargs)

    def train_on_batch(self, x: Any, *args: Any, **kwargs: Any) -> Any:
        """As `keras.Model.train_on_batch`; refuses as `fit` does."""
        return super().train_on_batch(self._looked_at(x, "images"), *args, **kwargs)

    def test_on_batch(self, x: Any, *args: Any, **kwargs: Any) -> Any:
        """As `keras.Model.test_on_batch`; refuses as `fit` does."""
        return super().test_on_batch(self._looked_at(x, "images"), *args, **kwargs)

    def save(self, *args: Any, **kwargs: Any) -> Any:
        """Saves the classifier, which needs none of this code to load."""
        return self.classifier.save(*args, **kwargs)

    def export(self, *args: Any, **kwargs: Any) -> Any:
        """Exports the classifier."""
        return self.classifier.export(*args, **kwargs)

    def _as_floats(self, images):
        """Images as float32; those that can be looked at are."""
        images = tf.convert_to_tensor(images)
        self.pixels.check_dtype(images.dtype)
        if tf.executing_eagerly():
            self.pixels.check(images)
        return tf.cast(images, tf.float32)

    def _looked_at(self, data, name):
        """The data for Keras, looked at."""

        def look(images):
            try:
                self.pixels.check(images, name)
            except InputError as error:
                self._refusals.append(error)
                raise

        return first_batch.looked_at(data, look)

    def _telling(self, function, *args, **kwargs):
        """Calls a function of Keras; an error out of the data's graph is told as it was raised."""
        self._refusals.clear()
        try:
            return function(*args, **kwargs)
        except tf.errors.OpError:
            if not self._refusals:
                raise
        raise self._refusals.pop()

    @staticmethod
    def _require_labels(given):
        x = given.get("x")
        alone = first_batch.is_array(x) if x is not None else False
        if isinstance(x, tf.data.Dataset):
            alone = not isinstance(x.element_spec, tuple | list) or len(x.element_spec) < 2
        if alone and given.get("y") is None:
            raise InputError.expected("labels", "labels beside the images", "none")
