"""Which kernels are pruned, which patterns fit them, and how sparsity is counted."""

import keras
import numpy as np
import pytest

from robust_keras.layers import KernelActivation
from robust_keras.training import pruning
from robust_keras.training.prunable_kernels import prunable_kernels
from robust_keras.training.pruning_pattern import PruningPattern


class Block(keras.layers.Layer):
    """A custom layer with a convolution inside, which `Model.layers` does not show."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.convolution = keras.layers.Conv2D(4, 1, name="inner")

    def build(self, input_shape):
        self.convolution.build(input_shape)

    def call(self, images):
        return self.convolution(images)


def network():
    inner = keras.Sequential(
        [keras.layers.Input((36,)), keras.layers.Dense(3, name="a"), keras.layers.Dense(2)],
        name="head",
    )
    shared = keras.layers.Conv2D(4, 3, padding="same", name="shared")
    inputs = keras.Input((5, 5, 4))
    outputs = shared(keras.layers.BatchNormalization()(shared(inputs)))
    outputs = KernelActivation()(outputs)
    outputs = Block(name="block_1")(Block(name="block_2")(outputs))
    outputs = keras.layers.DepthwiseConv2D(2, name="depthwise")(outputs)
    outputs = keras.layers.SeparableConv2D(4, 2, name="separable")(outputs)
    return keras.Model(inputs, inner(keras.layers.Flatten()(outputs)))


KINDS = {
    ("dense",): ["a", "dense"],
    ("conv",): ["shared", "inner", "inner", "separable"],
    ("depthwise",): ["depthwise", "separable"],
    ("dense", "conv"): ["shared", "inner", "inner", "separable", "a", "dense"],
}


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(0)
    keras.backend.clear_session()
    return network()


@pytest.mark.parametrize("kinds", KINDS)
def test_kernels_of_the_chosen_kinds_in_layer_order(model, kinds):
    kernels = prunable_kernels(model, kinds)
    assert [kernel.layer_name for kernel in kernels] == KINDS[kinds]
    assert all(kernel.path.rpartition("/")[2].endswith("kernel") for kernel in kernels)


def test_layers_can_be_left_out(model):
    kernels = prunable_kernels(model, skip_layers=["block_1", "head"])
    assert [kernel.layer_name for kernel in kernels] == ["shared", "inner", "separable"]
    kernels = prunable_kernels(model, skip_last=True)
    assert [kernel.layer_name for kernel in kernels] == KINDS["dense", "conv"][:-1]


class Twins(keras.Model):
    """Two layers of one name, which Keras allows here, have kernels of one path."""

    def __init__(self):
        super().__init__(name="twins")
        self.blocks = [keras.layers.Dense(4, name="twin"), keras.layers.Dense(4, name="twin")]

    def call(self, features):
        return self.blocks[1](self.blocks[0](features))


def test_kernels_of_one_path_are_told_apart():
    model = Twins()
    model(np.zeros((1, 4), "float32"))
    model.blocks[1].kernel.assign(np.zeros((4, 4)))
    assert pruning.layer_sparsities(model) == {
        "twins/twin/kernel": 0.0,
        "twins/twin/kernel#2": 1.0,
    }


def test_sparsity_counts_exact_zeros_over_all_weights():
    sequential = keras.Sequential(
        [keras.layers.Input((4,)), keras.layers.Dense(6), keras.layers.Dense(2)]
    )
    first, second = (layer.kernel for layer in sequential.layers)
    first.assign(np.where(np.arange(24).reshape(4, 6) < 6, 0.0, 1.0))
    second.assign(np.where(np.arange(12).reshape(6, 2) < 9, -0.0, 1e-30))
    assert pruning.layer_sparsities(sequential) == {first.path: 0.25, second.path: 0.75}
    assert pruning.sparsity(sequential) == pytest.approx(15 / 36)
    assert pruning.sparsity(sequential, ("conv",)) == 0.0


BAD_SELECTIONS = {
    "unknown kind": (dict(layer_kinds=("dense", "lstm")), "layer_kinds.*'lstm'"),
    "no kind": (dict(layer_kinds=()), r"layer_kinds.*Received: layer_kinds=\(\)"),
    "kind as text": (dict(layer_kinds="dense"), "layer_kinds.*'dense'"),
    "unknown layer": (dict(skip_layers=["b"]), r"skip_layers.*Received: \['b'\]"),
}


@pytest.mark.parametrize("name", BAD_SELECTIONS)
def test_bad_selections_are_refused(model, name):
    arguments, message = BAD_SELECTIONS[name]
    with pytest.raises(ValueError, match=message):
        prunable_kernels(model, **arguments)


def test_layers_that_cannot_be_pruned_are_named():
    unbuilt = keras.Sequential([keras.layers.Dense(3, name="late")])
    with pytest.raises(ValueError, match="must be built.*'late'"):
        prunable_kernels(unbuilt)
    adapted = keras.Sequential([keras.layers.Input((4,)), keras.layers.Dense(3, name="adapted")])
    adapted.layers[0].enable_lora(2)
    with pytest.raises(ValueError, match="'adapted' must hold its `kernel` as one float variable"):
        prunable_kernels(adapted)


BAD_PATTERNS = {
    "pooling": (dict(block_pooling="SUM"), 'be "AVG" or "MAX". Received: block_pooling=.SUM'),
    "block of zero": (dict(block_size=(0, 2)), r"block_size.*Received: block_size=\(0, 2\)"),
    "block of one number": (dict(block_size=4), "block_size.*Received: block_size=4"),
    "m not below n": (dict(m_by_n=(4, 4)), r"0 < m < n. Received: sparsity_m_by_n=\(4, 4\)"),
    "both": (dict(m_by_n=(2, 4), block_size=(2, 2)), r"must be \(1, 1\).*\(2, 2\)"),
}


@pytest.mark.parametrize("name", BAD_PATTERNS)
def test_bad_patterns_are_refused(name):
    arguments, message = BAD_PATTERNS[name]
    with pytest.raises(ValueError, match=message):
        PruningPattern(**arguments)


FITS = {
    "2 by 4, dense": (dict(m_by_n=(2, 4)), (4, 1), True),
    "2 by 4, six channels": (dict(m_by_n=(2, 4)), (3, 3, 6, 2), True),
    "2 by 4, grey images": (dict(m_by_n=(2, 4)), (5, 5, 1, 6), False),
    "2 by 4, Conv1D": (dict(m_by_n=(2, 4)), (3, 8, 8), False),
    "blocks, dense": (dict(block_size=(4, 4)), (5, 5), True),
    "blocks, one row of them": (dict(block_size=(4, 1)), (4, 8), False),
    "blocks, one column": (dict(block_size=(2, 1)), (8, 1), False),
    "blocks, convolution": (dict(block_size=(2, 2)), (3, 3, 8, 8), False),
    "single weights": ({}, (3, 3, 1, 1), True),
}


@pytest.mark.parametrize("name", FITS)
def test_kernels_that_do_not_fit_a_pattern_are_named(name):
    arguments, shape, fits = FITS[name]
    pattern = PruningPattern(**arguments)
    if fits:
        pattern.check("conv1", shape)
        return
    with pytest.raises(ValueError, match="Layer 'conv1' cannot be pruned.*Received: a kernel") as e:
        pattern.check("conv1", shape)
    assert str(shape) in str(e.value)
