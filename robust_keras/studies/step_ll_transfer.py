"""Step-LL's examples of every network on every other, image by image.

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


def table(models: Sequence[str], epsilons: Sequence[float]) -> MadeBy:
    """A transfer table.

    Args:
        models: runs of networks for MNIST.
        epsilons: of Step-LL.

    Returns:
        A `Make.make` whose result has for each epsilon (as text), name of the network they were
        made on and name of the network they were tried on two texts of 0 and 1, one character a
        test image: 1 where its class is the likeliest, and where it is among the five likeliest.
    """

    def make(place: Place, images: int) -> dict[str, Any]:
        from robust_keras import attacks, data, serving

        test = data.load("mnist", place.data_dir).test.take(images, seed=0)
        networks = {
            run.rpartition("-")[0]: serving.load(place.directory / run / "serving")
            for run in models
        }
        threat_model = attacks.ThreatModel("linf", tuple(epsilons))
        return {
            str(epsilon): {
                name: _tried(networks, _examples(network, test, threat_model, epsilon), test)
                for name, network in networks.items()
            }
            for epsilon in epsilons
        }

    return make


def _examples(network, test, threat_model, epsilon):
    from robust_keras import attacks

    images = test.float_images()
    proposal = attacks.StepLL().propose(
        *(network, images, test.labels),
        threat_model=threat_model,
        epsilon=epsilon,
        generators=[np.random.default_rng(0)] * len(images),
    )
    return threat_model.project(images, proposal.images, epsilon)


def _tried(networks, images, test):
    return {name: _kept(np.asarray(n.logits(images)), test.labels) for name, n in networks.items()}


def _kept(logits, labels):
    """A text for each of `TOPS`."""
    above = (logits > logits[np.arange(len(labels)), labels][:, None]).sum(axis=1)
    return [answers.text(above < top) for top in TOPS]
