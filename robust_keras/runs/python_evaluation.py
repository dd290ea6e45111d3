"""`robust_keras.evaluate`: an evaluation of models in memory, without files or flags."""

import contextlib
import dataclasses
import io
import re
from collections.abc import Sequence
from typing import Any

from robust_keras.attacks import registry
from robust_keras.attacks.attack import Attack
from robust_keras.errors import InputError
from robust_keras.progress import RunProgress
from robust_keras.runs import given_images, given_models
from robust_keras.runs.evaluation import IMAGE_SEED, attack_models
from robust_keras.runs.fitted_models import fitted
from robust_keras.runs.model_loading import clean_examples
from robust_keras.runs.result import EvaluationResult
from robust_keras.settings.config import EvaluateConfig
from robust_keras.suggestion import did_you_mean

# Settings of evaluate.py that a call has no use for, and what it has in their place.
_NOT_HERE = {
    "models": "model",
    "dataset": "images and labels",
    "data_dir": "images and labels",
    "split": "images and labels",
    "examples": "as many images and labels",
    "output_dir": "result.save(directory)",
    "fail_below": "result.models[0].worst_case",
    "plugins": "robust_keras.attacks.register",
    "substitute": "evaluate.py, which has training images to begin with",
    "substitute_images": "evaluate.py, which has training images to begin with",
}


def evaluate(
    model: Any,
    images: Any,
    labels: Any,
    *,
    attacks: str | Sequence[Any],
    norm: str,
    epsilons: float | Sequence[float],
    certify: str | Sequence[str],
    inside: bool,
    seed: int,
    num_classes: int | None,
    class_names: Sequence[str] | None,
    progress: bool,
    **settings: Any,
) -> EvaluationResult:
    """Does what `robust_keras.evaluate` says, which alone knows the defaults."""
    with _names_of_a_call():
        _check_names(settings)
        models = given_models.named(model)
        dataset = given_images.dataset_of(images, labels, class_names)
        chosen = _attacks(attacks)
        config = EvaluateConfig(
            models=tuple(models),
            dataset=given_images.NAME,
            norm=norm,
            epsilons=_epsilons(epsilons),
            certify=_certificates(certify),
            inside=inside,
            seed=seed,
            examples=len(dataset.test),
            **{name: _plain(value) for name, value in settings.items()},
        )
        if config.distribute == "multi_worker":
            config.refuse("distribute", "none or mirrored; processes share one of evaluate.py")
        return EvaluationResult(*_found(models, dataset, chosen, num_classes, config, progress))


def _found(models, dataset, attacks, num_classes, config, progress):
    with RunProgress(None if progress else io.StringIO()) as shown:
        examples = clean_examples(dataset.test, dataset.num_classes, given_images.NAME, IMAGE_SEED)
        copies = given_models.copies(models, examples, num_classes, config, tell=progress)
        ready = fitted(tuple(models), copies, dataset, config)
        return attack_models(ready, dataset.test, attacks, config, "", None, shown)


@contextlib.contextmanager
def _names_of_a_call():
    # Errors name settings as a call does: `epsilons` where the command has --epsilons.
    try:
        yield
    except InputError as error:
        raise InputError(re.sub(r"--(?=[a-z])", "", str(error))) from error


def _certificates(given):
    names = given.split(",") if isinstance(given, str) else given
    return tuple(names) or ("none",)


def _check_names(settings):
    known = {field.name for field in dataclasses.fields(EvaluateConfig)} - set(_NOT_HERE)
    for name in settings:
        if name in _NOT_HERE:
            raise InputError.expected(name, f"{_NOT_HERE[name]} in its place", settings[name])
        if name not in known:
            expected = f"a setting of evaluate.py{did_you_mean(name, known)}"
            raise InputError.expected(name, expected, f"{name}={settings[name]!r}")


def _attacks(given):
    """The attacks, by name or as they are."""
    if isinstance(given, str):
        given = [name.strip() for name in given.split(",")]
    if not isinstance(given, Sequence):
        given = [given]
    found = []
    for one in given:
        if not isinstance(one, (str, Attack)):
            raise InputError.expected("attacks", "names or Attacks, as PGD(steps=100)", repr(one))
        found.append(registry.named(one) if isinstance(one, str) else one)
    # The report tells attacks apart by their names.
    names = [attack.name for attack in found]
    if not names or len(set(names)) < len(names):
        raise InputError.expected("attacks", "at least one, each once", ", ".join(names) or "none")
    return found


def _epsilons(given):
    try:
        return tuple(float(value) for value in (given if hasattr(given, "__iter__") else (given,)))
    except (TypeError, ValueError) as error:
        raise InputError.expected("epsilons", "numbers, such as (0.1, 0.3)", given) from error


def _plain(value):
    return tuple(value) if isinstance(value, list) else value
