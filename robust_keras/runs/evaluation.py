"""One evaluation: models and images in, report out."""

import dataclasses
from collections.abc import Sequence

from robust_keras import data, distribution
from robust_keras.attacks import ThreatModel, registry
from robust_keras.attacks.attack import Attack
from robust_keras.data.datasets import ImageSplit
from robust_keras.engine.fitting_batch import bounded_batch, fitting_batch, halved
from robust_keras.engine.goal import check_aims
from robust_keras.engine.journal import Journal, Unrecorded
from robust_keras.engine.results import AdversarialExample, PerImage
from robust_keras.findings import DatasetReport, Report, ThreatModelReport
from robust_keras.progress import RunProgress
from robust_keras.reporting import sections
from robust_keras.runs import provenance, shared_evaluation
from robust_keras.runs.adversarial_images import given_examples
from robust_keras.runs.evaluation_plan import parts_after
from robust_keras.runs.fitted_models import FittedModels, fitted
from robust_keras.runs.minimal_evaluation import minimal_attack
from robust_keras.runs.model_loading import in_the_models_order, load_models, refuse_twins
from robust_keras.runs.model_run import ModelRun
from robust_keras.runs.nonsense_set import nonsense_set
from robust_keras.runs.plugins import load_plugins
from robust_keras.runs.target import attacked_images
from robust_keras.runs.transfer_evaluation import transfer_attack, transfer_report
from robust_keras.settings.config import EvaluateConfig
from robust_keras.time_left import TimeLeft

# Which images are attacked never depends on the run's seed: a seed must not be able to choose easy
# ones.
IMAGE_SEED = 0


def evaluate(
    config: EvaluateConfig,
    *,
    command: str = "",
    journal: Journal | Unrecorded | None = None,
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
    shared_evaluation.check(config, copies)
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
    journal: Journal | Unrecorded | None,
    progress: RunProgress,
) -> tuple[Report, dict[str, list[AdversarialExample]], dict[str, PerImage]]:
    """Attacks models that are loaded, audits what is left and looks at what else is asked for.

    Of the config paths, data set and attacks' names are only reported.

    Returns:
        As `evaluate`.
    """
    copies, dataset = models.copies, models.dataset
    threat_model = ThreatModel(config.norm, config.epsilons)
    split, left_out = attacked_images(config, split, dataset)
    record: Journal | Unrecorded = Unrecorded() if journal is None else journal
    # Once for all models: as numbers they take four times as much memory as bytes.
    images = split.float_images()
    config = _with_batch_size(config, copies, images, record)
    given, refused = given_examples(config, images, threat_model)
    attacks, notes = [*attacks, *given], (*left_out, *refused)
    if config.target_class is not None:
        check_aims(attacks, config.norm)
    reports, examples, tables = [], {}, {}
    foreign = nonsense_set(config, split.image_shape, len(split), IMAGE_SEED)
    asked = split, images, threat_model, attacks, config, record, foreign
    runs = [ModelRun(replicas, *asked) for replicas in copies]
    progress.follow(_time_left(runs, split, config, record))
    # All are attacked before the first is judged: what fooled one of them is tried on the others.
    for name, run in zip(models.names, runs, strict=True):
        with progress.model(name):
            run.attack(progress)
    for name, run in zip(models.names, runs, strict=True):
        others = [other.found for other in runs if other is not run]
        with progress.model(name):
            model, examples[name], tables[name] = run.judge(others, progress)
        reports.append(dataclasses.replace(model, path=name))
    firsts = {name: r.first for name, r in zip(models.names, copies, strict=True)}

    def transferred(size):
        fitting = dataclasses.replace(config, batch_size=size)
        return transfer_report(fitting, firsts, dataset, split, threat_model, record, progress)

    transfer, _ = halved(transferred, config.batch_size)
    report = Report(
        dataset=_dataset_report(config, dataset, split, images, notes, foreign),
        threat_model=_threat_model_report(threat_model, config),
        models=tuple(reports),
        seed=config.seed,
        attacker_temperature=config.attacker_temperature,
        expectation_samples=config.expectation_samples,
        survivors_only=config.survivors_only,
        command=command,
        transfer=transfer,
        resolved_settings=provenance.resolved_settings(config),
        hardware=provenance.hardware(),
        commit=provenance.commit(),
    )
    extensions = {s.name: s.find_in(report) for s in sections.registered("report")}
    return dataclasses.replace(report, extensions=extensions), examples, tables


def _load_all(config):
    """The models that a config names, and the data set in the order of their classes."""
    devices = distribution.devices(config.distribute)
    refuse_twins(config.models)
    reading = {"image_size": config.image_size, "stream": config.stream}
    loaded = data.load(config.dataset, config.data_dir, **reading)
    dataset = in_the_models_order(loaded, config.models)
    part = dataset.part(config.split)
    if config.substitute:
        dataset.beyond(config.split)
    copies = load_models(config, part, dataset.num_classes, devices=devices, seed=IMAGE_SEED)
    return copies, dataset


def _time_left(runs, split, config, record):
    plans = [run.plans() for run in runs]
    return TimeLeft(
        [plan for both in zip(*plans, strict=True) for plan in both],
        len(split),
        record.now,
        models=len(runs),
        after=parts_after(config, len(runs), split),
        survivors_only=config.survivors_only,
        batch_size=config.batch_size,
    )


def _with_batch_size(config, copies, images, journal):
    """The config, with a number of images that this machine has the memory for."""
    firsts = [replicas.first for replicas in copies]
    if config.batch_size == "auto":
        size = fitting_batch(firsts, images, journal)
    else:
        size = bounded_batch(firsts, images, config.batch_size, journal)
    return dataclasses.replace(config, batch_size=size)


def _dataset_report(config, dataset, split, images, notes, foreign):
    return DatasetReport(
        name=config.dataset,
        split=config.split,
        examples=len(split),
        num_classes=dataset.num_classes,
        class_names=dataset.class_names,
        notes=(*dataset.notes, *notes),
        fingerprint=provenance.images_hash(images, split.labels),
        nonsense=foreign.report if foreign else None,
    )


def _threat_model_report(threat_model, config):
    return ThreatModelReport(**dataclasses.asdict(threat_model), target_class=config.wanted)
