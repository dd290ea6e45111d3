"""What an evaluation goes through, what its parts should take, and what they took."""

import dataclasses
import math

# An image that falls takes this share of the passes, or so many passes, whichever is more.
_OF_THE_FALLEN, _FEWEST = 0.7, 4.0
# What is expected is believed as firmly as so many seconds that were measured.
_TRUST = 0.2
# What an attack builds, of what the function of a gradient takes.
_BUILDING = 1.3


@dataclasses.dataclass(frozen=True)
class FirstLook:
    """What a model's first passes tell.

    Args:
        forward: seconds of a forward pass: whatever its images, and for each image.
        gradient: the same of a pass forward and back.
        building: seconds to build the function of the gradient.
        radii: about the epsilon at which each of some images falls, rising; None where there are
            no gradients to tell.
    """

    forward: tuple[float, float]
    gradient: tuple[float, float] = (0.0, 0.0)
    building: float = 0.0
    radii: tuple[float, ...] | None = None


@dataclasses.dataclass(frozen=True)
class Part:
    """A part of an evaluation: an attack's stage at an epsilon, or something of another kind.

    Args:
        title: what progress calls it.
        attack: name of the attack; None for another part.
        epsilon: of the attack, None for a search over all of them.
        gradients: passes forward and back an image, at most.
        forwards: passes forward alone an image, at most.
        images: on how many; for an attack that is found out.
        batches: in how many batches; for an attack as well.
        rounds: how often an attack tries an image that does not fall; the passes are those of all.
        built: functions that it builds.
        whole: whether each of its batches takes all passes of a full one, however few are left.
        seconds: what it takes besides.
    """

    title: str
    attack: str | None = None
    epsilon: float | None = None
    gradients: float = 0.0
    forwards: float = 0.0
    images: int = 0
    batches: float = 1.0
    rounds: int = 1
    built: int = 0
    whole: bool = False
    seconds: float = 0.0

    def passes(self, look: FirstLook, images: float, batches: float) -> float:
        """Seconds of all passes of so many images in so many batches."""
        pairs = ((self.gradients, look.gradient), (self.forwards, look.forward))
        return sum(n * (batches * step + images * each) for n, (step, each) in pairs)

    def attacking(self, look: FirstLook, met: float, left: float, batch_size: int) -> float:
        """Seconds of an attack's passes on so many images, of which it leaves so many."""
        if met <= 0.0:
            return 0.0
        # Where few images are expected, there may be none.
        batches = min(math.ceil(met / batch_size), met)
        if self.whole:
            return self.passes(look, batches * batch_size, batches)
        few = _FEWEST / max(self.gradients + self.forwards, _FEWEST)
        busy = left + max(few, _OF_THE_FALLEN / self.rounds) * (met - left)
        return self.passes(look, busy, batches * (1.0 if left >= 1.0 else busy / met))

    def building(self, look: FirstLook) -> float:
        """Seconds in which its functions are built."""
        return self.built * _BUILDING * look.building


@dataclasses.dataclass
class Pace:
    """How much longer something takes than its passes should."""

    expected: float = 0.0
    measured: float = 0.0

    def see(self, expected: float, measured: float) -> None:
        """Takes in what something took."""
        self.expected += expected
        self.measured += measured

    def ratio(self, usual: float = 1.0) -> float:
        """What is measured of what was expected, near the usual as long as that is little."""
        return (self.measured + _TRUST * usual) / (self.expected + _TRUST)
