"""One evaluation: models and images in, report out."""

import dataclasses
import io
from collections.abc import Sequence

from robust_keras import data, distribution
from robust_keras.attacks import registry
from robust_keras.attacks.attack import Attack
from robust_keras.data.datasets import ImageSplit
from robust_keras.engine.fitting_batch import halved
from robust_keras.engine.journal import Journal, Unrecorded
from robust_keras.engine.results import AdversarialExample, PerImage
from robust_keras.findings import DatasetReport, Report, ThreatModelReport
from robust_keras.progress import RunProgress
from robust_keras.reporting import sections
from robust_keras.runs import provenance, shared_evaluation
from robust_keras.runs.company import Alone
from robust_keras.runs.fitted_models import FittedModels, fitted
from robust_keras.runs.minimal_evaluation import minimal_attack
from robust_keras.runs.model_loading import in_the_models_order, load_models, refuse_twins
from robust_keras.runs.model_runs import IMAGE_SEED, ModelRuns
from robust_keras.runs.plugins import load_plugins
from robust_keras.runs.transfer_evaluation import transfer_attack, transfer_report
from robust_keras.settings.config import EvaluateConfig


def evaluate(
    config: EvaluateConfig,
    *,
    command: str = "",
    journal: Journal | Unrecorded | None = None,
    progress: RunProgress | None = None,
    company: Alone | None = None,
) -> tuple[Report, dict[str, list[AdversarialExample]], dict[str, PerImage]]:
    """Attacks every model of the config on the same images.

    Args:
        config: an `EvaluateConfig`.
        command: the command line, for the report.
        journal: `engine.Journal` that the evaluation goes on from, or None.
        progress: `RunProgress` that goes on when this is done with, or None for one of its own.
        company: the processes that share the models, or None for this one alone.

    Returns:
        `(report, examples, tables)`: a `Report`, a dict from a model's name to its
        `AdversarialExample`s, and one to its table of all images, `PerImage`.

    Raises:
        InputError: a model or the data set cannot be used, or they do not fit together.
    """
    if progress is None:
        with RunProgress() as progress:
            return evaluate(
                config, command=command, journal=journal, progress=progress, company=company
            )
    return attack_models(*_ready(config), config, command, journal, progress, company)


def assist(config: EvaluateConfig, journal: Journal, company: Alone) -> None:
    """Does a part of what `evaluate` does in another process, which reads it from the journal."""
    with RunProgress(io.StringIO()) as progress:
        ModelRuns(*_ready(config), config, journal, progress, company).assist()


def _ready(config: EvaluateConfig) -> tuple[FittedModels, ImageSplit, list[Attack]]:
    """The models that a config names, the images, and the attacks."""
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
    return fitted(names, copies, dataset, config), split, attacks


def attack_models(
    models: FittedModels,
    split: ImageSplit,
    attacks: Sequence[Attack],
    config: EvaluateConfig,
    command: str,
    journal: Journal | Unrecorded | None,
    progress: RunProgress,
    company: Alone | None = None,
) -> tuple[Report, dict[str, list[AdversarialExample]], dict[str, PerImage]]:
    """Attacks models that are loaded, audits what is left and looks at what else is asked for.

    Of the config paths, data set and attacks' names are only reported.

    Returns:
        As `evaluate`.
    """
    record: Journal | Unrecorded = Unrecorded() if journal is None else journal
    runs = ModelRuns(models, split, attacks, config, record, progress, company or Alone())
    config, split, dataset = runs.config, runs.split, models.dataset
    runs.attack()
    reports, examples, tables = runs.judge()
    firsts = {name: r.first for name, r in zip(models.names, models.copies, strict=True)}

    def transferred(size):
        fitting = dataclasses.replace(config, batch_size=size)
        return transfer_report(fitting, firsts, dataset, split, runs.threat_model, record, progress)

    transfer, _ = halved(transferred, config.batch_size)
    report = Report(
        dataset=_dataset_report(config, dataset, runs),
        threat_model=_threat_model_report(runs.threat_model, config),
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


def _dataset_report(config, dataset, runs):
    return DatasetReport(
        name=config.dataset,
        split=config.split,
        examples=len(runs.split),
        num_classes=dataset.num_classes,
        class_names=dataset.class_names,
        notes=(*dataset.notes, *runs.notes),
        fingerprint=provenance.images_hash(runs.images, runs.split.labels),
        nonsense=runs.foreign.report if runs.foreign else None,
    )


def _threat_model_report(threat_model, config):
    return ThreatModelReport(**dataclasses.asdict(threat_model), target_class=config.wanted)
