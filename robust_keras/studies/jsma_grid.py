"""Which digits JSMA makes of which, pair by pair."""

import numpy as np

from robust_keras.studies import answers, transfer_table
from robust_keras.studies.study import MadeBy, Place

_CLASSES = 10


def reached(run: str) -> MadeBy:
    """Whether JSMA makes every other digit of each test image.

    An image that the network misreads is changed as well, so that the pairs are the same for all
    networks.

    Args:
        run: of a network for MNIST.

    Returns:
        A `Make.make` whose result is a text of 0 and 1 for each image, one character for each class
        that is not its label, rising: 1 where the network answers with that class after at most
        14.5 % of the pixels were changed.
    """

    def make(place: Place, images: int) -> list[str]:
        from robust_keras.serving.views.aimed import aimed_in_turn

        network = transfer_table.loaded(place, run)
        test = transfer_table.test_images(place, images)
        aim = aimed_in_turn(network)
        found = [""] * len(test)
        for wanted in range(_CLASSES):
            others = np.flatnonzero(test.labels != wanted)
            told = _answers(network, aim(wanted), test.select(others), wanted)
            for index, answer in zip(others, told, strict=True):
                found[index] += answer
        return found

    return make


def _answers(network, view, chosen, wanted):
    # To a view of two classes every image is of the first, "another answer".
    labels = np.zeros(len(chosen), int)
    changed = transfer_table.examples("jsma", view, chosen.float_images(), labels, 1.0)
    return answers.text(np.asarray(network.logits(changed)).argmax(axis=1) == wanted)
