"""What the kernel-activation study's networks answer, rebuilt ones and the published files."""

import numpy as np

from robust_keras.studies import published_networks
from robust_keras.studies.study import MadeBy, Place

# The attack of the study: 50 steps of 2/255 at 8/255.
_EPSILON, _STEP, _STEPS = 8 / 255, 2 / 255, 50
_BATCH = 100


def clean(names: tuple[str, ...]) -> MadeBy:
    """Which test images the rebuilt networks read.

    Args:
        names: of networks that have been rebuilt.

    Returns:
        A `Make.make` whose result has a text of 0 and 1 for each network, one character an image.
    """

    def make(place: Place, images: int) -> dict[str, str]:
        pixels, labels = _test(place, images)
        found = {}
        for name in names:
            answers = place.trained(name).predict(pixels, batch_size=_BATCH, verbose=0)
            found[name] = _text(answers.argmax(1) == labels)
        return found

    return make


def carried_back(names: tuple[str, ...]) -> MadeBy:
    """Whether what fools a rebuilt network fools the published file as well.

    Args:
        names: of rebuilt networks that have been attacked.

    Returns:
        A `Make.make` whose result has a text for each network, one character an adversarial image
        that the published file reads while it is as it was: 1 where it is wrong about the changed
        one.
    """

    def make(place: Place, images: int) -> dict[str, str]:
        found = {}
        for name in names:
            kept = np.load(place.directory / f"{name}-0-report" / "adversarial_examples.npz")
            model = published_networks.file(place.networks(name))
            pairs = (kept[kind][:images] for kind in ("originals", "images"))
            before, after = (_answers(model, part) == kept["labels"][:images] for part in pairs)
            found[name] = _text(~after[before])
        return found

    return make


def own_gradients(name: str) -> MadeBy:
    """What the study's attack leaves of a published file, by the file's own gradients.

    Args:
        name: of a published network whose gradient was saved.

    Returns:
        A `Make.make` whose result has two texts, 1 where an image holds out: `inference`, by the
        gradients of the network as it answers, and `training`, with batch normalisation by the
        batch, as the study's program took them.
    """

    def make(place: Place, images: int) -> dict[str, str]:
        model = published_networks.file(place.networks(name))
        pixels, labels = _test(place, images)
        return {
            mode: _text(_left(model, pixels, labels, mode == "training"))
            for mode in ("inference", "training")
        }

    return make


def _test(place, images):
    from robust_keras import data

    test = data.load("cifar10", place.data_dir).test.select(slice(0, images))
    return test.float_images(), np.asarray(test.labels)


def _text(truths):
    return "".join("01"[int(truth)] for truth in truths)


def _answers(model, pixels):
    batches = [pixels[start : start + _BATCH] for start in range(0, len(pixels), _BATCH)]
    return np.concatenate([model(batch, training=False).numpy().argmax(1) for batch in batches])


def _left(model, pixels, labels, training):
    """Bool array (images,): what one random start of the attack leaves."""
    attacked = []
    gradient = _gradient(model, training)
    generator = np.random.default_rng(0)
    for start in range(0, len(pixels), _BATCH):
        originals = pixels[start : start + _BATCH]
        low, high = np.maximum(originals - _EPSILON, 0), np.minimum(originals + _EPSILON, 1)
        images = generator.uniform(low, high).astype("float32")
        for _ in range(_STEPS):
            rising = np.sign(gradient(images, labels[start : start + _BATCH]).numpy())
            images = np.clip(images + np.float32(_STEP) * rising, low, high)
        attacked.append(images)
    return _answers(model, np.concatenate(attacked)) == labels


def _gradient(model, training):
    import keras
    import tensorflow as tf

    @tf.function(autograph=False)
    def gradient(images, labels):
        with tf.GradientTape() as tape:
            tape.watch(images)
            probabilities = model(images, training=training)
            loss = keras.losses.sparse_categorical_crossentropy(labels, probabilities)
        return tape.gradient(loss, images)

    return lambda images, labels: gradient(tf.constant(images), tf.constant(labels))
