"""All models of one evaluation: each is attacked, then each is judged."""

import dataclasses
from collections.abc import Sequence

from robust_keras.attacks import ThreatModel
from robust_keras.attacks.attack import Attack
from robust_keras.data.datasets import ImageSplit
from robust_keras.engine.fitting_batch import bounded_batch, fitting_batch
from robust_keras.engine.goal import check_aims
from robust_keras.engine.journal import Journal, Unrecorded
from robust_keras.engine.results import AdversarialExample, PerImage
from robust_keras.findings import ModelReport
from robust_keras.progress import RunProgress
from robust_keras.runs.adversarial_images import given_examples
from robust_keras.runs.company import Alone
from robust_keras.runs.evaluation_plan import parts_after
from robust_keras.runs.fitted_models import FittedModels
from robust_keras.runs.model_run import ModelRun
from robust_keras.runs.nonsense_set import nonsense_set
from robust_keras.runs.target import attacked_images
from robust_keras.settings.config import EvaluateConfig
from robust_keras.time_left import TimeLeft

# Which images are attacked never depends on the run's seed: a seed must not be able to choose easy
# ones.
IMAGE_SEED = 0


class ModelRuns:
    """The models, and the images on which they are attacked.

    Args:
        models: `FittedModels`.
        split: the `ImageSplit` to attack, of which some images may be left out.
        attacks: `Attack`s that were asked for.
        config: an `EvaluateConfig`.
        journal: `Journal` or `Unrecorded`.
        progress: `RunProgress`.
        company: the processes that share them, see `Alone`.

    Attributes:
        config: the same, with a number of images a pass.
        split: what is attacked of the images.
        images: those, float32, which all models share.
        notes: what was left out.
        foreign: `NonsenseSet`, or None.
        threat_model: `ThreatModel`.
    """

    def __init__(
        self,
        models: FittedModels,
        split: ImageSplit,
        attacks: Sequence[Attack],
        config: EvaluateConfig,
        journal: Journal | Unrecorded,
        progress: RunProgress,
        company: Alone,
    ):
        self._names, self._company, self._progress = models.names, company, progress
        self.threat_model = ThreatModel(config.norm, config.epsilons)
        self.split, left_out = attacked_images(config, split, models.dataset)
        # Once for all models: as numbers they take four times as much memory as bytes.
        self.images = self.split.float_images()
        given, refused = given_examples(config, self.images, self.threat_model)
        attacks, self.notes = [*attacks, *given], (*left_out, *refused)
        if config.target_class is not None:
            check_aims(attacks, config.norm)
        shape = self.split.image_shape
        self.foreign = nonsense_set(config, shape, len(self.split), IMAGE_SEED)
        # Last, for it may write what it has measured: what is refused leaves nothing behind.
        self.config = company.agreed(
            lambda: _with_batch_size(config, models.copies, self.images, journal)
        )
        asked = self.split, self.images, self.threat_model, attacks
        self._runs = [
            ModelRun(replicas, *asked, self.config, journal, self.foreign)
            for replicas in models.copies
        ]
        if company.leads:
            progress.follow(self._time_left(journal))

    def _time_left(self, journal):
        plans = [run.plans() for run in self._runs]
        return TimeLeft(
            [plan for both in zip(*plans, strict=True) for plan in both],
            len(self.split),
            journal.now,
            models=len(self._runs),
            after=parts_after(self.config, len(self._runs), self.split),
            survivors_only=self.config.survivors_only,
            batch_size=self.config.batch_size,
            processes=self._company.processes,
        )

    def attack(self) -> None:
        """Attacks every model."""
        for number in self._company.turns("attack", len(self._runs), self._waiting):
            with self._progress.model(self._names[number], number):
                self._runs[number].attack(self._progress)

    def judge(
        self,
    ) -> tuple[list[ModelReport], dict[str, list[AdversarialExample]], dict[str, PerImage]]:
        """Judges every model that was attacked: what fooled one is tried on the others.

        Returns:
            A report a model, and from its name its examples and the table of its images.
        """
        found = {}
        for number in self._company.turns("judge", len(self._runs), self._waiting):
            found[number] = self._judged(number)
        reports, examples, tables = [], {}, {}
        for number, name in enumerate(self._names):
            report, examples[name], tables[name] = found[number]
            reports.append(dataclasses.replace(report, path=name))
        return reports, examples, tables

    def assist(self) -> None:
        """Does what no other process does, for the journal."""
        self.attack()
        for number in self._company.left("judge", len(self._runs)):
            self._judged(number)

    def _judged(self, number):
        run = self._runs[number]
        others = [other.found for other in self._runs if other is not run]
        with self._progress.model(self._names[number], len(self._runs) + number):
            return run.judge(others, self._progress)

    def _waiting(self, number):
        self._progress.elsewhere(self._names[number])


def _with_batch_size(config, copies, images, journal):
    """The config, with a number of images that this machine has the memory for."""
    firsts = [replicas.first for replicas in copies]
    if config.batch_size == "auto":
        size = fitting_batch(firsts, images, journal)
    else:
        size = bounded_batch(firsts, images, config.batch_size, journal)
    return dataclasses.replace(config, batch_size=size)
