"""Residual networks: 18 layers wide, 20 and 56 layers narrow.

Images of 128 pixels and more are first brought to a quarter of their sides, by a convolution of
size 7 and a pooling, as for ImageNet (He et al., 2015, arXiv 1512.03385). Every activation has
batch normalisation right before it, as kernel and symmetric activations need.
"""

import dataclasses

import keras

from robust_keras.models import blocks
from robust_keras.models.architecture import Architecture

# Sides in pixels.
_LARGE = 128


@dataclasses.dataclass(frozen=True)
class ResidualLayers:
    """The layers of a residual network, called with images and an activation.

    Attributes:
        widths: channels of each stage; every stage but the first halves the image.
        depth: residual blocks a stage, two convolutions each.
        projection: kernel size of the convolution on the skip where a stage changes the shape.
        pre_activation: normalisation and activation before each convolution, so that the skips stay
            identities (He et al., 2016, arXiv 1603.05027). If False, each block is convolution,
            normalisation, activation, convolution, addition, normalisation, activation, as in
            Peconi's thesis (2020). Symmetric activations always get pre-activation blocks: on the
            skip they would wipe out what lies away from zero, block after block.
    """

    widths: tuple[int, ...]
    depth: int
    projection: int = 3
    pre_activation: bool = False

    def __call__(self, x, activation):
        """Features (batch, widths[-1]), the means of the last stage's channels."""
        pre_activation = self.pre_activation or activation.symmetric
        is_large = min(x.shape[1:3]) >= _LARGE
        size, strides = (7, 2) if is_large else (3, 1)
        x = blocks.convolution(x, self.widths[0], size, "stem", strides=strides, use_bias=False)
        if not pre_activation:
            x = blocks.activated(x, activation, "stem", normalise=True)
        if is_large:
            x = keras.layers.MaxPooling2D(3, 2, "same", name="stem_pooling")(x)
        block = self._pre_activation_block if pre_activation else self._post_activation_block
        for stage, filters in enumerate(self.widths, start=1):
            for number in range(1, self.depth + 1):
                strides = 2 if stage > 1 and number == 1 else 1
                x = block(x, filters, strides, activation, f"stage{stage}_block{number}")
        if pre_activation:
            x = blocks.activated(x, activation, "final", normalise=True)
        return keras.layers.GlobalAveragePooling2D(name="features")(x)

    def _skip(self, x, filters, strides, name):
        if strides == 1 and x.shape[-1] == filters:
            return x
        return blocks.convolution(
            x, filters, self.projection, f"{name}_projection", strides=strides, use_bias=False
        )

    def _branch(self, x, filters, strides, activation, name):
        x = blocks.convolution(x, filters, 3, f"{name}_conv1", strides=strides, use_bias=False)
        x = blocks.activated(x, activation, f"{name}_middle", normalise=True)
        return blocks.convolution(x, filters, 3, f"{name}_conv2", use_bias=False)

    def _post_activation_block(self, x, filters, strides, activation, name):
        branch = self._branch(x, filters, strides, activation, name)
        x = keras.layers.Add(name=f"{name}_sum")([branch, self._skip(x, filters, strides, name)])
        return blocks.activated(x, activation, f"{name}_end", normalise=True)

    def _pre_activation_block(self, x, filters, strides, activation, name):
        active = blocks.activated(x, activation, f"{name}_start", normalise=True)
        branch = self._branch(active, filters, strides, activation, name)
        unchanged = strides == 1 and x.shape[-1] == filters
        # A projection sees what the branch sees; an identity skip is left untouched.
        skip = x if unchanged else self._skip(active, filters, strides, name)
        return keras.layers.Add(name=f"{name}_sum")([branch, skip])


# He et al. (2016) with the CIFAR widths and the 1x1 projections that robustness studies use
# (arXiv 2001.03994, 2002.11569).
RESNET18 = Architecture(
    ResidualLayers((64, 128, 256, 512), depth=2, projection=1, pre_activation=True), minimum_size=8
)
# A quarter of its channels, a sixteenth of its work, for a study without a GPU.
RESNET18_NARROW = Architecture(
    ResidualLayers((16, 32, 64, 128), depth=2, projection=1, pre_activation=True), minimum_size=8
)
# 6 depth + 2 layers, the shape of Peconi's thesis.
RESNET20 = Architecture(ResidualLayers((16, 32, 64), depth=3), minimum_size=8)
RESNET56 = Architecture(ResidualLayers((16, 32, 64), depth=9), minimum_size=8)
