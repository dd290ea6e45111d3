"""The parts of a report: plain values, checked when they are made."""

import dataclasses
from collections.abc import Mapping

from robust_keras.reporting import validation

FORMATS = ("saved_model", "keras")
NORMS = ("linf", "l2")
OUTPUT_KINDS = ("logits", "probabilities")
KINDS = ("noise", "score", "decision", "sparse", "one_step", "iterative")
PIXELS = ("0..1", "0..255", "-1..1", "caffe")

# Two accuracies of the same images may differ by rounding, float32 means included.
TOLERANCE = 1e-6


def store(part, **values):
    """Sets checked values on a frozen dataclass while it is being made."""
    for name, value in values.items():
        object.__setattr__(part, name, value)


@dataclasses.dataclass(frozen=True, kw_only=True)
class DatasetReport:
    """The images that were attacked.

    Args:
        name: data set, as on the command line.
        split: split of it, as on the command line.
        examples: number of images attacked, at least 1.
        num_classes: number of classes of the data set, at least 2; chance is 1 / num_classes.
        class_names: nothing, or one name a class.
        notes: what was read how from the user's files, a sentence each.
    """

    name: str
    split: str
    examples: int
    num_classes: int
    class_names: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def __post_init__(self):
        """Checks every field."""
        validation.text("name", self.name)
        validation.text("split", self.split)
        num_classes = validation.integer("num_classes", self.num_classes, low=2)
        names = validation.sequence("class_names", self.class_names, validation.text)
        if names and len(names) != num_classes:
            raise ValueError(
                f"`class_names` must hold {num_classes} names or none. Received: {len(names)} names"
            )
        examples = validation.integer("examples", self.examples, low=1)
        notes = validation.sequence("notes", self.notes, validation.text)
        store(self, examples=examples, num_classes=num_classes, class_names=names, notes=notes)


@dataclasses.dataclass(frozen=True, kw_only=True)
class ThreatModelReport:
    """What the attacker may do: move an image by at most epsilon in a norm, within pixel bounds.

    Args:
        norm: `linf` (no pixel moves further than epsilon) or `l2` (Euclidean length of the change).
        epsilons: strictly increasing radii in pixel units, at least 0, for `linf` at most 1.
        bounds: lowest and highest pixel value.
    """

    norm: str
    epsilons: tuple[float, ...]
    bounds: tuple[float, float] = (0.0, 1.0)

    def __post_init__(self):
        """Checks every field."""
        validation.one_of("norm", self.norm, NORMS)
        limits = {"high": 1.0} if self.norm == "linf" else {}
        epsilons = validation.sequence("epsilons", self.epsilons, validation.number, **limits)
        rising = all(a < b for a, b in zip(epsilons, epsilons[1:], strict=False))
        if not epsilons or not rising:
            raise ValueError(
                f"`epsilons` must be strictly increasing, one or more. Received: {epsilons}"
            )
        bounds = validation.sequence("bounds", self.bounds, validation.number, low=float("-inf"))
        if len(bounds) != 2 or bounds[0] >= bounds[1]:
            raise ValueError(f"`bounds` must be (low, high), low < high. Received: bounds={bounds}")
        store(self, epsilons=epsilons, bounds=bounds)


@dataclasses.dataclass(frozen=True, kw_only=True)
class AttackReport:
    """One attack on one model.

    Args:
        name: attack, as on the command line.
        settings: every setting of it.
        accuracy: per epsilon, the fraction in [0, 1] of all images that are classified correctly
            both without the attack and after it.
        seconds: wall time over all images and epsilons.
        gradient_evaluations: gradients of one image each, over all images and epsilons.
        forward_evaluations: forward passes of one image each, over all images and epsilons.
        kind: `noise`, `score`, `decision`, `sparse`, `one_step` or `iterative`; None if unknown.
        skipped: why the attack did not run, or None if it ran. An attack that did not run fooled
            no image, so its accuracy is the clean accuracy; it says nothing about robustness.
        accuracy_with_rejection: per epsilon, the same where a rejected adversarial image is no
            success of the attack and a rejected clean image none of the model; None where the model
            rejects nothing.
    """

    name: str
    settings: Mapping
    accuracy: tuple[float, ...]
    seconds: float
    gradient_evaluations: int
    forward_evaluations: int
    kind: str | None = None
    skipped: str | None = None
    accuracy_with_rejection: tuple[float, ...] | None = None

    def __post_init__(self):
        """Checks every field."""
        validation.text("name", self.name)
        if self.kind is not None:
            validation.one_of("kind", self.kind, KINDS)
        if self.skipped is not None:
            validation.text("skipped", self.skipped)
        if self.accuracy_with_rejection is not None:
            name = "accuracy_with_rejection"
            value = validation.sequence(name, self.accuracy_with_rejection, validation.fraction)
            store(self, accuracy_with_rejection=value)
        store(
            self,
            settings=validation.mapping("settings", self.settings),
            accuracy=validation.sequence("accuracy", self.accuracy, validation.fraction),
            seconds=validation.number("seconds", self.seconds),
            gradient_evaluations=validation.integer(
                "gradient_evaluations", self.gradient_evaluations
            ),
            forward_evaluations=validation.integer("forward_evaluations", self.forward_evaluations),
        )


@dataclasses.dataclass(frozen=True, kw_only=True)
class WorstCaseReport:
    """Accuracy where an image counts only if it survived every attack.

    Args:
        epsilons: the threat model's epsilons.
        accuracy: one fraction in [0, 1] an epsilon, never rising.
        before_audit: what the attacks alone had left, never below `accuracy`; the same, if not
            given.
    """

    epsilons: tuple[float, ...]
    accuracy: tuple[float, ...]
    before_audit: tuple[float, ...] | None = None

    def __post_init__(self):
        """Checks every field."""
        epsilons = validation.sequence("epsilons", self.epsilons, validation.number)
        given = {"accuracy": self.accuracy, "before_audit": self.before_audit}
        if self.before_audit is None:
            given["before_audit"] = self.accuracy
        for name, values in given.items():
            values = validation.sequence(name, values, validation.fraction)
            if len(epsilons) != len(values):
                raise ValueError(
                    f"`{name}` must hold one number an epsilon, {len(epsilons)}. Received: {values}"
                )
            if any(b > a + TOLERANCE for a, b in zip(values, values[1:], strict=False)):
                raise ValueError(f"worst case must not rise with epsilon. Received: {values}")
            store(self, **{name: values})
        if any(a > b + TOLERANCE for a, b in zip(self.accuracy, self.before_audit, strict=True)):
            raise ValueError(
                f"`accuracy` must not exceed `before_audit` {self.before_audit}. "
                f"Received: {self.accuracy}"
            )
        store(self, epsilons=epsilons)


@dataclasses.dataclass(frozen=True, kw_only=True)
class AuditReport:
    """One check for the known ways in which a robust accuracy comes out too high.

    Args:
        check: name of the check.
        passed: whether nothing was found; None where the check could not be made.
        message: one sentence for the reader.
        evidence: the numbers behind it.
    """

    check: str
    passed: bool | None
    message: str
    evidence: Mapping = dataclasses.field(default_factory=dict)

    def __post_init__(self):
        """Checks every field."""
        validation.text("check", self.check)
        validation.text("message", self.message)
        if self.passed is not None:
            store(self, passed=validation.boolean("passed", self.passed))
        store(self, evidence=validation.mapping("evidence", self.evidence))

    @property
    def result(self):
        """`passed`, `failed` or `not checked`."""
        return {True: "passed", False: "failed", None: "not checked"}[self.passed]


@dataclasses.dataclass(frozen=True, kw_only=True)
class LayerReport:
    """One layer of which a slope or a gradient is known.

    Args:
        name: the layer's name.
        largest_slope: of a kernel activation, over all channels and inputs; None if unknown.
        gradient_norm: of the training loss by the layer's weights after the last epoch; None if
            unknown.
    """

    name: str
    largest_slope: float | None = None
    gradient_norm: float | None = None

    def __post_init__(self):
        """Checks every field."""
        validation.text("name", self.name)
        for name in ("largest_slope", "gradient_norm"):
            if getattr(self, name) is not None:
                store(self, **{name: validation.number(name, getattr(self, name))})
