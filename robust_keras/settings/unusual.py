"""Flags of inputs unlike what a model was trained on."""

import dataclasses
from typing import Any

from robust_keras.settings import names, values
from robust_keras.settings.field import flag

NOISE = "noise"
FOOLING_STARTS = ("mean", "uniform")


@dataclasses.dataclass(frozen=True)
class UnusualFlags:
    """Unusual inputs: noise, nonsense, images made to fool."""

    unusual: tuple[str, ...] = flag(
        ("none",),
        values.Choices(("none", *names.UNUSUAL)),
        "What to show the models beside the attacks, comma separated: images with noise, pure "
        "noise moved towards a class, images made for each class by its gradient, bred pixel by "
        "pixel, or bred as painting networks.",
    )
    nonsense: str = flag(
        NOISE,
        values.Text(),
        "What --unusual=nonsense and --inside show of what the models do not know: noise, or "
        "another data set, by name, .npz file or directory (docs/unusual_inputs.md).",
    )
    unusual_clip: bool = flag(
        True,
        values.Truth(),
        "Cut noisy and nonsense samples off at 0 and 1, as any image that is served; false: as in "
        "the published study.",
    )
    fooling_steps: int = flag(
        300, values.Whole(1, 1_000_000), "Steps of fooling_gradient, at most; published: 300."
    )
    fooling_decay: float = flag(
        0.0,
        values.Number(minimum=0.0, below=1.0),
        "Share of the way back to the mean image that each step of fooling_gradient takes; "
        "published: 0.01.",
    )
    fooling_start: str = flag(
        "uniform",
        values.Choice(FOOLING_STARTS),
        "Where fooling_gradient starts: uniform noise, or the mean image with a little noise.",
    )
    fooling_generations: int = flag(
        200,
        values.Whole(0, 1_000_000),
        "Generations of 200 images of fooling_direct and fooling_cppn; published: 1000 for MNIST.",
    )

    def check_together(self: Any) -> None:
        """Raises InputError where nonsense is given that nothing shows, or that is none."""
        if self.nonsense == NOISE:
            return
        if not (self.inside or "nonsense" in self.unusual):
            self.refuse("nonsense", f"{NOISE} without --inside or --unusual=nonsense")
        if self.nonsense == self.dataset:
            self.refuse("nonsense", "another data set than --dataset")
