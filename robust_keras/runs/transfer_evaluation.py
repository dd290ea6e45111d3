"""The transfer part of an evaluation: sources and substitutes in, a table out."""

import dataclasses
import zlib
from typing import Any

from robust_keras.attacks import ThreatModel, registry
from robust_keras.attacks.attack import Attack
from robust_keras.data.datasets import ImageDataset, ImageSplit
from robust_keras.engine.journal import Journal, Unrecorded
from robust_keras.engine.substitute import Substitute, train_substitute, two_layers
from robust_keras.engine.transfer import transfer
from robust_keras.errors import InputError
from robust_keras.findings import SubstituteReport, TransferReport
from robust_keras.progress import RunProgress
from robust_keras.serving.classifier import Classifier
from robust_keras.settings.config import EvaluateConfig

# Which images an attacker has does not depend on the run's seed, as those attacked do not.
_IMAGE_SEED = 0


def transfer_report(
    config: EvaluateConfig,
    targets: dict[str, Classifier],
    dataset: ImageDataset,
    split: ImageSplit,
    threat_model: ThreatModel,
    journal: Journal | Unrecorded,
    progress: RunProgress,
) -> TransferReport | None:
    """Makes adversarial examples on each model, or a substitute for it, and tries them on all.

    Substitutes begin with images of the split that is not attacked. None unless `config.transfer`.
    """
    if not config.transfer:
        return None
    attack = transfer_attack(config)
    problem = split.float_images(), split.labels, attack, threat_model
    settings: dict[str, Any] = {
        "batch_size": config.batch_size,
        "seed": config.seed,
        "journal": journal,
    }
    rows = []
    for path, classifier in _shown(targets, "transfer", progress):
        rows += transfer({path: classifier}, targets, *problem, **settings)
    if config.substitute:
        images = (
            dataset.beyond(config.split).take(config.substitute_images, _IMAGE_SEED).float_images()
        )
        for path, classifier in _shown(targets, "substitutes", progress):
            found = _substitute(classifier, images, config.seed, journal)
            source = {path: found.classifier(f"substitute for {path}")}
            made = SubstituteReport(
                images=len(images), queries=found.queries, agreement=found.agreement
            )
            sources = transfer(source, targets, *problem, **settings)
            rows += [dataclasses.replace(source, substitute=made) for source in sources]
    return TransferReport(attack=attack.name, settings=attack.settings(), sources=tuple(rows))


def transfer_attack(config: EvaluateConfig) -> Attack:
    """The attack of a config's transfer; raises InputError where there is none that transfers."""
    attack = registry.named(config.transfer_attack, "--transfer_attack", config.norm)
    if not attack.transfers:
        raise InputError.expected("--transfer_attack", "one that is no cascade", attack.name)
    return attack.unhurried()


def _substitute(classifier, images, seed, journal):
    """The `Substitute` for a classifier, trained now or before the evaluation was interrupted."""
    key = "substitute", str(classifier.path), classifier.pixels, seed, zlib.crc32(images.tobytes())
    values = journal.remember(key, lambda: train_substitute(classifier, images, seed=seed).values())
    return Substitute.from_values(two_layers(images.shape[1:], classifier.num_classes), values)


def _shown(targets, title, progress):
    """The models one after the other, as a part of the run."""
    with progress.part(title) as step:
        for number, item in enumerate(targets.items(), 1):
            yield item
            step(number, len(targets))
