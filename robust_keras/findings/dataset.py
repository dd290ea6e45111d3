"""What was attacked, and what the attacker may do."""

import dataclasses

from robust_keras.findings import fields
from robust_keras.findings.finding import Finding, field
from robust_keras.findings.kinds import Integer, ListOf, Number, OneOf


@dataclasses.dataclass(frozen=True, kw_only=True)
class NonsenseReport(Finding):
    """Images of another data set that were shown as nonsense."""

    name: str = fields.text("data set, as on the command line")
    split: str = fields.text("split of it")
    images: int = fields.positive_count("number of its images")
    fitting: str | None = fields.text(
        "how they were brought into the shape of the images attacked; null: they had it"
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class DatasetReport(Finding):
    """The images that were attacked."""

    name: str = fields.text("data set, as on the command line")
    split: str = fields.text("split of it, as on the command line: `test`, `train` or `all`")
    examples: int = fields.positive_count(
        "number of images attacked; every accuracy is a whole number of images over this one"
    )
    num_classes: int = field(Integer(2), "classes of the data set. Chance is 1 / `num_classes`")
    class_names: tuple[str, ...] = fields.texts("one name a class, or empty")
    notes: tuple[str, ...] = fields.texts(
        "what was read how from the user's own files, a sentence each; see [data.md](data.md)",
        default=(),
    )

    fingerprint: str | None = fields.text(
        "hash (BLAKE2b, 16 bytes) of the shape, the images as float32 and the labels; null if "
        "unknown"
    )
    nonsense: NonsenseReport | None = fields.part(
        NonsenseReport,
        "`--nonsense`: images of another data set, shown in place of noise as what the models do "
        "not know; null: noise",
    )

    def check_together(self) -> None:
        if self.class_names and len(self.class_names) != self.num_classes:
            raise ValueError(
                f"`class_names` must hold {self.num_classes} names or none. "
                f"Received: {len(self.class_names)} names"
            )


@dataclasses.dataclass(frozen=True, kw_only=True)
class ThreatModelReport(Finding):
    """What the attacker may do: move an image by at most epsilon in a norm, within pixel bounds."""

    norm: str = field(
        OneOf("linf", "l2"),
        "`linf`: no pixel value moves further than epsilon. `l2`: the Euclidean length of the "
        "whole change is at most epsilon",
    )
    epsilons: tuple[float, ...] = field(
        ListOf(Number()), "strictly increasing, in pixel units; for `linf` at most 1"
    )
    bounds: tuple[float, float] = field(
        ListOf(Number(low=float("-inf"))),
        "two: lowest and highest pixel value of an adversarial image",
        default=(0.0, 1.0),
    )

    target_class: int | None = fields.count(
        "`--target_class`: an image counts as fooled only if it is answered with this class; "
        "images of the class are left out, and one that is misclassified without attack is not "
        "attacked. Null where any wrong answer counts"
    )

    def check_together(self) -> None:
        epsilons, bounds = self.epsilons, self.bounds
        if self.norm == "linf":
            ListOf(Number(high=1.0)).checked("epsilons", epsilons)
        rising = all(a < b for a, b in zip(epsilons, epsilons[1:], strict=False))
        if not epsilons or not rising:
            raise ValueError(
                f"`epsilons` must be strictly increasing, one or more. Received: {epsilons}"
            )
        if len(bounds) != 2 or bounds[0] >= bounds[1]:
            raise ValueError(f"`bounds` must be (low, high), low < high. Received: bounds={bounds}")
