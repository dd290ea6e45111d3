"""Finds the function of a loaded SavedModel that maps one image batch to scores."""

import pathlib
from typing import Any

import tensorflow as tf

from robust_keras.errors import InputError
from robust_keras.serving.endpoint import Endpoint
from robust_keras.serving.entrance import (
    Entrance,
    layout_of_inputs,
    named_tensors,
    refuse,
    shown_specs,
)
from robust_keras.serving.examples import Examples

ROOT = "__call__"
_DEFAULT = "serving_default"
_PREFERRED = ("logits", _DEFAULT)


def saved_model_entrance(
    path: str | pathlib.Path, root: Any, *, examples: Examples | None = None, output: Any = None
) -> Entrance:
    """The function of a loaded SavedModel to attack.

    Among the signatures that take one image batch: the one that was asked for, else `logits`, else
    `serving_default`, else the only one; without any signature the root object itself, if it can be
    called.

    Args:
        path: of the model, for errors.
        root: what `tf.saved_model.load` returned.
        examples: `Examples` that it must take, or None.
        output: name of a signature or of an output, or None.

    Raises:
        InputError: no function that takes such images, or several without a default.
    """
    signatures = dict(getattr(root, "signatures", {}))
    if not signatures:
        return _root_entrance(path, root, examples, output)
    specs = {name: _input_specs(function) for name, function in signatures.items()}
    layouts = {name: layout_of_inputs([*of.values()], examples) for name, of in specs.items()}
    fitting = [name for name, layout in layouts.items() if layout is not None]
    if not fitting:
        shown = [f"signature '{name}' of {shown_specs(of)}" for name, of in sorted(specs.items())]
        refuse(path, "; ".join(shown), [[*of.values()] for of in specs.values()], examples)
    name = _chosen(path, signatures, fitting, output)
    passed = _DEFAULT in signatures and _DEFAULT not in fitting and name != "logits"
    return Entrance(
        endpoint(root, name),
        layouts[name],
        None if output == name else output,
        (_passed(specs, name),) if passed else (),
    )


def endpoint(root: Any, name: str, batch_shape: Any = None) -> Endpoint:
    """The `Endpoint` of a loaded SavedModel's signature, or of its root's own function.

    Args:
        root: what `tf.saved_model.load` returned.
        name: of the signature, or "__call__".
        batch_shape: of the input, by which the traces of the root's own function are told apart.
    """
    if name == ROOT:
        traces = [found for found in _root_traces(root) if tuple(found[2].shape) == batch_shape]
        return _trace_endpoint(root, *traces[0])
    function = root.signatures[name]
    key, spec = next(iter(_input_specs(function).items()))
    return Endpoint(
        name=name,
        call=lambda images: function(**{key: images}),
        batch_shape=tuple(spec.shape),
        dtype=spec.dtype,
        variables=tuple(function.variables),
        owner=root,
    )


def _chosen(path, signatures, fitting, output):
    """The name of the signature to take among those that fit."""
    if output in fitting:
        return output
    preferred = [name for name in _PREFERRED if name in fitting]
    names = preferred + sorted(set(fitting) - set(preferred))
    having = [n for n in names if output in (signatures[n].structured_outputs or {})]
    if len(fitting) > 1 and not preferred and not having:
        raise InputError.expected(
            str(path),
            f"one signature that takes images, or '{_DEFAULT}' among several (name one with "
            f"--output={' or --output='.join(names)})",
            f"signatures {', '.join(names)}",
        )
    return (having or names)[0]


def _passed(specs, name):
    return (
        f"Its signature '{name}' is attacked: '{_DEFAULT}', by which a server answers unless "
        f"another is asked for, takes {shown_specs(specs[_DEFAULT])}, no batch of images."
    )


def _root_entrance(path, root, examples, output):
    traces = list(_root_traces(root))
    for found in traces:
        layout = layout_of_inputs([found[2]], examples)
        if layout is not None:
            return Entrance(_trace_endpoint(root, *found), layout, output)
    received = "a SavedModel without signatures"
    functions = getattr(getattr(root, ROOT, None), "concrete_functions", ())
    if functions:
        received += f", called with {functions[0].structured_input_signature}"
    refuse(path, received, [[spec] for _, _, spec in traces], examples)


def _root_traces(root):
    """The traces of the root's own function that take one tensor: trace, arguments, its spec."""
    for trace in getattr(getattr(root, ROOT, None), "concrete_functions", ()):
        structure = trace.structured_input_signature
        leaves = tf.nest.flatten(structure)
        specs = [leaf for leaf in leaves if isinstance(leaf, tf.TensorSpec)]
        # A constant True is a switch such as `training=True`: not the function that is served.
        if len(specs) == 1 and not any(leaf is True for leaf in leaves):
            yield trace, structure, specs[0]


def _trace_endpoint(root, trace, structure, spec):
    function = getattr(root, ROOT)

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


def _input_specs(function):
    return dict(function.structured_input_signature[1])
