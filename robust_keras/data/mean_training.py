"""Mean training: two more classes, of noise around the mean image and of plain noise."""

import dataclasses
import math

import numpy as np

from robust_keras.data.checks import check_images, class_numbers
from robust_keras.data.datasets import to_float
from robust_keras.data.training_set import TrainingSet


@dataclasses.dataclass(frozen=True)
class NonsenseSettings:
    """How much nonsense, and how loud.

    Args:
        share: images of each of the two classes as a share of the training images, above 0.
        mean_deviation: largest standard deviation of the noise around the mean image, in pixels.
        noise_deviation: standard deviation of the noise around mid grey, in pixels.

    Raises:
        ValueError: a value is not above 0.
    """

    share: float
    mean_deviation: float
    noise_deviation: float

    def __post_init__(self):
        for name, value in vars(self).items():
            if not 0 < value < math.inf:
                raise ValueError(f"`{name}` must be above 0. Received: {name}={value}")


# Published: 6,000 images of each class for MNIST's 60,000, 2,500 for CIFAR-10's 50,000.
NONSENSE_MNIST = NonsenseSettings(share=0.1, mean_deviation=1.0, noise_deviation=0.5)
NONSENSE_CIFAR10 = NonsenseSettings(share=0.05, mean_deviation=64 / 255, noise_deviation=96 / 255)


def nonsense_images(
    images: np.ndarray, seed: int, *, settings: NonsenseSettings = NONSENSE_MNIST
) -> tuple[np.ndarray, np.ndarray]:
    """Images of the two nonsense classes.

    The first kind is `mean + u d N(0, 1)`, with u drawn uniformly from (0, 1) for each image and d
    the `mean_deviation`; the second is `0.5 + s N(0, 1)`, s the `noise_deviation`. Pixels are not
    clipped to [0, 1], as in the authors' program.

    Args:
        images: float array (n, height, width, channels) in [0, 1], for their mean and number.
        seed: whole number of at least 0.
        settings: a `NonsenseSettings`.

    Returns:
        Two float32 arrays (m, height, width, channels), m = max(1, round(share n)).

    Reference: Zhao and Griffin, 2016, arXiv 1603.05145 (deviations from the authors' program).

    Example: `around_mean, plain = nonsense_images(images, seed=0)`.
    """
    generator = np.random.default_rng(seed)
    shape = (max(1, round(settings.share * len(images))), *images.shape[1:])
    amount = generator.random((shape[0], 1, 1, 1), np.float32) * settings.mean_deviation
    mean = np.mean(images, axis=0, dtype=np.float64)
    around_mean = mean + amount * generator.standard_normal(shape, np.float32)
    plain = 0.5 + settings.noise_deviation * generator.standard_normal(shape, np.float32)
    return around_mean.astype(np.float32), plain.astype(np.float32)


def with_nonsense(
    images: np.ndarray,
    labels: np.ndarray,
    num_classes: int,
    seed: int,
    *,
    settings: NonsenseSettings = NONSENSE_MNIST,
) -> TrainingSet:
    """The images with those of two more classes, num_classes and num_classes + 1, at the end.

    Args:
        images: array (n, height, width, channels), floats in [0, 1] or bytes.
        labels: class numbers (n,) or (n, 1), or one-hot rows (n, num_classes).
        num_classes: classes of the data set, two for a model of one output; the model needs two
            outputs more.
        seed: whole number of at least 0.
        settings: a `NonsenseSettings`.

    Raises:
        InputError: other pixels, or a label that is none of the classes.

    Example:
        trained = with_nonsense(images, labels, 10, seed=0)
        model.fit(trained.images, trained.labels)  # a model of 12 outputs
    """
    check_images(images, "images")
    images, labels = to_float(images), class_numbers(labels, num_classes)
    kinds = nonsense_images(images, seed, settings=settings)
    numbers = [np.full(len(kind), num_classes + place) for place, kind in enumerate(kinds)]
    return TrainingSet(
        np.concatenate([images.astype(np.float32), *kinds]),
        np.concatenate([labels, *numbers]).astype(np.int64),
    )
