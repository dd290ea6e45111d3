"""What an evaluation goes through, and what its parts took."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Part:
    """A part of an evaluation: an attack's stage at an epsilon, or something of another kind.

    Args:
        title: what progress calls it.
        attack: name of the attack; None for another part.
        epsilon: of the attack, None for a search over all of them.
        passes: forward passes an image at most, as `attacks.price.passes_at_most` counts them.
        images: on how many; for an attack that is found out.
        steps: passes one after the other, whatever their images; of a part that is no attack.
        built: functions that it builds; those of an attack are built anew where fewer images are
            left, about every other time.
        seconds: what it takes besides.
    """

    title: str
    attack: str | None = None
    epsilon: float | None = None
    passes: float = 0.0
    images: int = 0
    steps: float = 0.0
    built: int = 0
    seconds: float = 0.0


@dataclasses.dataclass(frozen=True)
class Assumed:
    """What is taken for true where nothing is measured.

    Args:
        building: seconds to build a function, where none was seen.
        slower: of what building took so far, what it may take.
        built: share of the first batch of an attack that went into building.
        batch: seconds that each batch may take besides its passes.
        step: seconds of a pass, however few its images are.
        few: images that take about as long as the rest of a pass.
        left: share of the images that an attack leaves, from one epsilon to the next; what the
            first stage of a cascade leaves, the others hardly touch.
        alike: what an attack leaves, of what another left that is known.
        declared: share of the seconds that a part declares.
        model: seconds of a model to come, of those before it.
        pace: seconds a pass, as measured.
    """

    building: float
    slower: float
    built: float
    batch: float
    step: float
    few: int
    left: float
    alike: float
    declared: float
    model: float
    pace: float = 0.0


@dataclasses.dataclass
class Spent:
    """Seconds and images of batches of a new shape, for which an attack is built, and of others."""

    passes: float
    built: int
    new: list[tuple[float, int]] = dataclasses.field(default_factory=list)
    seconds: float = 0.0
    images: int = 0
    batches: int = 0

    def per_image(self) -> float | None:
        """Seconds, without batches of a new shape; None where that is all there was."""
        return self.seconds / self.images if self.images else None

    def pace(self, assumed: Assumed) -> float:
        """Seconds a pass."""
        if self.images:
            seconds, images, besides = self.seconds, self.images, self.batches * assumed.batch
        else:
            seconds, images = max(self.new)
            # The shortest of several was hardly anything but building.
            least = min(self.new)[0] if len(self.new) > 1 else 0.0
            built = assumed.built * seconds if self.built else assumed.batch
            besides = max(built, least * assumed.built)
        return max(seconds - besides, seconds / 30) / (max(images, 1) + assumed.few) / self.passes
