"""The part of a report that belongs to one model."""

import dataclasses

from robust_keras.reporting import parts, validation
from robust_keras.reporting.example_report import ExampleReport
from robust_keras.reporting.minimal_report import MinimalEpsilonReport
from robust_keras.reporting.rejection_report import RejectionReport
from robust_keras.reporting.unusual_report import UnusualReport
from robust_keras.strength import NONE, STRONG, strength

# From best to worst.
VERDICTS = ("quotable", "preliminary", "unreliable")
# The audit's names of the checks that the verdict must know.
CLEAN_ACCURACY, ATTACK_STRENGTH = "clean accuracy", "attack strength"


@dataclasses.dataclass(frozen=True, kw_only=True)
class ModelReport:
    """Everything measured on one model.

    Args:
        path: where the model lies, as on the command line.
        format: `saved_model` or `keras`.
        clean_accuracy: fraction in [0, 1] of the images classified correctly without attack.
        num_classes: number of outputs of the model, at least 1.
        attacks: `AttackReport`s, in the order in which they ran.
        worst_case: `WorstCaseReport`; never above the clean accuracy or any attack's accuracy.
        audit: `AuditReport`s.
        seconds: wall time spent on this model, at least 0.
        name: short name for titles; "" makes one of the path.
        parameters: number of weights, or None if unknown.
        sparsity: fraction in [0, 1] of the prunable weights that are zero, or None if unknown.
        output_kind: `logits`, `probabilities`, or None if unknown.
        image_shape: (height, width, channels), or () if unknown.
        pixels: what the model itself is shown, one of `parts.PIXELS`; images and epsilons are in
            [0, 1] whatever it is.
        notes: plain sentences on what is unusual about how the model is asked and read.
        examples: `ExampleReport`s of the adversarial examples that are shown.
        layers: `LayerReport`s, of what is known of the layers.
        rejection: `RejectionReport`, or None where the model rejects nothing.
        unusual: `UnusualReport`, or None where no unusual inputs were tried.
        minimal_epsilon: `MinimalEpsilonReport`, or None where that was not searched for.

    Raises:
        ValueError: if the parts do not fit together.
    """

    path: str
    format: str
    clean_accuracy: float
    num_classes: int
    attacks: tuple[parts.AttackReport, ...]
    worst_case: parts.WorstCaseReport
    audit: tuple[parts.AuditReport, ...]
    seconds: float
    name: str = ""
    parameters: int | None = None
    sparsity: float | None = None
    output_kind: str | None = None
    image_shape: tuple[int, ...] = ()
    pixels: str = "0..1"
    notes: tuple[str, ...] = ()
    examples: tuple[ExampleReport, ...] = ()
    layers: tuple[parts.LayerReport, ...] = ()
    rejection: RejectionReport | None = None
    unusual: UnusualReport | None = None
    minimal_epsilon: MinimalEpsilonReport | None = None

    def __post_init__(self):
        """Checks every field, then that they agree with each other."""
        validation.text("path", self.path)
        validation.one_of("format", self.format, parts.FORMATS)
        validation.one_of("pixels", self.pixels, parts.PIXELS)
        validation.members("worst_case", (self.worst_case,), parts.WorstCaseReport)
        parts.store(
            self,
            name=validation.text("name", self.name or short_name(self.path)),
            clean_accuracy=validation.fraction("clean_accuracy", self.clean_accuracy),
            num_classes=validation.integer("num_classes", self.num_classes, low=1),
            attacks=validation.members("attacks", self.attacks, parts.AttackReport),
            audit=validation.members("audit", self.audit, parts.AuditReport),
            seconds=validation.number("seconds", self.seconds),
            image_shape=validation.sequence("image_shape", self.image_shape, validation.integer),
            notes=validation.sequence("notes", self.notes, validation.text),
            examples=validation.members("examples", self.examples, ExampleReport),
            layers=validation.members("layers", self.layers, parts.LayerReport),
        )
        if self.parameters is not None:
            parts.store(self, parameters=validation.integer("parameters", self.parameters))
        if self.sparsity is not None:
            parts.store(self, sparsity=validation.fraction("sparsity", self.sparsity))
        if self.output_kind is not None:
            validation.one_of("output_kind", self.output_kind, parts.OUTPUT_KINDS)
        if self.rejection is not None:
            validation.members("rejection", (self.rejection,), RejectionReport)
        if self.unusual is not None:
            validation.members("unusual", (self.unusual,), UnusualReport)
        if self.minimal_epsilon is not None:
            validation.members("minimal_epsilon", (self.minimal_epsilon,), MinimalEpsilonReport)
        if not self.attacks:
            raise ValueError("`attacks` must hold at least one attack. Received: attacks=()")
        self._check_bounds()

    def _check_bounds(self):
        worst = self.worst_case.accuracy
        clean = (self.clean_accuracy,) * len(worst)
        _check_at_most("worst case", worst, "the clean accuracy", clean)
        for attack in self.attacks:
            if len(attack.accuracy) != len(worst):
                raise ValueError(
                    f"`accuracy` of {attack.name} must hold one number an epsilon, {len(worst)}. "
                    f"Received: {attack.accuracy}"
                )
            _check_at_most(attack.name, attack.accuracy, "the clean accuracy", clean)
            _check_at_most("worst case", worst, attack.name, attack.accuracy)
            if attack.skipped and min(attack.accuracy) < self.clean_accuracy - parts.TOLERANCE:
                raise ValueError(
                    f"{attack.name} was skipped, so its accuracy must be the clean accuracy "
                    f"{self.clean_accuracy}. Received: {attack.accuracy}"
                )

    @property
    def ran(self):
        """The attacks that ran."""
        return tuple(attack for attack in self.attacks if attack.skipped is None)

    @property
    def skipped(self):
        """The attacks that did not run."""
        return tuple(attack for attack in self.attacks if attack.skipped is not None)

    @property
    def checked(self):
        """The checks of the audit that were made."""
        return tuple(check for check in self.audit if check.passed is not None)

    @property
    def failed(self):
        """The checks of the audit that failed."""
        return tuple(check for check in self.audit if check.passed is False)

    @property
    def strength(self):
        """How strong the attacks were that ran, a word of `robust_keras.strength`."""
        return strength(self.attacks)

    @property
    def measured(self):
        """Whether there was a robustness to measure, and something measured it.

        An attack ran, at an epsilon above 0, on images that the model classifies better than
        guessing.
        """
        return (
            self.strength != NONE
            and self.clean_accuracy > 0.0
            and self.worst_case.epsilons[-1] > 0.0
            and CLEAN_ACCURACY not in {check.check for check in self.failed}
        )

    @property
    def reliable(self):
        """Whether the number, as the attacks first measured it, could be believed.

        Something was measured, the audit made at least one check, no check failed, and its own
        attacks found no more.
        """
        worst = self.worst_case
        lowered = any(
            a < b - parts.TOLERANCE for a, b in zip(worst.accuracy, worst.before_audit, strict=True)
        )
        return bool(self.measured and self.checked) and not self.failed and not lowered

    @property
    def verdict(self):
        """What the headline is worth: a word of `VERDICTS`.

        `unreliable`: nothing was measured, or a check failed, or none was made. `preliminary`: only
        weak or one-sided attacks support it, or the audit had to correct it. `quotable`: the rest.
        """
        doubts = {check.check for check in self.failed} - {ATTACK_STRENGTH}
        if not self.measured or not self.checked or doubts:
            return "unreliable"
        return "quotable" if self.reliable and self.strength == STRONG else "preliminary"


def _check_at_most(name, accuracy, limit_name, limit):
    if any(a > b + parts.TOLERANCE for a, b in zip(accuracy, limit, strict=True)):
        raise ValueError(
            f"{name} must not exceed {limit_name}: {limit}. Received: {name}={accuracy}"
        )


def short_name(path):
    """Gives the last telling part of a path: not a version number, `serving` or `model.keras`.

    Example:
        >>> short_name("runs/quickstart/serving/1")
        'quickstart'
    """
    pieces = [piece for piece in path.replace("\\", "/").split("/") if piece not in ("", ".", "..")]
    for piece in reversed(pieces):
        if not piece.isdigit() and piece not in ("serving", "model.keras"):
            return piece.removesuffix(".keras") or piece
    return pieces[-1] if pieces else path
