"""An attack's examples of some networks on others, image by image.

A report counts what carries over; here is kept which images these are, so that networks can be
paired, and whether the class is among the model's five likeliest.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from robust_keras.studies import answers
from robust_keras.studies.study import MadeBy, Place

# Likeliest classes that count.
TOPS = (1, 5)


def table(
    attack: str, sources: Sequence[str], targets: Sequence[str], epsilons: Sequence[float]
) -> MadeBy:
    """A transfer table.

    Args:
        attack: name of one, which gets one try an image.
        sources: runs of networks for MNIST, on which examples are made.
        targets: the same, on which they are tried.
        epsilons: of the attack, in [0, 1].

    Returns:
        A `Make.make` whose result has for each epsilon (as text), name of the network they were
        made on and name of the network they were tried on two texts of 0 and 1, one character a
        test image: 1 where its class is the likeliest, and where it is among the five likeliest.
    """

    def make(place: Place, images: int) -> dict[str, Any]:
        test = test_images(place, images)
        tried = {_name(run): loaded(place, run) for run in targets}
        made_on = {_name(run): tried.get(_name(run)) or loaded(place, run) for run in sources}

        def row(network, epsilon):
            changed = examples(attack, network, test.float_images(), test.labels, epsilon)
            return {
                name: _kept(_logits(each, changed), test.labels) for name, each in tried.items()
            }

        return {
            str(epsilon): {name: row(network, epsilon) for name, network in made_on.items()}
            for epsilon in epsilons
        }

    return make


def loaded(place: Place, run: str) -> Any:
    """Gives the classifier that one of the study's trainings exported."""
    from robust_keras import serving

    return serving.load(place.directory / run / "serving")


def test_images(place: Place, images: int) -> Any:
    """Gives a part of MNIST's test images, the same for all seeds; a smaller one begins alike."""
    from robust_keras import data

    return data.load("mnist", place.data_dir).test.take(images, seed=0)


def examples(
    attack: str, network: Any, images: np.ndarray, labels: np.ndarray, epsilon: float
) -> np.ndarray:
    """Gives what an attack with all its steps makes of images, projected into the ball.

    Args:
        attack: its name.
        network: `serving.Classifier` on which they are made.
        images: float32 array (images, height, width, channels) in [0, 1].
        labels: int array (images,), the network's classes to get away from.
        epsilon: radius of the L-inf ball, in (0, 1].

    Returns:
        float32 array like `images`.
    """
    from robust_keras import attacks

    threat_model = attacks.ThreatModel("linf", (epsilon,))
    proposal = (
        attacks.ATTACKS[attack]()
        .unhurried()
        .propose(
            *(network, images, labels),
            threat_model=threat_model,
            epsilon=epsilon,
            generators=[np.random.default_rng((0, image)) for image in range(len(images))],
        )
    )
    return threat_model.project(images, proposal.images, epsilon)


def _name(run):
    return run.rpartition("-")[0]


def _logits(network, images):
    return np.asarray(network.logits(images))


def _kept(logits, labels):
    """A text for each of `TOPS`."""
    above = (logits > logits[np.arange(len(labels)), labels][:, None]).sum(axis=1)
    return [answers.text(above < top) for top in TOPS]
