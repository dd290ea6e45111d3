"""Runs attacks on a classifier and believes nothing that they return."""

import dataclasses
import zlib

import numpy as np

from robust_keras.attacks.attack import Attack, require_whole
from robust_keras.attacks.batches import padded_places
from robust_keras.attacks.evaluation import AttackResult, Evaluation
from robust_keras.attacks.gallery import Gallery
from robust_keras.attacks.prediction import check_examples, correct, padded, predict, rejected
from robust_keras.attacks.tally import Tally, attack_result
from robust_keras.attacks.threat_model import ThreatModel
from robust_keras.errors import InputError


def evaluate(
    classifier,
    images,
    labels,
    attacks,
    threat_model,
    *,
    batch_size,
    seed,
    progress=None,
    survivors=None,
):
    """Attacks every correctly classified image and reports which ones still are.

    An image counts as fooled by an attack only if its proposal, projected into the ball and the
    pixel range, is misclassified in a fresh forward pass. An image fooled at one epsilon counts as
    fooled at every larger one and is not attacked there again by the same attack. Epsilon 0 is the
    clean result. Attacks that need gradients are skipped on a classifier without them.

    Where the classifier has a rejection rule, a second account is kept beside the first: in it an
    image counts as fooled only if it is misclassified and accepted, and is attacked until it is.

    Args:
        classifier: a `serving.Classifier`, or anything with its `logits`, `image_shape`,
            `num_classes` and `gradient_error`.
        images: float array (images, height, width, channels) within the threat model's bounds.
        labels: int array (images,).
        attacks: `Attack`s, run in this order.
        threat_model: `ThreatModel`.
        batch_size: images a pass, at most; the last batch is padded to one of few sizes.
        seed: whole number >= 0. The same seed gives bit-identical results on the same machine.
        progress: called as `progress(attack_name, epsilon, done, total, robust_accuracy)`, `total`
            the images attacked at this epsilon, after every batch; a cascade adds the stage's name.
        survivors: None, or a bool array (epsilons, images) of what attacks outside this evaluation
            left: only those images are attacked, all others count as fallen.

    Returns:
        An `Evaluation`.

    Raises:
        InputError: images or labels that do not fit the classifier or the threat model, or an
            attack that is not for its norm.

    Example:
        >>> found = evaluate(classifier, images, labels, [PGD()], ThreatModel("linf", (0.1, 0.3)),
        ...                  batch_size=250, seed=0)
        >>> found.worst_case.mean(axis=1)
        array([0.41, 0.  ])
    """
    require_whole("batch_size", batch_size)
    require_whole("seed", seed, minimum=0)
    for attack in attacks:
        attack.check_threat_model(threat_model)
    images, labels = check_examples(classifier, images, labels, threat_model)
    batch_size = min(batch_size, len(images))
    clean_logits = predict(classifier, images, batch_size)
    clean_correct = correct(clean_logits, labels)
    clean_accepted = ~rejected(classifier, images, batch_size)
    run = _Run(
        classifier=classifier,
        images=images,
        labels=labels,
        clean=np.stack([clean_correct, clean_correct & clean_accepted]),
        threat_model=threat_model,
        batch_size=batch_size,
        seed=seed,
        gallery=Gallery(images, labels, clean_logits),
        progress=progress,
        survivors=_survivors(survivors, threat_model, images),
    )
    results = tuple(run.attack(attack) for attack in attacks)
    worst_case = clean_correct & run.survivors
    for result in results:
        worst_case &= result.robust
    found = Evaluation(clean_correct, results, worst_case, run.gallery.choose())
    if not run.has_rule:
        return found
    with_rejection = run.clean[1] & run.survivors
    for result in results:
        with_rejection &= result.robust_with_rejection
    return dataclasses.replace(
        found, clean_accepted=clean_accepted, worst_case_with_rejection=with_rejection
    )


def _survivors(survivors, threat_model, images):
    shape = (len(threat_model.epsilons), len(images))
    survivors = np.ones(shape, bool) if survivors is None else np.asarray(survivors)
    if survivors.shape != shape or survivors.dtype != bool:
        raise InputError.expected(
            "survivors", f"bool {shape}", f"{survivors.dtype} {survivors.shape}"
        )
    return np.logical_and.accumulate(survivors, axis=0)


def generators(seed, name, epsilon, round_, indices):
    """One random generator an image, which depends on nothing but these values.

    So a result depends neither on the batch size nor on which other images are attacked.

    Args:
        seed: whole number >= 0.
        name: of the attack.
        epsilon: radius.
        round_: number of the try.
        indices: of the images.

    Returns:
        List of `numpy.random.Generator`s.
    """
    stream = zlib.crc32(f"{name} {float(epsilon).hex()} {round_}".encode())
    return [np.random.default_rng([seed, stream, int(index)]) for index in indices]


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Run:
    """One evaluation under way; the fields are those of `evaluate`.

    `clean` and all that follows from it have two rows: one counts every misclassified image, the
    other only those that are accepted as well. Without a rejection rule the rows are the same.
    """

    classifier: object
    images: np.ndarray
    labels: np.ndarray
    clean: np.ndarray
    threat_model: ThreatModel
    batch_size: int
    seed: int
    gallery: Gallery
    progress: object
    survivors: np.ndarray

    @property
    def has_rule(self):
        """Whether the classifier may reject images."""
        return getattr(self.classifier, "rejection", None) is not None

    def attack(self, attack: Attack) -> AttackResult:
        """One attack at every epsilon, on the images that it has not fooled yet."""
        robust = self.clean[:, np.newaxis] & self.survivors  # (2, epsilons, images)
        stages = attack.stages(self.threat_model.norm)
        epsilons = self.threat_model.epsilons
        tallies = [Tally(stage, self._reason(stage), len(epsilons)) for stage in stages]
        running = [tally for tally in tallies if tally.skipped is None]
        alive = self.clean.copy()
        for row, epsilon in enumerate(epsilons if running else ()):
            alive &= self.survivors[row]
            for tally in running:
                if epsilon > 0.0:
                    with tally.clock():
                        tally.passes += self._attack_at(attack, tally.stage, epsilon, alive)
                tally.accuracy[row] = float(alive[0].mean())
            robust[:, row] = alive
        return attack_result(attack, tallies, robust[0], robust[1] if self.has_rule else None)

    def _reason(self, attack):
        """Why the attack cannot run on this classifier, or None."""
        return self.classifier.gradient_error if attack.needs_gradient else None

    def _attack_at(self, attack, stage, epsilon, alive):
        """Clears `alive` where an image is fooled; returns its backward and forward passes."""
        total, passes = int(alive.any(axis=0).sum()), np.zeros(2, int)
        for round_ in range(stage.rounds):
            pending = np.flatnonzero(alive.any(axis=0))
            for first in range(0, len(pending), self.batch_size):
                indices = pending[first : first + self.batch_size]
                adversarial, logits, price = self._candidates(stage, epsilon, round_, indices)
                fooled = ~correct(logits, self.labels[indices])
                for place in np.flatnonzero(fooled):
                    found = adversarial[place], logits[place], epsilon, attack.name
                    self.gallery.offer(int(indices[place]), *found)
                alive[0, indices[fooled]] = False
                if fooled.any():
                    fooled &= ~self._rejected(adversarial)
                alive[1, indices[fooled]] = False
                passes += price
                # An image is done when its last round is, or when it has fallen.
                share = (round_ + (first + len(indices)) / len(pending)) / stage.rounds
                done = round(total * share) if alive.any() else total
                title = attack.name if stage is attack else f"{attack.name}: {stage.name}"
                self._report(title, epsilon, done, total, alive)
        return passes

    def _report(self, title, epsilon, done, total, alive):
        if self.progress is not None:
            self.progress(title, epsilon, done, total, float(alive[0].mean()))

    def _rejected(self, images):
        # Of one shape, as everywhere, so that nothing is traced anew for the last few.
        rows = padded(images, self.batch_size)
        return rejected(self.classifier, rows, self.batch_size)[: len(images)]

    def _candidates(self, attack, epsilon, round_, indices):
        """Projected proposals for the images, the model's fresh answers, and the passes made."""
        pad = padded_places if attack.any_batch else padded
        rows = pad(indices, self.batch_size)
        images = self.images[rows]
        proposal = attack.propose(
            self.classifier,
            images,
            self.labels[rows],
            threat_model=self.threat_model,
            epsilon=epsilon,
            generators=generators(self.seed, attack.name, epsilon, round_, rows),
        )
        adversarial = self.threat_model.project(images, proposal.images, epsilon)
        logits = predict(self.classifier, adversarial, len(rows))
        real = slice(len(indices))
        gradients = proposal.gradient_evaluations[real].sum()
        forwards = proposal.forward_evaluations[real].sum() + len(indices)
        return adversarial[real], logits[real], (gradients, forwards)
