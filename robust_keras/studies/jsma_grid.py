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
        A `Make.make` whose result is a text of 0 and 1, one character a pair of an image and a
        class that is not its label, class by class: 1 where the network answers with that class
        after at most 14.5 % of the pixels were changed.
    """

    def make(place: Place, images: int) -> str:
        from robust_keras.serving.views.aimed import aimed_in_turn

        network = transfer_table.loaded(place, run)
        test = transfer_table.test_images(place, images)
        aim = aimed_in_turn(network)
        return "".join(_answers(network, aim(wanted), test, wanted) for wanted in range(_CLASSES))

    return make


def _answers(network, view, test, wanted):
    chosen = test.select(test.labels != wanted)
    # To a view of two classes every image is of the first, "another answer".
    labels = np.zeros(len(chosen), int)
    changed = transfer_table.examples("jsma", view, chosen.float_images(), labels, 1.0)
    return answers.text(np.asarray(network.logits(changed)).argmax(axis=1) == wanted)
