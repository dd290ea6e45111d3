"""Finds the function of a loaded model that maps one image batch to scores."""

import tensorflow as tf

from robust_keras.errors import InputError
from robust_keras.serving.classifier import Endpoint

ROOT = "__call__"
_EXPECTED = "a model that takes one float image batch (batch, height, width, channels)"


def saved_model_endpoint(path, root):
    """The function of a loaded SavedModel to attack.

    The signature `logits` if it fits, else `serving_default`, else the only signature; without any
    signature the root object itself, if it can be called.

    Args:
        path: of the model, for errors.
        root: what `tf.saved_model.load` returned.

    Returns:
        An `Endpoint`.

    Raises:
        InputError: no function, several without a default, or one that takes no image batch.
    """
    signatures = dict(getattr(root, "signatures", {}))
    if "logits" in signatures and _fits(signatures["logits"]):
        name = "logits"
    elif "serving_default" in signatures:
        name = "serving_default"
    elif len(signatures) == 1:
        name = next(iter(signatures))
    elif signatures:
        raise InputError.expected(
            str(path), "a SavedModel with the signature 'serving_default'", sorted(signatures)
        )
    else:
        return _root_endpoint(path, root)
    return _signature_endpoint(path, root, name, signatures[name])


def keras_endpoint(path, model):
    """The forward pass of a Keras model in inference mode.

    Args:
        path: of the model, for errors.
        model: built `keras.Model`.

    Returns:
        An `Endpoint`.

    Raises:
        InputError: the model does not take one float image batch.
    """
    if getattr(model, "inputs", None):
        specs = [(tuple(tensor.shape), tensor.dtype) for tensor in model.inputs]
    else:
        built = (model.get_build_config() or {}).get("input_shape")
        single = isinstance(built, (tuple, list)) and all(
            side is None or isinstance(side, int) for side in built
        )
        specs = [(tuple(built), model.compute_dtype)] if single else []
    fits = len(specs) == 1 and len(specs[0][0]) == 4 and tf.as_dtype(specs[0][1]).is_floating
    if not fits:
        shown = ", ".join(f"{dtype} {shape}" for shape, dtype in specs) or "no known input shape"
        raise InputError.expected(str(path), _EXPECTED, shown)
    return Endpoint(
        name=ROOT,
        call=lambda images: named_tensors(model(images, training=False)),
        batch_shape=specs[0][0],
        dtype=tf.as_dtype(specs[0][1]),
        variables=tuple(model.weights),
        owner=model,
    )


def named_tensors(outputs):
    """A dict from name to tensor, whatever structure a model returned."""
    if isinstance(outputs, dict):
        return {
            f"{key}/{name}" if name else str(key): tensor
            for key, value in outputs.items()
            for name, tensor in _numbered(value).items()
        }
    return {name or "output": tensor for name, tensor in _numbered(outputs).items()}


def _numbered(value):
    tensors = tf.nest.flatten(value)
    if len(tensors) == 1:
        return {"": tensors[0]}
    return {f"output_{index}": tensor for index, tensor in enumerate(tensors)}


def _signature_endpoint(path, root, name, function):
    specs = function.structured_input_signature[1]
    if not _fits(function):
        shown = ", ".join(_shown(spec, key) for key, spec in sorted(specs.items())) or "no input"
        raise InputError.expected(str(path), _EXPECTED, f"signature '{name}' of {shown}")
    key, spec = next(iter(specs.items()))
    return Endpoint(
        name=name,
        call=lambda images: function(**{key: images}),
        batch_shape=tuple(spec.shape),
        dtype=spec.dtype,
        variables=tuple(function.variables),
        owner=root,
    )


def _root_endpoint(path, root):
    function = getattr(root, ROOT, None)
    traces = getattr(function, "concrete_functions", ())
    for trace in traces:
        structure = trace.structured_input_signature
        leaves = tf.nest.flatten(structure)
        specs = [leaf for leaf in leaves if isinstance(leaf, tf.TensorSpec)]
        # A constant True is a switch such as `training=True`: not the function that is served.
        if len(specs) == 1 and _is_image_batch(specs[0]) and True not in leaves:
            return _trace_endpoint(root, function, trace, structure, specs[0])
    received = "a SavedModel without signatures"
    if traces:
        received += f", called with {traces[0].structured_input_signature}"
    raise InputError.expected(str(path), _EXPECTED, received)


def _trace_endpoint(root, function, trace, structure, spec):
    def call(images):
        args, kwargs = tf.nest.map_structure(
            lambda leaf: images if isinstance(leaf, tf.TensorSpec) else leaf, structure
        )
        return named_tensors(function(*args, **kwargs))

    return Endpoint(
        name=ROOT,
        call=call,
        batch_shape=tuple(spec.shape),
        dtype=spec.dtype,
        variables=tuple(trace.variables),
        owner=root,
    )


def _fits(function):
    specs = list(function.structured_input_signature[1].values())
    return len(specs) == 1 and _is_image_batch(specs[0])


def _is_image_batch(spec):
    return spec.dtype.is_floating and spec.shape.rank == 4


def _shown(spec, key):
    shape = "of unknown rank" if spec.shape.rank is None else tuple(spec.shape)
    return f"'{key}' {spec.dtype.name} {shape}"
