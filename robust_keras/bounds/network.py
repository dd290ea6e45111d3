"""A Keras model as a list of layers in the order of their computation."""

import dataclasses

import keras

from robust_keras.errors import InputError


@dataclasses.dataclass(frozen=True)
class Step:
    """One layer at work.

    Args:
        layer: the `keras.Layer` (or another operation of Keras).
        sources: numbers of the values that it takes; 0 is the image, n the result of step n - 1.
        last: whether nothing follows.
    """

    layer: keras.Layer
    sources: tuple[int, ...]
    last: bool = False

    @property
    def ends_in_softmax(self) -> bool:
        """Whether it makes the network's logits into probabilities, which changes no order."""
        function = getattr(self.layer, "activation", None)
        softmax = isinstance(self.layer, keras.layers.Softmax)
        return self.last and (softmax or function is keras.activations.softmax)


def steps(model: keras.Model) -> list[Step]:
    """The layers of a functional or sequential model, nested models opened.

    Args:
        model: a built `keras.Model` with one input and one output.

    Returns:
        A list of `Step`s whose last one gives the model's output.

    Raises:
        InputError: the model is subclassed, so that its layers' order is code, or has several
            inputs or outputs.

    Example:
        >>> [type(step.layer).__name__ for step in steps(keras.Sequential([keras.Input((2,)),
        ...     keras.layers.Dense(3), keras.layers.ReLU()]))]
        ['Dense', 'ReLU']
    """
    found: list[Step] = []
    last = _add(model, 0, found)
    if not found or last != len(found):
        raise InputError.expected(
            "bounds", "a model whose output is that of its last layer", model.name
        )
    found[-1] = dataclasses.replace(found[-1], last=True)
    return found


def _add(model, source, found):
    """Appends the steps of a model; returns the number of its result."""
    if isinstance(model, keras.Sequential):
        for layer in model.layers:
            source = _add_layer(layer, (source,), found)
        return source
    if not getattr(model, "inputs", None) or len(model.inputs) != 1 or len(model.outputs) != 1:
        raise InputError.expected(
            "bounds",
            "a Sequential or functional model with one input and one output; write the model in "
            "one of these forms",
            f"{type(model).__name__} {model.name}",
        )
    return _add_functional(model, source, found)


def _add_functional(model, source, found):
    numbers = {}

    def follow(layer, *args, **kwargs):
        outputs = layer(*args, **kwargs)
        tensors = [t for t in keras.tree.flatten((args, kwargs)) if keras.utils.is_keras_tensor(t)]
        # The one value that no layer before it has made is the model's input.
        sources = tuple(numbers.get(id(tensor), source) for tensor in tensors)
        numbers[id(outputs)] = _add_layer(layer, sources, found)
        kept.extend([*tensors, outputs])
        return outputs

    kept = []  # Identities mean something only as long as the tensors live.
    copy = keras.models.clone_model(model, call_function=follow, clone_function=lambda layer: layer)
    return numbers[id(copy.outputs[0])]


def _add_layer(layer, sources, found):
    if isinstance(layer, keras.layers.InputLayer):
        return sources[0]
    if isinstance(layer, keras.Model):
        return _add(layer, sources[0], found)
    found.append(Step(layer, sources))
    return len(found)
