"""Runs attacks on a classifier and believes nothing that they return."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from robust_keras.attackable import Attackable
from robust_keras.attacks.acceptance import APGDAccepted
from robust_keras.attacks.attack import Attack, require, require_whole
from robust_keras.attacks.loops.fooled import correct
from robust_keras.attacks.loops.prediction import check_examples, predict, rejected
from robust_keras.attacks.loops.random_streams import generators
from robust_keras.attacks.threat_model import ThreatModel
from robust_keras.engine.image_findings import Findings
from robust_keras.engine.journal import Journal, Unrecorded
from robust_keras.engine.price import cheapest_first
from robust_keras.engine.replicas import Replicas
from robust_keras.engine.results import AttackResult, Evaluation
from robust_keras.engine.stage_run import StageRun
from robust_keras.engine.subject import Subject, falling
from robust_keras.engine.sweep import SWEEPS, stage_title, sweep_of
from robust_keras.strength import without_parts

__all__ = ["evaluate", "generators"]


def evaluate(
    classifier: Attackable | Replicas,
    images: np.ndarray,
    labels: np.ndarray,
    attacks: Sequence[Attack],
    threat_model: ThreatModel,
    *,
    batch_size: int,
    seed: int,
    **settings: Any,
) -> Evaluation:
    """Attacks every correctly classified image and reports which ones still are.

    An image counts as fooled by an attack only if its proposal, projected into the ball and the
    pixel range, is misclassified in a fresh forward pass. An image fooled at one epsilon counts as
    fooled at every larger one and is not attacked there again by the same attack. Epsilon 0 is the
    clean result. Attacks that need gradients are skipped on a classifier without them.

    Where the classifier has a rejection rule, a second account is kept beside the first: in it an
    image counts as fooled only if it is misclassified and accepted, and is attacked until it is.

    Args:
        classifier: a `serving.Classifier`, or anything with its `logits`, `image_shape`,
            `num_classes` and `gradient_error`; or `Replicas` of one.
        images: float array (images, height, width, channels) within the threat model's bounds.
        labels: int array (images,).
        attacks: `Attack`s, run in this order, each on all images, unless `survivors_only`.
        threat_model: `ThreatModel`.
        batch_size: images a pass, at most; the last batch is padded to one of few sizes.
        seed: whole number >= 0. The same seed gives bit-identical results on the same machine.
        **settings: those of `Settings`.

    Raises:
        InputError: images or labels that do not fit the classifier or the threat model, or an
            attack that is not for its norm.

    Example:
        >>> found = evaluate(classifier, images, labels, [PGD()], ThreatModel("linf", (0.1, 0.3)),
        ...                  batch_size=250, seed=0)
        >>> found.worst_case.shape  # epsilons, images
        (2, 20)
    """
    chosen = Settings(**settings)
    require_whole("batch_size", batch_size)
    require_whole("seed", seed, minimum=0)
    for attack in attacks:
        attack.check_threat_model(threat_model)
    replicas = classifier if isinstance(classifier, Replicas) else Replicas([classifier])
    images, labels = check_examples(replicas.first, images, labels, threat_model)
    subject = Subject(
        replicas=replicas,
        images=images,
        labels=labels,
        threat_model=threat_model,
        batch_size=min(batch_size, len(images)),
        seed=seed,
        journal=chosen.journal,
        known=chosen.proved,
    )
    return _Evaluation(subject, chosen).run(attacks)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Settings:
    """What may be said about an evaluation besides what is attacked how.

    Args:
        progress: called as `progress(attack_name, epsilon, done, total, robust_accuracy)`, `total`
            the images attacked at this epsilon, after every batch; a cascade adds the stage's name.
            With `sweep="bisection"` epsilon may be None: `done` images' epsilons are found.
        survivors: None, or a bool array (epsilons, images) of what attacks outside this evaluation
            left: only those images are attacked, all others count as fallen.
        proved: None, or a bool array (epsilons, images), never rising with epsilon: images whose
            class is proved to be their label there, which are not attacked and count as robust.
        sweep: "every", each attack at every epsilon; or "bisection", which looks for the smallest
            epsilon of each image and costs little more than one epsilon or two. An attack that
            bisects, as `quick` does, always takes the second.
        survivors_only: whether each attack meets only the images that those before it left, the
            cheapest first. Its result then tells what is left so far.
        keep_examples: whether all adversarial images are kept in `Evaluation.per_image`.
        journal: `Journal` of the batches that are done, so that a killed evaluation can go on.

    Raises:
        ValueError: a sweep of another name.
    """

    progress: object = None
    survivors: np.ndarray | None = None
    proved: np.ndarray | None = None
    sweep: str = "every"
    survivors_only: bool = False
    keep_examples: bool = False
    journal: Journal | Unrecorded = dataclasses.field(default_factory=Unrecorded)

    def __post_init__(self):
        require(self.sweep in SWEEPS, "sweep", f"one of {', '.join(SWEEPS)}", self.sweep)


class _Evaluation:
    """One evaluation under way.

    `robust` is what the next attack begins with, bool (2, epsilons, images), see `StageRun`.
    """

    def __init__(self, subject, settings):
        self._subject = subject
        self._settings = settings
        images, labels = subject.images, subject.labels
        logits = predict(subject.replicas.first, images, subject.batch_size)
        self._findings = Findings(
            images, labels, logits, subject.threat_model, settings.keep_examples
        )
        self._correct = correct(logits, labels)
        self._accepted = ~rejected(subject.replicas.first, images, subject.batch_size)
        clean = np.stack([self._correct, self._correct & self._accepted])
        shape = len(subject.threat_model.epsilons), len(images)
        self._robust = clean[:, np.newaxis] & _survivors(settings.survivors, shape)

    def run(self, attacks):
        """The `Evaluation` of all attacks, one after the other."""
        if self._settings.survivors_only:
            subject = self._subject
            shape = subject.images.shape[1:]
            attacks = cheapest_first(attacks, subject.threat_model.norm, shape)
        results = tuple(self._attack(number, attack) for number, attack in enumerate(attacks))
        worst_case = np.array(self._robust)
        for result in results:
            worst_case[0] &= result.robust
        per_image = self._findings.per_image()
        if self._settings.proved is not None:
            per_image = dataclasses.replace(per_image, proved=self._largest_proved())
        evaluation = Evaluation(
            self._correct,
            results,
            worst_case[0],
            self._findings.examples(),
            per_image=per_image,
            survivors_only=self._settings.survivors_only,
        )
        if not self._subject.has_rule:
            return evaluation
        for result in results:
            worst_case[1] &= result.robust_with_rejection
        return dataclasses.replace(
            evaluation, clean_accepted=self._accepted, worst_case_with_rejection=worst_case[1]
        )

    def _largest_proved(self):
        """The largest epsilon at which each image is proved, NaN where there is none."""
        epsilons = np.array([np.nan, *self._subject.threat_model.epsilons])
        return epsilons[self._subject.proved.sum(axis=0)]

    def _attack(self, number, attack):
        """The `AttackResult` of one attack on all images at all epsilons."""
        subject = self._subject
        robust = np.array(self._robust)
        runs = [
            StageRun(
                subject=subject,
                stage=stage,
                attack=attack.name,
                title=stage_title(attack, stage),
                place=(number, place),
                skipped=self._reason(stage),
                robust=robust,
                findings=self._findings,
                progress=self._settings.progress,
            )
            for place, stage in enumerate(_stages(attack, subject))
        ]
        sweep = sweep_of(attack, subject.threat_model, self._settings.sweep)
        SWEEPS[sweep]([run for run in runs if run.skipped is None])
        if self._settings.survivors_only:
            self._robust &= robust
        return _result(attack, runs, robust[0], robust[1] if subject.has_rule else None)

    def _reason(self, stage):
        """Why an attack cannot run on this classifier, or None."""
        return self._subject.replicas.first.gradient_error if stage.needs_gradient else None


def _stages(attack, subject):
    """The attacks that an attack consists of; a cascade on a model that rejects aims at that too.

    What only changes the class is often rejected, and then fools nobody in the second account.
    """
    stages = attack.stages(subject.threat_model.norm)
    if not (attack.cascade and subject.has_rule) or any(s.aims_at_rule for s in stages):
        return stages
    return (*stages, APGDAccepted())


def _result(attack, runs, robust, robust_with_rejection=None):
    """The `AttackResult` of all stages together.

    Args:
        attack: the `Attack`.
        runs: a `StageRun` a stage. The attack did not run only if none of them did.
        robust: bool array (epsilons, images), what they left.
        robust_with_rejection: the same where what is rejected does not count, or None.
    """
    stages = tuple(run.result() for run in runs)
    reasons = [stage.skipped for stage in stages]
    return AttackResult(
        name=attack.name,
        kind=attack.kind,
        strength=without_parts(attack.strength) if any(reasons) else attack.strength,
        settings=attack.settings(),
        robust=robust,
        seconds=sum(stage.seconds for stage in stages),
        gradient_evaluations=sum(stage.gradient_evaluations for stage in stages),
        forward_evaluations=sum(stage.forward_evaluations for stage in stages),
        skipped=reasons[0] if all(reasons) else None,
        robust_with_rejection=robust_with_rejection,
        stages=stages if attack.cascade else (),
        aims_at_rule=any(run.stage.aims_at_rule for run in runs if run.skipped is None),
    )


def _survivors(survivors, shape):
    return falling(np.ones(shape, bool) if survivors is None else survivors, shape, "survivors")
