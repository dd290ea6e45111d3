"""What a trained network's examples, features and weights are to models of another kind.

scikit-learn and Keras are imported where they are used: a study is declared without them.
"""

from typing import Any

import numpy as np

from robust_keras.studies import answers, oriented_gradients, transfer_table
from robust_keras.studies.study import MadeBy, Place

_FEATURES = "dense1_activation"
_DIGITS_SCALE = 16.0
_TESTED, _EPSILON = 300, 0.3


def carried(run: str) -> MadeBy:
    """Whether FGSM's examples at 0.3 on a network fool a linear classifier and a forest.

    Args:
        run: of a network for MNIST.

    Returns:
        A `Make.make`, of so many training images, whose result has for `linear` and `forest` texts
        of 0 and 1, one character a test image that the model classifies correctly: `examples`, 1
        where it does so after the change, and `noise`, the same for a change of random signs.
    """

    def make(place: Place, images: int) -> dict[str, Any]:
        import sklearn.ensemble
        import sklearn.linear_model

        from robust_keras import data

        train = data.load("mnist", place.data_dir).part("train").select(slice(0, images))
        models = {
            "linear": sklearn.linear_model.LogisticRegression(max_iter=100),
            "forest": sklearn.ensemble.RandomForestClassifier(100, random_state=0),
        }
        test = transfer_table.test_images(place, _TESTED)
        shown = _changed(transfer_table.loaded(place, run), test)
        pixels = _flat(train.float_images())
        return {
            name: _read(model.fit(pixels, train.labels), test, shown)
            for name, model in models.items()
        }

    return make


def _changed(network, test):
    images = test.float_images()
    signs = np.random.default_rng(0).choice((-1.0, 1.0), images.shape)
    return {
        "examples": transfer_table.examples("fgsm", network, images, test.labels, _EPSILON),
        "noise": np.clip(images + _EPSILON * signs, 0, 1),
    }


def _read(model, test, shown):
    """A text a kind of change, of the images that are read without one."""
    right = model.predict(_flat(test.float_images())) == test.labels
    return {
        name: answers.text((model.predict(_flat(images)) == test.labels)[right])
        for name, images in shown.items()
    }


def features(run: str) -> MadeBy:
    """How well a linear classifier reads another data set from a network's features.

    Args:
        run: of a LeNet-5 trained on MNIST.

    Returns:
        A `Make.make` whose result has texts of 0 and 1, one character a test image of
        scikit-learn's 8x8 digits: 1 where the classifier is right with `features`, with the
        `pixels` themselves, and with `gradients`, histograms of oriented gradients of the enlarged
        image that the network sees.
    """

    def make(place: Place, images: int) -> dict[str, Any]:
        import keras
        import sklearn.datasets

        digits = sklearn.datasets.load_digits()
        pictures = digits.images[:images, :, :, None].astype("float32") / _DIGITS_SCALE
        network = place.trained(run)
        enlarged = np.asarray(keras.ops.image.resize(pictures, (28, 28), interpolation="bilinear"))
        inner = keras.Model(network.inputs, network.get_layer(_FEATURES).output)
        shown = {
            "features": inner.predict(enlarged, verbose=0),
            "pixels": _flat(pictures),
            "gradients": oriented_gradients.histograms(enlarged[..., 0]),
        }
        return {name: _linear(values, digits.target[:images]) for name, values in shown.items()}

    return make


def _linear(values, labels):
    """Where a linear classifier, trained on the first half, is right on the second, as a text."""
    import sklearn.linear_model
    import sklearn.preprocessing

    half = len(labels) // 2
    scaled = sklearn.preprocessing.StandardScaler().fit(values[:half]).transform(values)
    model = sklearn.linear_model.LogisticRegression(max_iter=1000)
    right = model.fit(scaled[:half], labels[:half]).predict(scaled[half:]) == labels[half:]
    return answers.text(right)


def first_weights(robust: str, plain: str, again: str) -> MadeBy:
    """How local the first layers' weights of dense networks are, and how far this differs.

    Args:
        robust: run of a network.
        plain: of its twin.
        again: of the twin, trained from another seed.

    Returns:
        A `Make.make` whose result has for `robust` and `plain` the mean kurtosis of a unit's
        weights: 3 for weights of a normal distribution, more where few pixels have most weight;
        and for `changed` and `chance` the distance of Kolmogorov and Smirnov, in [0, 1], between
        the units' kurtoses in the plain network and those in the robust one and in `again`.
    """

    def make(place: Place, images: int) -> dict[str, Any]:
        import scipy.stats

        def kurtoses(run):
            kernel = np.asarray(place.trained(run).get_layer("dense1").kernel)
            return scipy.stats.kurtosis(kernel, fisher=False)

        ours, twin, other = map(kurtoses, (robust, plain, again))
        return {
            "robust": float(ours.mean()),
            "plain": float(twin.mean()),
            "changed": float(scipy.stats.ks_2samp(ours, twin).statistic),
            "chance": float(scipy.stats.ks_2samp(other, twin).statistic),
        }

    return make


def _flat(images):
    return images.reshape(len(images), -1)
