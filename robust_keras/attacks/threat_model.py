"""What an attacker may do: how far every image may be changed, and measured how."""

import dataclasses
import math

import numpy as np

from robust_keras.errors import InputError

NORMS = ("linf", "l2")
# Rounding to float32 moves a point of the sphere a little; the ball is shrunk by this much first.
_L2_MARGIN = 1e-6


@dataclasses.dataclass(frozen=True)
class ThreatModel:
    """All images x' with norm(x' - x) <= epsilon and every pixel within the bounds.

    Formula: `linf`: max |x' - x|; `l2`: sqrt(sum (x' - x)^2), over all pixels and channels of an
    image.

    Args:
        norm: "linf" or "l2".
        epsilons: radii to evaluate, strictly rising, each >= 0; linf radii are at most the width of
            the pixel range.
        bounds: smallest and largest pixel value.

    Raises:
        InputError: an argument is out of range.

    Example:
        >>> ThreatModel("linf", (2 / 255, 8 / 255)).norm
        'linf'
    """

    norm: str
    epsilons: tuple[float, ...]
    bounds: tuple[float, float] = (0.0, 1.0)

    def __post_init__(self):
        if self.norm not in NORMS:
            raise InputError.expected("norm", f"one of {', '.join(NORMS)}", self.norm)
        object.__setattr__(self, "bounds", _reals("bounds", self.bounds))
        if len(self.bounds) != 2 or not self.bounds[0] < self.bounds[1]:
            raise InputError.expected("bounds", "a smaller and a larger number", self.bounds)
        object.__setattr__(self, "epsilons", _reals("epsilons", self.epsilons))
        rising = all(a < b for a, b in zip(self.epsilons, self.epsilons[1:], strict=False))
        if not self.epsilons or not rising:
            raise InputError.expected("epsilons", "strictly rising numbers", self.epsilons)
        for epsilon in (self.epsilons[0], self.epsilons[-1]):
            self.check_epsilon(epsilon)

    @property
    def width(self) -> float:
        """Width of the pixel range."""
        return self.bounds[1] - self.bounds[0]

    def largest_epsilon(self, image_shape: tuple[int, ...]) -> float:
        """The radius at which every image of the shape is within reach of every other.

        Args:
            image_shape: (height, width, channels).
        """
        if self.norm == "linf":
            return self.width
        return self.width * math.sqrt(math.prod(image_shape))

    def check_epsilon(self, epsilon: float) -> None:
        """Raises InputError unless the radius is a possible one in this norm."""
        limit = self.width if self.norm == "linf" else math.inf
        if not 0.0 <= epsilon <= limit or not math.isfinite(epsilon):
            allowed = f"a number in [0, {limit:g}]" if self.norm == "linf" else "a number >= 0"
            raise InputError.expected("epsilon", f"{allowed} ({self.norm})", epsilon)

    def check_images(self, images: np.ndarray) -> None:
        """Raises InputError unless the images are finite floats within the bounds.

        Args:
            images: array (batch, height, width, channels).
        """
        lowest, highest = self.bounds
        expected = f"float images (batch, height, width, channels) in [{lowest:g}, {highest:g}]"
        if images.ndim != 4 or images.dtype.kind != "f":
            raise InputError.expected("images", expected, f"{images.dtype} {images.shape}")
        if not np.all(np.isfinite(images)):
            raise InputError.expected("images", expected, "pixels that are not finite numbers")
        if images.size and (images.min() < lowest or images.max() > highest):
            received = f"pixels in [{images.min():g}, {images.max():g}]"
            raise InputError.expected("images", expected, received)

    def checked(self, images: np.ndarray, epsilon: float = 0.0) -> np.ndarray:
        """The images as float32; raises InputError unless they and the radius are possible."""
        images = np.asarray(images, np.float32)
        self.check_images(images)
        self.check_epsilon(epsilon)
        return images

    def distances(self, images: np.ndarray, others: np.ndarray) -> np.ndarray:
        """Distance of every image from its counterpart, exact for float32 pixels.

        Args:
            images: array (batch, height, width, channels).
            others: array of the same shape.

        Returns:
            float64 array (batch,).
        """
        changes, pixels = np.asarray(others, np.float64) - images, (1, 2, 3)
        if self.norm == "linf":
            return np.abs(changes).max(axis=pixels, initial=0.0)
        return np.sqrt(np.square(changes).sum(axis=pixels))

    def project(
        self, images: np.ndarray, candidates: np.ndarray, epsilon: float | np.ndarray
    ) -> np.ndarray:
        """The candidates moved into the ball around the images and into the pixel range.

        A candidate with a pixel that is no finite number is replaced by its image: it cannot be
        trusted anywhere. All is rounded towards the image, so the distance computed from the
        float32 result never exceeds epsilon.

        Args:
            images: float32 array (batch, height, width, channels) within the bounds.
            candidates: array of the same shape, anything.
            epsilon: radius >= 0, or an array (batch, 1, 1, 1) of one an image.

        Returns:
            float32 array of the same shape.
        """
        images = np.asarray(images, np.float32)
        candidates = np.asarray(candidates, np.float64)
        finite = np.isfinite(candidates).all(axis=(1, 2, 3), keepdims=True)
        candidates = np.where(finite, candidates, images)
        if self.norm == "l2":
            candidates = np.clip(candidates, *self.bounds)
            return self._shrink(images, candidates - images, epsilon)
        exact = images.astype(np.float64)
        lowest = np.maximum(exact - epsilon, self.bounds[0])
        highest = np.minimum(exact + epsilon, self.bounds[1])
        return _rounded_towards(images, np.clip(candidates, lowest, highest))

    def _shrink(self, images, changes, epsilon):
        """Images plus changes scaled down until their float32 sum lies in the ball."""
        radius = epsilon * (1.0 - _L2_MARGIN)
        flat = np.sqrt(np.square(changes).sum(axis=(1, 2, 3), keepdims=True))
        scale = np.where(flat > radius, radius / np.maximum(flat, np.finfo(float).tiny), 1.0)
        # Rounding towards the image makes no pixel's change larger.
        return _rounded_towards(images, images + changes * scale)


def _rounded_towards(images, points):
    """float64 points as float32, each rounded in the direction of its image's pixel."""
    rounded = points.astype(np.float32)
    beyond = np.abs(rounded - images.astype(np.float64)) > np.abs(points - images)
    return np.where(beyond, np.nextafter(rounded, images), rounded)


def _reals(name, values):
    try:
        return tuple(float(value) for value in values)
    except (TypeError, ValueError) as error:
        raise InputError.expected(name, "a sequence of numbers", values) from error
