"""What is drawn of the inside of a model, in numbers."""

import dataclasses

import numpy as np

from robust_keras.findings import byte_text, fields
from robust_keras.findings.finding import Finding, field
from robust_keras.findings.kinds import COUNT, FRACTION, POSITIVE_COUNT, TEXT, ListOf, Number

_ANY = Number(low=-float("inf"))
_SHAPE = "height, width, channels"


def _shape(meaning):
    return field(ListOf(POSITIVE_COUNT, length=3), meaning)


@dataclasses.dataclass(frozen=True, kw_only=True)
class FiltersReport(Finding):
    """The kernels of the first layer as pictures."""

    layer: str = fields.text("name of the layer")
    shape: tuple[int, int, int] = _shape(f"{_SHAPE} of each")
    largest: float = fields.number("largest absolute weight of all filters of the layer")
    filters: tuple[str, ...] = field(
        ListOf(TEXT),
        "base64 of the bytes of each, row by row: 0 is minus, 255 plus the largest absolute weight "
        "of that filter. At most 24",
    )
    strengths: tuple[float, ...] = field(
        ListOf(FRACTION), "largest absolute weight of each, as a share of `largest`"
    )

    def check_together(self) -> None:
        for text in self.filters:
            byte_text.decoded("filters", text, self.shape)
        if len(self.strengths) != len(self.filters):
            raise ValueError(
                f"`strengths` must be {len(self.filters)} numbers. Received: {self.strengths}"
            )

    @property
    def arrays(self) -> list[np.ndarray]:
        """The pictures, uint8 (height, width, channels) each."""
        return [byte_text.decoded("filters", text, self.shape) for text in self.filters]


@dataclasses.dataclass(frozen=True, kw_only=True)
class SaliencyReport(Finding):
    """Which pixels of an image the answer hangs on."""

    index: int = fields.count("number of the image among those attacked")
    label: int = fields.count("its class")
    answer: int = fields.count("the model's answer")
    half: float = fields.fraction(
        "share of the pixels that hold half of the squared gradient of the answer's lead over the "
        "next class; small: a few pixels decide"
    )
    shape: tuple[int, int, int] = _shape(_SHAPE)
    pixels: str = fields.text("base64 of the image's bytes, row by row")
    saliency: str = fields.text(
        "base64 of a byte a pixel, row by row: the largest absolute gradient over its channels, "
        "255 where it is largest"
    )

    def check_together(self) -> None:
        byte_text.decoded("pixels", self.pixels, self.shape)
        byte_text.decoded("saliency", self.saliency, (*self.shape[:2], 1))

    @property
    def arrays(self) -> tuple[np.ndarray, np.ndarray]:
        """Image and saliency, uint8 (height, width, channels) and (height, width, 1)."""
        image = byte_text.decoded("pixels", self.pixels, self.shape)
        return image, byte_text.decoded("saliency", self.saliency, (*self.shape[:2], 1))


@dataclasses.dataclass(frozen=True, kw_only=True)
class KernelCurvesReport(Finding):
    """Learnt kernel activations of one layer, and where their inputs fall."""

    layer: str = fields.text("name of the layer")
    boundary: float = fields.number("its dictionary lay between minus this and this at the start")
    points: tuple[float, ...] = field(ListOf(_ANY), "inputs, rising")
    channels: tuple[int, ...] = field(ListOf(COUNT), "channels that are drawn")
    curves: tuple[tuple[float, ...], ...] = field(
        ListOf(ListOf(_ANY)), "for each of them, its value at every point"
    )
    inputs: tuple[int, ...] = field(
        ListOf(COUNT),
        "how many inputs of all channels fall between each point and the next, on at most 100 "
        "images",
    )
    outside: float = fields.fraction("share of the inputs outside the dictionary")

    def check_together(self) -> None:
        for name, own in (("curves", len(self.channels)), ("inputs", len(self.points) - 1)):
            if len(getattr(self, name)) != own:
                raise ValueError(f"`{name}` must have length {own}.")
        if any(len(curve) != len(self.points) for curve in self.curves):
            raise ValueError(f"`curves` must have {len(self.points)} values each.")


@dataclasses.dataclass(frozen=True, kw_only=True)
class FeatureReport(Finding):
    """Values of one channel of the second convolution, of images and of nonsense."""

    channel: int = fields.count("its number")
    low: float = field(_ANY, "values below this are in the first bin")
    high: float = field(_ANY, "values above this are in the last bin")
    images: tuple[int, ...] = field(ListOf(COUNT), "counts of the images' values in equal bins")
    nonsense: tuple[int, ...] = field(
        ListOf(COUNT), "the same of uniform noise, or of `--nonsense`"
    )
    overlap: float = fields.fraction(
        "of both histograms: 1 where they are the same, 0 where they share no bin"
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class FeaturePairReport(Finding):
    """The same of two channels at once."""

    channels: tuple[int, int] = field(ListOf(COUNT, length=2), "their numbers, across and up")
    low: tuple[float, float] = field(ListOf(_ANY, length=2), "as of one channel")
    high: tuple[float, float] = field(ListOf(_ANY, length=2), "as of one channel")
    images: tuple[tuple[int, ...], ...] = field(
        ListOf(ListOf(COUNT)), "counts, a row a bin of the first channel"
    )
    nonsense: tuple[tuple[int, ...], ...] = field(ListOf(ListOf(COUNT)), "the same of nonsense")
    overlap: float = fields.fraction("as of one channel")


@dataclasses.dataclass(frozen=True, kw_only=True)
class FeaturesReport(Finding):
    """Feature histograms of the second convolution, before its activation."""

    layer: str = fields.text("name of the layer")
    images: int = fields.positive_count("how many images, and as many of nonsense at most")
    single: tuple[FeatureReport, ...] = fields.parts(FeatureReport, "its first channels, at most 6")
    pairs: tuple[FeaturePairReport, ...] = fields.parts(
        FeaturePairReport, "pairs of these, at most 3", default=()
    )
    overlap: float = fields.fraction("mean overlap over all channels of the layer, one by one")


@dataclasses.dataclass(frozen=True, kw_only=True)
class SurfaceReport(Finding):
    """Loss and answers in a plane through an image."""

    index: int = fields.count("number of the image among those attacked")
    label: int = fields.count("its class")
    reach: float = fields.number(
        "the plane goes so far in both directions; each changes every pixel by as much, and pixels "
        "stay in [0, 1]"
    )
    losses: tuple[tuple[float, ...], ...] = field(
        ListOf(ListOf(_ANY)),
        "cross-entropy, a row a step along random signs, a column one along the gradient's signs",
    )
    answers: tuple[tuple[int, ...], ...] = field(ListOf(ListOf(COUNT)), "the model's answers there")
    others: float = fields.fraction("share of the plane that is answered with another class")


@dataclasses.dataclass(frozen=True, kw_only=True)
class PicturesReport(Finding):
    """What is drawn of the inside of a model."""

    filters: FiltersReport | None = fields.part(
        FiltersReport, "the first layer; null where it has no kernels or is not known"
    )
    saliency: tuple[SaliencyReport, ...] = fields.parts(
        SaliencyReport, "a few images; empty where the model has no gradients", default=()
    )
    curves: tuple[KernelCurvesReport, ...] = fields.parts(
        KernelCurvesReport, "kernel activations, at most 4 layers", default=()
    )
    features: FeaturesReport | None = fields.part(
        FeaturesReport, "null without a second convolution whose values are known"
    )
    surfaces: tuple[SurfaceReport, ...] = fields.parts(
        SurfaceReport, "planes through the first images that are right without attack", default=()
    )
