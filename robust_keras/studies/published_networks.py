"""The networks that the kernel-activation study published, rebuilt with our layers.

They are SavedModels of TensorFlow 2.3 whose activations were computed in half precision; that of
`swish` has lost its gradient, and the kernel activations hold large arrays in their graphs.
"""

from typing import Any

import numpy as np

from robust_keras.studies.study import MadeBy, Place

NAMES = {
    "relu": "relu",
    "elu": "elu",
    "swish": "silu",
    "kaf": "kaf",
    "kafelu": "kaf_elu",
    "kafrelu": "kaf_relu",
    "kafswish": "kaf_silu",
}
_BOUNDARY, _SIZE = 3.0, 20
_BATCH = 20
# Keras 2's default, with which they were trained.
_EPSILON = 1e-3


def rebuilt(name: str) -> MadeBy:
    """Rebuilds a network as `NAME/model.keras` in the study's directory.

    Args:
        name: one of `NAMES`.

    Returns:
        A `Make.make` whose result tells on so many test images of CIFAR-10 how far the answers are
        from the published network's: `largest` difference of a probability, `agree`, the share of
        equal classes, and the `accuracy` of both.
    """

    def make(place: Place, images: int) -> dict[str, Any]:
        import keras

        from robust_keras import data

        model = _network(name)
        _load(model, place.networks(name))
        path = place.directory / name / "model.keras"
        path.parent.mkdir(exist_ok=True)
        model.save(path)
        test = data.load("cifar10", place.data_dir).test.select(slice(0, images))
        pixels = test.float_images()
        ours = keras.ops.softmax(model.predict(pixels, batch_size=_BATCH, verbose=0))
        return _compared(np.asarray(ours), _published(place.networks(name), pixels), test.labels)

    return make


def _compared(ours, theirs, labels):
    return {
        "largest": round(float(np.abs(ours - theirs).max()), 4),
        "agree": float((ours.argmax(1) == theirs.argmax(1)).mean()),
        "accuracy": [float((one.argmax(1) == labels).mean()) for one in (ours, theirs)],
        "images": len(labels),
    }


def file(path: Any) -> Any:
    """The published network itself: a function of images in [0, 1] and `training`, to tensors.

    Args:
        path: of its SavedModel.
    """
    import tensorflow as tf

    from robust_keras.serving.plain_path import plain_path

    with plain_path(path) as plain:
        return tf.saved_model.load(str(plain))


def _published(path, pixels):
    """Probabilities (images, 10) of the SavedModel as it is."""
    model = file(path)
    batches = [pixels[i : i + _BATCH] for i in range(0, len(pixels), _BATCH)]
    return np.concatenate([model(batch, training=False) for batch in batches]).astype("float32")


def _network(name):
    """Our ResNet-20, whose shape is theirs, with their dictionary."""
    import dataclasses

    import keras

    from robust_keras import layers, models
    from robust_keras.models import blocks

    def kernel(rank, called):
        return layers.KernelActivation(_SIZE, _BOUNDARY, initializer="random_normal", name=called)

    kind = models.ACTIVATIONS[NAMES[name]]
    if name.startswith("kaf"):
        kind = dataclasses.replace(kind, layer=kernel)
    images = keras.Input((32, 32, 3), dtype="float32", name="images")
    features = models.MODELS["resnet20"].layers(images, kind)
    return keras.Model(images, blocks.classifier(features, 10, kind), name=name)


def _load(model, path):
    """Gives our layers their weights; the bias of a convolution goes into the mean behind it."""
    import keras
    import tensorflow as tf

    checkpoint = tf.train.load_checkpoint(str(path / "variables" / "variables"))
    theirs = _layers(checkpoint)
    bias = 0.0
    for layer in _in_their_order(model):
        if isinstance(layer, keras.layers.Conv2D):
            values = next(theirs)
            layer.kernel.assign(values["kernel"])
            bias = bias + values["bias"]
        elif isinstance(layer, keras.layers.BatchNormalization):
            values = next(theirs)
            layer.epsilon = _EPSILON
            mean = values["moving_mean"] - bias
            layer.set_weights([values["gamma"], values["beta"], mean, values["moving_variance"]])
            bias = 0.0
        elif isinstance(layer, keras.layers.Dense):
            values = next(theirs)
            layer.set_weights([values["kernel"], values["bias"]])
        else:
            layer.mixing_coefficients.assign(next(theirs)["mix_coeffs"][0, 0, 0])


def _layers(checkpoint):
    """The weights of each layer by name, in their order."""
    for number in range(200):
        prefix, suffix = f"layer_with_weights-{number}/", "/.ATTRIBUTES/VARIABLE_VALUE"
        names = [
            key.removeprefix(prefix).removesuffix(suffix)
            for key in checkpoint.get_variable_to_shape_map()
            if key.startswith(prefix) and "OPTIMIZER" not in key
        ]
        yield {name: checkpoint.get_tensor(f"{prefix}{name}{suffix}") for name in names}


def _in_their_order(model):
    """Our layers that have weights; a block's second convolution comes before its projection."""
    weighted = [layer for layer in model.layers if layer.weights]
    names = [layer.name for layer in weighted]
    for place, name in enumerate(names):
        if name.endswith("_projection"):
            second = names.index(name.replace("projection", "conv2"))
            if second > place:
                weighted[place], weighted[second] = weighted[second], weighted[place]
    return weighted
