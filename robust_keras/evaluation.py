"""One evaluation: models and images in, report out."""

import time

from robust_keras import data, serving
from robust_keras.analysis.audit import audit
from robust_keras.analysis.layer_facts import read_layer_facts
from robust_keras.analysis.minimal_epsilon import can_search, minimal_epsilons
from robust_keras.attacks import ATTACKS, ThreatModel, engine
from robust_keras.errors import InputError
from robust_keras.progress import AttackProgress
from robust_keras.reporting import (
    AttackReport,
    AuditReport,
    DatasetReport,
    LayerReport,
    MinimalEpsilonReport,
    ModelReport,
    RejectionReport,
    Report,
    ThreatModelReport,
    WorstCaseReport,
)

# Which images are attacked never depends on the run's seed: a seed must not be able to choose easy
# ones.
_IMAGE_SEED = 0
# Of the smallest epsilons, as a share of the largest epsilon.
_TOLERANCE = 1 / 128


def evaluate(config, *, command=""):
    """Attacks every model of the config on the same images.

    Args:
        config: an `EvaluateConfig`.
        command: the command line, for the report.

    Returns:
        `(report, examples)`: a `Report`, and a dict from model path to its `AdversarialExample`s.

    Raises:
        InputError: a model or the data set cannot be used, or they do not fit together.
    """
    classifiers = [serving.load(path) for path in config.models]
    dataset = data.load(config.dataset, config.data_dir)
    for classifier in classifiers:
        _check_fit(classifier, dataset)
    classifiers = [c.at_temperature(config.attacker_temperature) for c in classifiers]
    split = getattr(dataset, config.split).take(config.examples, _IMAGE_SEED)
    threat_model = ThreatModel(config.norm, config.epsilons)
    attacks = [ATTACKS[name]() for name in config.attacks]
    models, examples = [], {}
    for classifier in classifiers:
        model, found = _attack(classifier, split, attacks, threat_model, config)
        models.append(model)
        examples[model.path] = found
    report = Report(
        dataset=DatasetReport(
            name=config.dataset,
            split=config.split,
            examples=len(split),
            num_classes=dataset.num_classes,
            class_names=dataset.class_names,
        ),
        threat_model=ThreatModelReport(
            norm=threat_model.norm,
            epsilons=threat_model.epsilons,
            bounds=threat_model.bounds,
        ),
        models=models,
        seed=config.seed,
        attacker_temperature=config.attacker_temperature,
        command=command,
    )
    return report, examples


def _check_fit(classifier, dataset):
    """Raises InputError unless the classifier takes the data set's images and tells its classes."""
    expected = dataset.image_shape
    if any(a not in (None, b) for a, b in zip(classifier.image_shape, expected, strict=True)):
        raise InputError.expected(
            str(classifier.path),
            f"a model of {expected} images, as in {dataset.name}",
            f"one of {classifier.image_shape} images",
        )
    meaningful = classifier.num_classes - classifier.nonsense_classes
    if meaningful != dataset.num_classes:
        raise InputError.expected(
            str(classifier.path),
            f"a model of {dataset.num_classes} classes, as in {dataset.name}",
            f"one of {meaningful} classes",
        )


def _attack(classifier, split, attacks, threat_model, config):
    """The `ModelReport` of one classifier and its adversarial examples."""
    start = time.monotonic()
    images, labels = split.float_images(), split.labels
    settings = {"batch_size": config.batch_size, "seed": config.seed}
    with AttackProgress(str(classifier.path)) as progress:
        found = engine.evaluate(
            classifier, images, labels, attacks, threat_model, **settings, progress=progress
        )
    checks = audit(classifier, images, labels, found, threat_model, **settings)
    minimal = _minimal_report(classifier, images, labels, config)
    model = ModelReport(
        path=str(classifier.path),
        format=classifier.format,
        clean_accuracy=found.clean_correct.mean(),
        num_classes=classifier.num_classes,
        attacks=[_attack_report(result) for result in found.attacks],
        worst_case=WorstCaseReport(
            epsilons=threat_model.epsilons, accuracy=found.worst_case.mean(axis=1)
        ),
        audit=[AuditReport(**vars(check)) for check in checks],
        seconds=time.monotonic() - start,
        parameters=classifier.parameters,
        sparsity=classifier.sparsity,
        output_kind=classifier.output_kind,
        image_shape=split.image_shape,
        layers=[LayerReport(**facts) for facts in read_layer_facts(classifier)],
        rejection=_rejection_report(classifier, found),
        minimal_epsilon=minimal,
    )
    return model, found.examples


def _minimal_report(classifier, images, labels, config):
    """The smallest epsilons, or None where they were not asked for or cannot be searched."""
    attack = ATTACKS[config.minimal_attack]()
    if not (config.minimal_epsilon and can_search(classifier, attack, config.norm)):
        return None
    largest = config.largest_searched
    with AttackProgress(str(classifier.path)) as progress:
        found = minimal_epsilons(
            classifier,
            images,
            labels,
            attack,
            norm=config.norm,
            largest=largest,
            tolerance=largest * _TOLERANCE,
            batch_size=config.batch_size,
            seed=config.seed,
            progress=progress,
        )
    return MinimalEpsilonReport.of(found)


def _rejection_report(classifier, found):
    if found.clean_accepted is None:
        return None
    return RejectionReport(
        nonsense_classes=classifier.rejection.nonsense_classes,
        threshold=classifier.rejection.threshold,
        clean_accepted=found.clean_accepted.mean(),
        clean_accuracy=(found.clean_correct & found.clean_accepted).mean(),
        accuracy=found.worst_case_with_rejection.mean(axis=1),
    )


def _attack_report(result):
    with_rejection = result.robust_with_rejection
    return AttackReport(
        name=result.name,
        settings=result.settings | _stages(result),
        accuracy=result.robust.mean(axis=1),
        seconds=result.seconds,
        gradient_evaluations=result.gradient_evaluations,
        forward_evaluations=result.forward_evaluations,
        skipped=result.skipped,
        accuracy_with_rejection=(None if with_rejection is None else with_rejection.mean(axis=1)),
    )


def _stages(result):
    """What the stages of a cascade left, beside its settings."""
    ran = [stage for stage in result.stages if stage.skipped is None]
    left_out = [stage.name for stage in result.stages if stage.skipped is not None]
    found = {"accuracy_after": {stage.name: list(stage.accuracy) for stage in ran}} if ran else {}
    return found | ({"left_out": left_out} if left_out else {})
