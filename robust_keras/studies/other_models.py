"""What a trained network's examples, features and weights are to models of another kind.

scikit-learn and Keras are imported where they are used: a study is declared without them.
"""

from typing import Any

import numpy as np

from robust_keras.studies import answers
from robust_keras.studies.study import MadeBy, Place

_FEATURES = "dense1_activation"
_DIGITS_SCALE = 16.0


def carried(run: str) -> MadeBy:
    """Whether FGSM's examples on a network fool a linear classifier and a forest.

    Args:
        run: of a network that was evaluated with `fgsm` alone at one epsilon.

    Returns:
        A `Make.make` whose result has for `linear` and `forest` texts of 0 and 1, one character an
        image that fools the network and that the model classifies correctly: `examples`, 1 where
        it does so after the change, and `noise`, the same for a change of random signs.
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
        attacked = np.load(place.directory / f"{run}-report" / "adversarial_examples.npz")
        pixels = _flat(train.float_images())
        return {
            name: _fooled(model.fit(pixels, train.labels), attacked)
            for name, model in models.items()
        }

    return make


def _fooled(model, attacked):
    chosen = attacked["attack"] == "fgsm"
    originals, labels = attacked["originals"][chosen], attacked["labels"][chosen]
    right = model.predict(_flat(originals)) == labels
    epsilon = attacked["epsilon"][chosen].max()
    signs = np.random.default_rng(0).choice((-1.0, 1.0), originals.shape)
    noisy = np.clip(originals + epsilon * signs, 0, 1)
    shown = {"examples": attacked["images"][chosen], "noise": noisy}
    return {
        name: answers.text((model.predict(_flat(images)) == labels)[right])
        for name, images in shown.items()
    }


def features(run: str) -> MadeBy:
    """How well a linear classifier reads another data set from a network's features.

    Args:
        run: of a LeNet-5 trained on MNIST.

    Returns:
        A `Make.make` whose result has texts of 0 and 1, one character a test image of
        scikit-learn's 8x8 digits: 1 where the classifier is right with `features`, and with the
        `pixels` themselves.
    """

    def make(place: Place, images: int) -> dict[str, Any]:
        import keras
        import sklearn.datasets
        import sklearn.linear_model
        import sklearn.preprocessing

        digits = sklearn.datasets.load_digits()
        pictures = digits.images[:images, :, :, None].astype("float32") / _DIGITS_SCALE
        labels = digits.target[:images]
        network = place.trained(run)
        enlarged = keras.ops.image.resize(pictures, (28, 28), interpolation="bilinear")
        inner = keras.Model(network.inputs, network.get_layer(_FEATURES).output)
        shown = {"features": inner.predict(enlarged, verbose=0), "pixels": _flat(pictures)}
        half = len(labels) // 2
        found = {}
        for name, values in shown.items():
            scaled = sklearn.preprocessing.StandardScaler().fit(values[:half]).transform(values)
            model = sklearn.linear_model.LogisticRegression(max_iter=1000)
            right = model.fit(scaled[:half], labels[:half]).predict(scaled[half:]) == labels[half:]
            found[name] = answers.text(right)
        return found

    return make


def first_weights(robust: str, plain: str) -> MadeBy:
    """How local the first layer's weights of two dense networks are.

    Args:
        robust: run of a network.
        plain: of its twin.

    Returns:
        A `Make.make` whose result has for `robust` and `plain` the mean kurtosis of a unit's
        weights: 3 for weights of a normal distribution, more where few pixels have most weight.
    """

    def make(place: Place, images: int) -> dict[str, Any]:
        import scipy.stats

        found = {}
        for name, run in (("robust", robust), ("plain", plain)):
            kernel = np.asarray(place.trained(run).get_layer("dense1").kernel)
            found[name] = float(np.mean(scipy.stats.kurtosis(kernel, fisher=False)))
        return found

    return make


def _flat(images):
    return images.reshape(len(images), -1)
