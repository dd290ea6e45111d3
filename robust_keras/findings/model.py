"""Everything measured on one model."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from robust_keras.findings import check_names, fields
from robust_keras.findings.accuracies import check_accuracies
from robust_keras.findings.activations import ActivationReport
from robust_keras.findings.attack import AttackReport, WorstCaseReport
from robust_keras.findings.audit_check import AuditCheck
from robust_keras.findings.calibration import CalibrationReport
from robust_keras.findings.certified import CertifiedReport, SmoothedReport
from robust_keras.findings.classes import (
    ClassReport,
    TopFiveReport,
    check_answers,
    check_classes,
)
from robust_keras.findings.counter_attack import CounterAttackReport
from robust_keras.findings.example import ExampleReport
from robust_keras.findings.finding import Extensions, Finding, derived, field
from robust_keras.findings.kinds import (
    BOOLEAN,
    COUNT,
    FRACTION,
    INTERVAL,
    ListOf,
    OneOf,
)
from robust_keras.findings.layer import LayerReport
from robust_keras.findings.lipschitz import LipschitzReport
from robust_keras.findings.minimal_epsilon import MinimalEpsilonReport
from robust_keras.findings.pictures import PicturesReport
from robust_keras.findings.rejection import RejectionReport
from robust_keras.findings.short_name import short_name
from robust_keras.findings.targets import TargetsReport
from robust_keras.findings.unusual import UnusualReport
from robust_keras.strength import STRONG, strength

# From best to worst.
VERDICTS = ("quotable", "preliminary", "unreliable")
# More than this the audit's own attacks may not lower a number that is believed.
MUCH = 0.05


@dataclasses.dataclass(frozen=True, kw_only=True)
class ModelReport(Finding):
    """Everything measured on one model."""

    path: str = fields.text("the model that was loaded and attacked")
    format: str = field(OneOf("saved_model", "keras"), "how it was stored")
    clean_accuracy: float = fields.fraction("images classified correctly without attack")
    num_classes: int = fields.positive_count(
        "outputs of the model; those past the data set's own mean nonsense"
    )
    attacks: tuple[AttackReport, ...] = fields.parts(
        AttackReport, least=1, meaning="one object an attack, in the order in which they ran"
    )
    worst_case: WorstCaseReport = fields.part(WorstCaseReport, "the number to quote")
    audit: tuple[AuditCheck, ...] = fields.parts(AuditCheck, "one object a check")
    counter_attacks: tuple[CounterAttackReport, ...] = fields.parts(
        CounterAttackReport,
        "one object an attack of the audit's own that a failed check called for, in their order",
        default=(),
    )
    settled: tuple[str, ...] = fields.texts(
        "failed checks that counter-attacks went around until the last found nothing more, or next "
        "to nothing was left, or that no image was left for: the worst case holds all that is known"
    )
    seconds: float = fields.number(
        "time spent on this model: attacks, audit, smallest epsilons and unusual inputs"
    )
    name: str = fields.text(
        "short name, made of the path", otherwise=lambda model: short_name(model.path), default=""
    )
    parameters: int | None = fields.count("number of weights; null if unknown")
    sparsity: float | None = fields.fraction("zeros among the prunable weights; null if unknown")
    output_kind: str | None = field(
        OneOf("logits", "probabilities"), "what the model's own output is; null if unknown"
    )
    image_shape: tuple[int, ...] = field(
        ListOf(COUNT), "height, width, channels; empty if unknown", default=()
    )
    pixels: str = field(
        OneOf("0..1", "0..255", "-1..1", "caffe"),
        "what the model itself is shown (`--model_pixels`); images and epsilons are in [0, 1] "
        "whatever it is",
        default="0..1",
    )
    notes: tuple[str, ...] = fields.texts(
        "plain sentences on what is unusual about how the model was asked and its answers read"
    )
    examples: tuple[ExampleReport, ...] = fields.parts(
        ExampleReport, "adversarial examples that the page shows", default=()
    )
    layers: tuple[LayerReport, ...] = fields.parts(
        LayerReport,
        "what is known of the layers: with `--inside` all of it, else what train.py noted in an "
        "export",
        default=(),
    )
    rejection: RejectionReport | None = fields.part(
        RejectionReport, "what the model's rejection rule changes; null where it has none"
    )
    unusual: UnusualReport | None = fields.part(
        UnusualReport,
        "what the model made of unusual inputs; null where none were tried (`--unusual`)",
    )
    minimal_epsilon: MinimalEpsilonReport | None = fields.part(
        MinimalEpsilonReport,
        "how little changes the class; null without `--minimal_epsilon`, or where the attack needs "
        "gradients that the model lost",
    )
    per_class: tuple[ClassReport, ...] = fields.parts(
        ClassReport, "one object a class that has images; empty in an older report", default=()
    )
    confusion: tuple[tuple[int, ...], ...] | None = field(
        ListOf(ListOf(COUNT)),
        "for each class of the data set, how many of its images get each of the model's classes "
        "for an answer at the largest epsilon: the label's where every attack was survived, else "
        "that to the adversarial image. Answers that are not finite are in no cell. Null beyond "
        "65,536 cells, and in an older report",
    )
    top_five: TopFiveReport | None = fields.part(
        TopFiveReport,
        "the same with the five likeliest classes; null for a model of five classes or fewer",
    )
    certified: CertifiedReport | None = fields.part(
        CertifiedReport,
        "what is proved of the model, never more than the worst case; null without "
        "`--certify=bounds`, `complete` or `lipschitz`",
    )
    smoothed: SmoothedReport | None = fields.part(
        SmoothedReport,
        "what is proved of its most frequent answer under noise, which is another classifier; null "
        "without `--certify=smoothing`",
    )
    lipschitz: LipschitzReport | None = fields.part(
        LipschitzReport,
        "between which numbers its Lipschitz constant lies; null without `--inside`",
    )
    activations: tuple[ActivationReport, ...] | None = fields.parts(
        ActivationReport,
        "how the outputs of each activation move under attack; null without `--inside`, or where "
        "none is known",
    )
    calibration: CalibrationReport | None = fields.part(
        CalibrationReport,
        "how far confidences are the share of right answers; null without `--inside`",
    )
    pictures: PicturesReport | None = fields.part(
        PicturesReport, "what is drawn of its inside; null without `--inside`"
    )
    targets: TargetsReport | None = fields.part(
        TargetsReport, "which class can be made of which; null without `--target_class=all`"
    )
    outcomes: str | None = fields.text(
        "base64 of one byte an image, in their order: 0 where it is misclassified without attack, "
        "else 1 and how many of the epsilons, the smallest first, it survived. Null beyond 254 "
        "epsilons, and in an older report"
    )
    fingerprint: str | None = fields.text(
        "hash (BLAKE2b, 16 bytes) of its files and their names; null of a model in memory"
    )
    training: Mapping | None = fields.mapping(
        "settings of train.py that made it and are not the defaults, and those that always tell, "
        "from the `config.json` of the run that it lies in; null where there is none"
    )
    extensions: Mapping = field(
        Extensions("model"), "what registered sections found, by name", default_factory=dict
    )

    def check_together(self) -> None:
        check_classes(self.per_class, self.worst_case.accuracy)
        check_answers(self.confusion, self.num_classes)
        check_accuracies(self)

    @property
    def ran(self) -> tuple[AttackReport, ...]:
        """The attacks that ran."""
        return tuple(attack for attack in self.attacks if attack.skipped is None)

    @property
    def attacked(self) -> bool:
        """Whether anything attacked it: an attack that was asked for, or the audit's own."""
        return bool(self.ran) or any(made.skipped is None for made in self.counter_attacks)

    @property
    def skipped(self) -> tuple[AttackReport, ...]:
        """The attacks that did not run."""
        return tuple(attack for attack in self.attacks if attack.skipped is not None)

    @property
    def checked(self) -> tuple[AuditCheck, ...]:
        """The checks of the audit that were made."""
        return tuple(check for check in self.audit if check.passed is not None)

    @property
    def failed(self) -> tuple[AuditCheck, ...]:
        """The checks of the audit that failed."""
        return tuple(check for check in self.audit if check.passed is False)

    @property
    def corrected(self) -> bool:
        """Whether the audit had to correct the number, or to try."""
        return bool(self.settled and self.counter_attacks) or self.worst_case.lowered(MUCH)

    @property
    def strength(self) -> str:
        """How strong the attacks were that ran, a word of `robust_keras.strength`."""
        return strength(self.attacks)

    @property
    def measured(self) -> bool:
        """Whether there was a robustness to measure, and something measured it.

        Something attacked it at an epsilon above 0, on images that it classifies better than
        guessing.
        """
        return (
            self.attacked
            and self.clean_accuracy > 0.0
            and self.worst_case.epsilons[-1] > 0.0
            and check_names.CLEAN_ACCURACY not in {check.check for check in self.failed}
        )

    @derived(COUNT, "`clean_accuracy` as a number of images")
    def clean_correct(self, report: Any) -> int:
        return report.count(self.clean_accuracy)

    @derived(INTERVAL, "95 % Wilson interval of it")
    def clean_interval(self, report: Any) -> tuple[float, float]:
        return report.interval(self.clean_accuracy)

    @property
    @derived(
        FRACTION,
        "area under the worst case over epsilon, from the clean accuracy at 0 in straight lines "
        "to the largest epsilon, divided by this: the mean accuracy over all epsilons up to it",
    )
    def area(self) -> float:
        return self.worst_case.areas(self.clean_accuracy)[0]

    @property
    @derived(
        INTERVAL,
        "the least and the most that the same can be without straight lines, as accuracy never "
        "rises with epsilon",
    )
    def area_limits(self) -> tuple[float, float]:
        _, low, high = self.worst_case.areas(self.clean_accuracy)
        return low, high

    @property
    @derived(BOOLEAN, "whether the number as first measured could be believed, see below")
    def reliable(self) -> bool:
        """Whether the number, as the attacks first measured it, could be believed.

        Something was measured, the audit made at least one check, no check failed, and its own
        attacks lowered the number by little. A check fails where these found clearly more for so
        many images.
        """
        sound = self.measured and self.checked and not self.failed
        return bool(sound) and not self.worst_case.lowered(MUCH)

    @property
    @derived(OneOf(*VERDICTS), "what the headline is worth, see below")
    def verdict(self) -> str:
        """What the headline is worth: a word of `VERDICTS`.

        `unreliable`: nothing was measured, or no check was made, or one failed and counter-attacks
        could not go around what it found. `preliminary`: only weak or one-sided attacks support it,
        or the audit had to correct it, or doubts it though no image is left. `quotable`: the rest.
        """
        doubts = {check.check for check in self.failed} - {*check_names.OF_ATTACKS, *self.settled}
        if not self.measured or not self.checked or doubts:
            return "unreliable"
        return "quotable" if self.reliable and self.strength == STRONG else "preliminary"
