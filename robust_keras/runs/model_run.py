"""One model of an evaluation: attacked, then judged."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from robust_keras import engine
from robust_keras.attacks import ThreatModel
from robust_keras.attacks.attack import Attack
from robust_keras.audit.audit import audit
from robust_keras.audit.clean_checks import better_than_guessing
from robust_keras.data.datasets import ImageSplit
from robust_keras.engine.class_shares import class_reports, confusion, top_five
from robust_keras.engine.fitting_batch import halved
from robust_keras.engine.gallery import own_confidences
from robust_keras.engine.goal import goal
from robust_keras.engine.headline_examples import at_epsilon
from robust_keras.engine.journal import Journal, Unrecorded
from robust_keras.engine.price import cheapest_first
from robust_keras.engine.replicas import Replicas
from robust_keras.engine.results import AdversarialExample, Evaluation, PerImage
from robust_keras.engine.shares import attack_report, rejection_report, worst_case_report
from robust_keras.findings import ModelReport, outcomes
from robust_keras.notes.layer_facts import read_layer_facts
from robust_keras.notes.training_note import accuracy_in_training, read_training_note
from robust_keras.progress import RunProgress
from robust_keras.reporting import sections
from robust_keras.runs import certification, provenance
from robust_keras.runs.adversarial_images import of_other_models
from robust_keras.runs.evaluation_plan import model_parts
from robust_keras.runs.every_target import TITLE, every_target
from robust_keras.runs.first_look import first_look
from robust_keras.runs.fitted_models import meaningful_classes
from robust_keras.runs.inside_view import inside_parts, inside_view
from robust_keras.runs.minimal_evaluation import minimal_report
from robust_keras.runs.nonsense_set import NonsenseSet
from robust_keras.runs.training_settings import training_settings
from robust_keras.runs.unusual_inputs import unusual_inputs
from robust_keras.settings.config import EvaluateConfig
from robust_keras.settings.target import ALL
from robust_keras.time_left import Plan
from robust_keras.unusual.examination import examine

# Adversarial images are kept by themselves where all images take no more: 10,000 of MNIST.
_KEPT_BYTES = 2**25
# What runs before the audit and is no attack.
_BEFORE = (certification.TITLE, TITLE)


class ModelRun:
    """One model, first under attack and then before its judge.

    Args:
        replicas: `Replicas` of it.
        split: the `ImageSplit` that is attacked.
        images: its images, float32, which all models share.
        threat_model: `ThreatModel`.
        attacks: `Attack`s.
        config: an `EvaluateConfig`.
        journal: `Journal` or `Unrecorded`.
        foreign: the `NonsenseSet` to show as what it does not know, or None for noise.

    Attributes:
        found: the `Evaluation` that the attacks made, once they ran.
    """

    found: Evaluation

    def __init__(
        self,
        replicas: Replicas,
        split: ImageSplit,
        images: np.ndarray,
        threat_model: ThreatModel,
        attacks: Sequence[Attack],
        config: EvaluateConfig,
        journal: Journal | Unrecorded,
        foreign: NonsenseSet | None = None,
    ):
        self._replicas = replicas
        self._data = images, split.labels
        self._split = split
        self._threat_model = threat_model
        self._config = config
        self._attacks = attacks
        if config.survivors_only:
            self._attacks = cheapest_first(attacks, config.norm, split.image_shape)
        self._journal = journal
        self._foreign = foreign
        self._settings: dict[str, Any] = {
            "batch_size": config.batch_size,
            "seed": config.seed,
            "journal": journal,
        }
        self._certification = certification.Certification(replicas.first, config, journal)

    def plans(self) -> tuple[Plan, Plan]:
        """Up to the audit, and from there: what it goes through, and what its first passes tell."""
        classifier, config, split = self._replicas.first, self._config, self._split
        parts = self._certification.parts(len(split))
        parts += model_parts(self._attacks, self._threat_model, config, classifier, split)
        parts += inside_parts(config)
        look = first_look(classifier, split, config.norm, self._journal.now)
        first = [part for part in parts if part.attack or part.title in _BEFORE]
        return Plan(first, look), Plan([part for part in parts if part not in first], look)

    def attack(self, progress: RunProgress) -> None:
        """Proves what can be proved, and runs the attacks that were asked for."""
        self._fitting(self._attack, progress)

    def _fitting(self, run, *given):
        """`run(*given)`, again with half the batch where memory does not last.

        Attacks halve a batch by themselves; this is for all that lies around them.
        """

        def tried(size):
            if size != self._config.batch_size:
                self._config = dataclasses.replace(self._config, batch_size=size)
                self._settings["batch_size"] = size
                self._certification = certification.Certification(
                    self._replicas.first, self._config, self._journal
                )
            return run(*given)

        return halved(tried, self._config.batch_size)[0]

    def _attack(self, progress):
        start, data = self._journal.now(), self._data
        self._proofs = self._certification.prove(*data, progress)
        self._targets, wanted = self._every_target(*data, progress)
        self._tried = (*wanted, *self._proofs.attacks)
        self._aim = goal(
            self._config.wanted,
            *(self._replicas, *data),
            epsilons=len(self._threat_model.epsilons),
            batch_size=self._config.batch_size,
        )
        self.found = engine.evaluate(
            *(self._aim.replicas, self._aim.images, self._aim.labels),
            (*self._attacks, *self._tried),
            self._threat_model,
            progress=progress,
            sweep=self._config.sweep,
            survivors_only=self._config.survivors_only,
            survivors=self._aim.survivors,
            proved=self._proofs.images,
            keep_examples=self._config.keep_examples or data[0].nbytes <= _KEPT_BYTES,
            **self._settings,
        )
        self._seconds = self._journal.now() - start

    def judge(
        self, others: Sequence[Evaluation], progress: RunProgress
    ) -> tuple[ModelReport, list[AdversarialExample], PerImage]:
        """Audits what is left, and looks at what else is asked for.

        What fooled the `others`, the other models, is tried on this one.

        Returns:
            Its report, the examples to show, and the table of its images.
        """
        return self._fitting(self._judge, others, progress)

    def _judge(self, others, progress):
        start, data, model = self._journal.now(), self._data, self._replicas.first
        before, aim = self.found, self._aim
        with progress.part("audit"):
            judged = audit(
                *(aim.replicas.first, aim.images, aim.labels, before, self._threat_model),
                transferred=of_other_models(aim.images, [other.per_image for other in others]),
                tell=progress.attacks_again,
                **self._settings,
            )
        shown = self._shown(aim, judged.evaluation, self._tried)
        found = aim.told(judged.evaluation)
        checks = (*self._clean(found), *judged.checks, self._noted(found))
        asked = model, self._split, self._threat_model
        report = _model_report(*asked, found, before, judged, checks)
        found_elsewhere = {
            "certified": self._proofs.report,
            "targets": self._targets,
            "smoothed": self._certification.smooth(*data, progress),
            "minimal_epsilon": minimal_report(model, *data, self._config, self._journal, progress),
            "unusual": self._unusual(model.unscaled, *data, progress),
            **inside_view(
                *(model, *data, found),
                *(self._config, self._journal, progress, self._foreign),
            ),
            "extensions": {
                section.name: section.find(model, *data, found)
                for section in sections.registered("model")
            },
        }
        seconds = self._seconds + self._journal.now() - start
        report = dataclasses.replace(report, **found_elsewhere, seconds=seconds)
        return report, shown, found.per_image

    def _every_target(self, images, labels, progress):
        """A finding and the attack that counts what led to it, where every class is wanted."""
        if self._config.target_class != ALL:
            return None, ()
        given = self._replicas, images, labels, self._attacks, self._threat_model
        with progress.part(TITLE) as step:
            report, attack = every_target(*given, step=step, **self._settings)
        return report, (attack,)

    def _unusual(self, classifier, images, labels, progress):
        kinds = unusual_inputs(self._config, self._foreign)
        return examine(classifier, images, labels, kinds, progress=progress, **self._settings)

    def _shown(self, aim, found, tried):
        """The `AdversarialExample`s to show, at the epsilon of the headline."""
        given = aim.replicas.first, (*self._attacks, *tried), self._threat_model
        shown = aim.shown(at_epsilon(found.examples, *given, **self._settings))
        return own_confidences(shown, self._replicas.first)

    def _clean(self, found):
        """The audit's first check, which it leaves to who knows all classes of the model."""
        if self._config.wanted is None:
            return ()
        classes = meaningful_classes(self._replicas.first)
        return (better_than_guessing(found, self._split.labels, classes),)

    def _noted(self, found):
        """Whether the model does as well as train.py noted in it."""
        config, note = self._config, read_training_note(self._replicas.first.path)
        return accuracy_in_training(note, config.dataset, config.split, found.clean_correct)


def _model_report(classifier, split, threat_model, found, before, judged, checks):
    return ModelReport(
        path=str(classifier.path),
        format=classifier.format,
        clean_accuracy=found.clean_correct.mean(),
        num_classes=classifier.num_classes,
        attacks=[attack_report(result, classifier) for result in found.attacks],
        worst_case=worst_case_report(found, before, threat_model),
        audit=checks,
        counter_attacks=judged.counter_attacks,
        settled=judged.settled,
        seconds=0.0,
        parameters=classifier.parameters,
        sparsity=classifier.sparsity,
        output_kind=classifier.output_kind,
        pixels=classifier.pixels,
        notes=classifier.notes,
        image_shape=split.image_shape,
        layers=read_layer_facts(classifier),
        rejection=rejection_report(found, classifier.rejection),
        per_class=class_reports(found),
        outcomes=outcomes.encoded(found.clean_correct, found.worst_case),
        training=training_settings(classifier.path),
        fingerprint=provenance.files_hash(classifier.path),
        confusion=confusion(found, meaningful_classes(classifier), classifier.num_classes),
        top_five=top_five(found, threat_model.epsilons),
    )
