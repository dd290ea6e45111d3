"""One evaluation: models and images in, report out."""

import dataclasses
from collections.abc import Sequence

from robust_keras import data, distribution, engine
from robust_keras.attacks import ThreatModel, registry
from robust_keras.attacks.attack import Attack
from robust_keras.audit.audit import audit
from robust_keras.audit.clean_checks import better_than_guessing
from robust_keras.data.datasets import ImageSplit
from robust_keras.engine.class_shares import class_reports, confusion, top_five
from robust_keras.engine.gallery import own_confidences
from robust_keras.engine.goal import check_aims, goal
from robust_keras.engine.headline_examples import at_epsilon
from robust_keras.engine.journal import Journal, Unrecorded
from robust_keras.engine.price import cheapest_first
from robust_keras.engine.results import AdversarialExample, PerImage
from robust_keras.engine.shares import (
    attack_report,
    rejection_report,
    worst_case_report,
)
from robust_keras.findings import DatasetReport, ModelReport, Report, ThreatModelReport, outcomes
from robust_keras.notes.layer_facts import read_layer_facts
from robust_keras.notes.training_note import accuracy_in_training, read_training_note
from robust_keras.progress import RunProgress
from robust_keras.reporting import sections
from robust_keras.runs.adversarial_images import given_examples
from robust_keras.runs.certification import Certification
from robust_keras.runs.evaluation_plan import model_parts, parts_after
from robust_keras.runs.every_target import TITLE, every_target
from robust_keras.runs.first_look import first_look
from robust_keras.runs.fitted_models import FittedModels, fitted, meaningful_classes
from robust_keras.runs.inside_view import inside_parts, inside_view
from robust_keras.runs.minimal_evaluation import minimal_attack, minimal_report
from robust_keras.runs.model_loading import in_the_models_order, load_models, refuse_twins
from robust_keras.runs.plugins import load_plugins
from robust_keras.runs.target import attacked_images
from robust_keras.runs.training_settings import training_settings
from robust_keras.runs.transfer_evaluation import transfer_attack, transfer_report
from robust_keras.runs.unusual_inputs import unusual_inputs
from robust_keras.settings.config import EvaluateConfig
from robust_keras.settings.target import ALL
from robust_keras.time_left import Plan, TimeLeft
from robust_keras.unusual.examination import examine

# Which images are attacked never depends on the run's seed: a seed must not be able to choose easy
# ones.
IMAGE_SEED = 0
# Adversarial images are kept by themselves where all images take no more: 10,000 of MNIST.
_KEPT_BYTES = 2**25


def evaluate(
    config: EvaluateConfig,
    *,
    command: str = "",
    journal: Journal | None = None,
    progress: RunProgress | None = None,
) -> tuple[Report, dict[str, list[AdversarialExample]], dict[str, PerImage]]:
    """Attacks every model of the config on the same images.

    Args:
        config: an `EvaluateConfig`.
        command: the command line, for the report.
        journal: `engine.Journal` that the evaluation goes on from, or None.
        progress: `RunProgress` that goes on when this is done with, or None for one of its own.

    Returns:
        `(report, examples, tables)`: a `Report`, a dict from a model's name to its
        `AdversarialExample`s, and one to its table of all images, `PerImage`.

    Raises:
        InputError: a model or the data set cannot be used, or they do not fit together.
    """
    if progress is None:
        with RunProgress() as progress:
            return evaluate(config, command=command, journal=journal, progress=progress)
    load_plugins(config.plugins)
    attacks = [registry.named(name) for name in config.attacks]
    # What cannot run is refused before models are loaded.
    if config.transfer:
        transfer_attack(config)
    if config.minimal_epsilon:
        minimal_attack(config)
    copies, dataset = _load_all(config)
    split = dataset.part(config.split).take(config.examples, IMAGE_SEED)
    names = tuple(str(replicas.first.path) for replicas in copies)
    models = fitted(names, copies, dataset, config)
    return attack_models(models, split, attacks, config, command, journal, progress)


def attack_models(
    models: FittedModels,
    split: ImageSplit,
    attacks: Sequence[Attack],
    config: EvaluateConfig,
    command: str,
    journal: Journal | None,
    progress: RunProgress,
) -> tuple[Report, dict[str, list[AdversarialExample]], dict[str, PerImage]]:
    """Attacks models that are loaded, audits what is left and looks at what else is asked for.

    Args:
        models: `FittedModels`.
        split: the `ImageSplit` to attack.
        attacks: `Attack`s.
        config: an `EvaluateConfig`, whose paths, data set and attacks' names are only reported.
        command: as for `evaluate`.
        journal: the same.
        progress: `RunProgress`.

    Returns:
        As `evaluate`.
    """
    copies, dataset = models.copies, models.dataset
    threat_model = ThreatModel(config.norm, config.epsilons)
    split, left_out = attacked_images(config, split, dataset)
    given, refused = given_examples(config, split.float_images(), threat_model)
    attacks, notes = [*attacks, *given], (*left_out, *refused)
    if config.target_class is not None:
        check_aims(attacks, config.norm)
    record: Journal | Unrecorded = Unrecorded() if journal is None else journal
    reports, examples, tables = [], {}, {}
    runs = [_ModelRun(r, split, threat_model, attacks, config, record) for r in copies]
    progress.follow(
        TimeLeft(
            [run.plan() for run in runs],
            len(split),
            record.now,
            after=parts_after(config, len(copies), split),
            survivors_only=config.survivors_only,
            batch_size=config.batch_size,
        )
    )
    for name, run in zip(models.names, runs, strict=True):
        with progress.model(name):
            model, examples[name], tables[name] = run.attack(progress)
        reports.append(dataclasses.replace(model, path=name))
    transfer = transfer_report(
        config,
        {name: r.first for name, r in zip(models.names, copies, strict=True)},
        dataset,
        split,
        threat_model,
        record,
        progress,
    )
    report = Report(
        dataset=_dataset_report(config, dataset, split, notes),
        threat_model=_threat_model_report(threat_model, config),
        models=tuple(reports),
        seed=config.seed,
        attacker_temperature=config.attacker_temperature,
        expectation_samples=config.expectation_samples,
        survivors_only=config.survivors_only,
        command=command,
        transfer=transfer,
    )
    extensions = {s.name: s.find_in(report) for s in sections.registered("report")}
    return dataclasses.replace(report, extensions=extensions), examples, tables


def _load_all(config):
    """The models that a config names, and the data set in the order of their classes."""
    devices = distribution.devices(config.distribute)
    refuse_twins(config.models)
    dataset = in_the_models_order(data.load(config.dataset, config.data_dir), config.models)
    part = dataset.part(config.split)
    if config.substitute:
        dataset.beyond(config.split)
    copies = load_models(config, part, dataset.num_classes, devices=devices, seed=IMAGE_SEED)
    return copies, dataset


def _dataset_report(config, dataset, split, notes):
    return DatasetReport(
        name=config.dataset,
        split=config.split,
        examples=len(split),
        num_classes=dataset.num_classes,
        class_names=dataset.class_names,
        notes=(*dataset.notes, *notes),
    )


def _threat_model_report(threat_model, config):
    return ThreatModelReport(**dataclasses.asdict(threat_model), target_class=config.wanted)


class _ModelRun:
    """One model under attack."""

    def __init__(self, replicas, split, threat_model, attacks, config, journal):
        self._replicas = replicas
        self._split = split
        self._threat_model = threat_model
        self._config = config
        self._attacks = attacks
        if config.survivors_only:
            self._attacks = cheapest_first(attacks, config.norm, split.image_shape)
        self._settings = {
            "batch_size": config.batch_size,
            "seed": config.seed,
            "journal": journal,
        }
        self._certification = Certification(replicas.first, config, journal)

    def plan(self):
        """What it goes through, and what its first passes tell of the time that this takes."""
        classifier, config, split = self._replicas.first, self._config, self._split
        parts = self._certification.parts(len(split))
        parts += model_parts(self._attacks, self._threat_model, config, classifier, split)
        parts += inside_parts(config, len(split))
        look = first_look(classifier, split, config.norm, self._settings["journal"].now)
        return Plan(parts, look)

    def attack(self, progress):
        """Its `ModelReport`, the `AdversarialExample`s to show, and the table of its images."""
        journal, model = self._settings["journal"], self._replicas.first
        start = journal.now()
        data = self._split.float_images(), self._split.labels
        proved, certified = self._certification.prove(*data, progress)
        targets, tried = self._every_target(*data, progress)
        aim = goal(
            self._config.wanted,
            *(self._replicas, *data),
            epsilons=len(self._threat_model.epsilons),
            batch_size=self._config.batch_size,
        )
        found = engine.evaluate(
            *(aim.replicas, aim.images, aim.labels),
            (*self._attacks, *tried),
            self._threat_model,
            progress=progress,
            sweep=self._config.sweep,
            survivors_only=self._config.survivors_only,
            survivors=aim.survivors,
            proved=proved,
            keep_examples=self._config.keep_examples or data[0].nbytes <= _KEPT_BYTES,
            **self._settings,
        )
        with progress.part("audit"):
            given = aim.replicas.first, aim.images, aim.labels, found, self._threat_model
            judged = audit(*given, **self._settings, tell=progress.attacks_again)
        before, shown = found, self._shown(aim, judged.evaluation, tried)
        found = aim.told(judged.evaluation)
        checks = (*self._clean(found), *judged.checks, self._noted(found))
        asked = model, self._split, self._threat_model
        report = _model_report(*asked, found, before, judged, checks)
        found_elsewhere = {
            "certified": certified,
            "targets": targets,
            "smoothed": self._certification.smooth(*data, progress),
            "minimal_epsilon": minimal_report(model, *data, self._config, journal, progress),
            "unusual": self._unusual(model.unscaled, *data, progress),
            **inside_view(model, *data, found, self._config, journal, progress),
            "extensions": {
                section.name: section.find(model, *data, found)
                for section in sections.registered("model")
            },
        }
        report = dataclasses.replace(report, **found_elsewhere, seconds=journal.now() - start)
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
        kinds = unusual_inputs(self._config)
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
        confusion=confusion(found, meaningful_classes(classifier), classifier.num_classes),
        top_five=top_five(found, threat_model.epsilons),
    )
