"""Where images go into a model, and how a model without such a place is refused."""

import dataclasses
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

import tensorflow as tf

from robust_keras.errors import InputError
from robust_keras.serving.endpoint import Endpoint
from robust_keras.serving.examples import Examples
from robust_keras.serving.views.layout import Layout, layout_of

_EXPECTED = "a model that takes one image batch (batch, height, width, channels)"


@dataclasses.dataclass(frozen=True)
class Entrance:
    """The function of a model that is attacked.

    Args:
        endpoint: `Endpoint` of the model, as it is.
        layout: `Layout`, how its input is read.
        output: name of the output that was asked for, or None.
        notes: sentences on what was chosen.
    """

    endpoint: Endpoint
    layout: Layout
    output: str | None = None
    notes: tuple = ()


def layout_of_inputs(specs: Sequence[Any], examples: Examples | None) -> Any:
    """The `Layout` of the only input; None where there are more, or it takes no such images."""
    if len(specs) != 1 or specs[0].shape.rank in (None, 0):
        return None
    if not (specs[0].dtype.is_floating or specs[0].dtype.is_integer):
        return None
    return layout_of(specs[0].shape[1:], examples.image_shape if examples else None)


def refuse(
    path: str | pathlib.Path, received: object, specs: Sequence[Any], examples: Examples | None
) -> None:
    """Raises the InputError of a model without a place for the images, and says what to do.

    Args:
        path: of the model.
        received: what it takes, in words.
        specs: list of lists of `tf.TensorSpec`s, those of each of its functions.
        examples: `Examples` that it should have taken, or None.
    """
    expected = _EXPECTED
    if examples is not None:
        expected = f"a model of {tuple(examples.image_shape)} images, as in {examples.name}"
    raise InputError.expected(str(path), f"{expected} ({_advice(specs, examples)})", received)


def _advice(specs, examples):
    if any(len(inputs) > 1 for inputs in specs):
        return "fix its other inputs inside a model of the image alone, and give that"
    if examples is None or not any(i and i[0].shape.rank == 4 for i in specs):
        return "put what makes it of an image into the model, and give that"
    return "resize the images, or put keras.layers.Resizing in front of the model, and give that"


def named_tensors(outputs: Any, names: Any = None) -> dict[str, tf.Tensor]:
    """A dict from name to tensor, whatever structure a model returned.

    Args:
        outputs: a tensor, or a structure of tensors.
        names: names for the members of a list, or None.
    """
    if isinstance(outputs, dict):
        return {
            f"{key}/{name}" if name else str(key): tensor
            for key, value in outputs.items()
            for name, tensor in _numbered(value).items()
        }
    numbered = _numbered(outputs)
    if names and len(set(names)) == len(numbered) > 1:
        return dict(zip(names, numbered.values(), strict=True))
    return {name or "output": tensor for name, tensor in numbered.items()}


def _numbered(value):
    tensors = tf.nest.flatten(value)
    if len(tensors) == 1:
        return {"": tensors[0]}
    return {f"output_{index}": tensor for index, tensor in enumerate(tensors)}


def shown_specs(named: Mapping[str, Any]) -> str:
    """What a function takes, in words.

    Args:
        named: dict from name to `tf.TensorSpec`.
    """
    shown = [f"'{key}' {spec.dtype.name} {_shape(spec)}" for key, spec in sorted(named.items())]
    return ", ".join(shown) or "no input"


def _shape(spec):
    return "of unknown rank" if spec.shape.rank is None else tuple(spec.shape)
