"""Which operations between images and logits stop or bend gradients: all of them, and by how much.

The graph is copied once with a switch at every such place: what arrives on the way back goes to the
operation's own gradient or past it, as the switches say. So every question costs one backward pass.
"""

import dataclasses
from typing import Any

import numpy as np
import tensorflow as tf

from robust_keras.serving.surgery import stand_ins
from robust_keras.serving.surgery.surgeon import Site, Surgeon, copied

# Which entries of a choice are near its threshold, of the mean distance.
_NEAR = 0.05
# Branches of a continuous curve come together as the threshold comes near.
_JUMP, _LEAST = 3.0, 0.02
# Above this share of jumps a choice is not continuous.
_SOME = 0.2
_DIFFERENCES = 0.1


@dataclasses.dataclass(frozen=True)
class Survey:
    """A classifier's graph with switches.

    Args:
        sites: `Site`s that can be opened, in the order of their switches.
        chance: `Site`s that draw at random.
        seen: names of those that need not be: continuous choices, custom gradients that are right.
        function: from (images, weights, switches) to the gradient first; switches float32
            (sites,), 1 where a gradient goes past an operation.
    """

    sites: tuple[Site, ...]
    chance: tuple[Site, ...]
    seen: frozenset[str]
    function: Any

    def gradient(self, images: np.ndarray, weights: np.ndarray, opened: Any) -> np.ndarray:
        """The gradient of weighted logits with respect to the images.

        Args:
            images: float32 array (images, height, width, channels).
            weights: float32 array (images, classes).
            opened: names of the sites to open.
        """
        switches = tf.constant([float(site.name in opened) for site in self.sites], tf.float32)
        return self.function(tf.constant(images), tf.constant(weights), switches)[0].numpy()


def survey(classifier: Any, images: np.ndarray) -> Survey:
    """Copies a classifier's graph with switches and looks at it on a few images.

    Args:
        classifier: `serving.Classifier`.
        images: float32 array (images, height, width, channels).

    Raises:
        NotCopied: the graph cannot be copied.
    """
    concrete = classifier.logits.get_concrete_function()
    surgeons = []

    def traced(images, weights, switches):
        surgeons.append(_Switched(switches))
        total = tf.reduce_sum(weights * copied(concrete, images, surgeons[-1]))
        # Within the graph, where what leads to the weights of the model is not differentiated.
        zero = tf.UnconnectedGradients.ZERO
        (gradient,) = tf.gradients(total, images, unconnected_gradients=zero)
        return gradient, surgeons[-1].slopes, surgeons[-1].jumps

    classes = classifier.num_classes
    shapes = (None, *classifier.image_shape), (None, classes), (None,)
    specs = [tf.TensorSpec(shape, tf.float32) for shape in shapes]
    function = tf.function(traced, autograph=False).get_concrete_function(*specs)
    sites = tuple(surgeons[-1].sites.values())
    weights, switches = tf.zeros((len(images), classes)), tf.zeros(len(sites))
    _, slopes, jumps = function(tf.constant(images), weights, switches)
    right = {name for name, pair in slopes.items() if _right(pair.numpy())}
    smooth = {name for name, share in jumps.items() if share.numpy() <= _SOME}
    chance = tuple(surgeons[-1].chance.values())
    return Survey(sites, chance, frozenset(right | smooth), function)


class _Switched(Surgeon):
    """Puts a switch at every place that can be opened, and notes what tells whether it should be.

    Args:
        switches: tensor (sites,) of float32, one for each in the order in which they are met.
    """

    compiled = False

    def __init__(self, switches):
        self._switches = switches
        self._graph = tf.compat.v1.get_default_graph()
        self.sites, self.chance, self.slopes, self.jumps = {}, {}, {}, {}

    def open_up(self, site, output, make):
        opened = make()
        if opened is None:
            return None
        self.sites.setdefault(site.name, site)
        return stand_ins.mixed(output, opened, self._switches[list(self.sites).index(site.name)])

    def note_custom(self, site, gradient):
        if self._leads_out():
            self.slopes[site.name] = gradient.slopes()

    def note_choice(self, site, jump, gaps):
        if self._leads_out() and gaps:
            self.jumps[site.name] = _jumps(jump, gaps)

    def note_chance(self, site):
        self.chance[site.name] = site

    def _leads_out(self):
        """Whether it is outside of all loops and branches, out of which no tensor leads."""
        return tf.compat.v1.get_default_graph() is self._graph


def _jumps(jump, gaps):
    """Of the entries near a threshold, the share where the branches are far apart."""
    jump = tf.abs(tf.cast(jump, tf.float32))
    gap = [tf.broadcast_to(tf.abs(tf.cast(gap, tf.float32)), tf.shape(jump)) for gap in gaps]
    gap = tf.reduce_min(tf.stack(gap), axis=0)
    # Entries that are the same on both sides, such as those of a flat image, tell nothing.
    telling = tf.math.is_finite(jump) & tf.math.is_finite(gap) & (jump + gap > 0.0)
    jump, gap = (_over_mean(tf.boolean_mask(part, telling)) for part in (jump, gap))
    near = gap < _NEAR
    far = near & (jump > _JUMP * gap + _LEAST)
    counts = [tf.reduce_sum(tf.cast(part, tf.float32)) for part in (far, near)]
    return tf.math.divide_no_nan(*counts)


def _over_mean(entries):
    return tf.math.divide_no_nan(entries, tf.reduce_mean(entries))


def _right(slopes):
    """Whether the slopes by a custom gradient are those that finite differences find."""
    size = np.maximum(np.max(np.abs(slopes), axis=0), 1e-12)
    return bool(np.median(np.abs(slopes[0] - slopes[1]) / size) <= _DIFFERENCES)
