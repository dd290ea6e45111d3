"""The ball and the pixel range, to the last bit."""

import numpy as np
import pytest

from robust_keras.attacks import ThreatModel
from robust_keras.errors import InputError

RANDOM = np.random.default_rng(0)
IMAGES = RANDOM.uniform(size=(64, 5, 6, 3)).astype("float32")
IMAGES[:8] = np.round(IMAGES[:8])


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("l1", (0.1,)), "norm: expected one of linf, l2; received l1"),
        (("linf", ()), "epsilons: expected strictly rising numbers"),
        (("linf", (0.2, 0.1)), "strictly rising"),
        (("linf", (0.1, 0.1)), "strictly rising"),
        (("linf", (-0.1,)), "epsilon: expected a number in [0, 1] (linf); received -0.1"),
        (("linf", (0.5, 8.0)), "received 8.0"),
        (("linf", (float("nan"),)), "epsilon"),
        (("l2", (float("inf"),)), "epsilon: expected a number >= 0 (l2); received inf"),
        (("l2", ("far",)), "epsilons: expected a sequence of numbers"),
        (("linf", 0.1), "epsilons: expected a sequence of numbers; received 0.1"),
        (("linf", (0.1,), (1.0, 0.0)), "bounds: expected a smaller and a larger number"),
        (("linf", (0.1,), (0.0,)), "bounds"),
    ],
)
def test_bad_threat_models_are_refused(arguments, text):
    with pytest.raises(InputError) as caught:
        ThreatModel(*arguments)
    assert text in str(caught.value)


def test_limits_depend_on_norm_and_bounds():
    assert ThreatModel("linf", (128.0,), (0.0, 255.0)).width == 255.0
    assert ThreatModel("l2", (3.5,)).largest_epsilon((4, 4, 1)) == 4.0
    assert ThreatModel("linf", (0, 1)).largest_epsilon((4, 4, 1)) == 1.0
    assert ThreatModel("linf", np.array([0.1, 0.2])).epsilons == (0.1, 0.2)


@pytest.mark.parametrize("norm", ["linf", "l2"])
@pytest.mark.parametrize("epsilon", [0.0, 1e-7, 1e-3, 2 / 255, 0.1, 0.3, 0.7, 1.0])
@pytest.mark.parametrize("scale", [1e-4, 0.3, 10.0, 1e30])
def test_projection_lies_in_the_ball_and_the_range(norm, epsilon, scale):
    model = ThreatModel(norm, (epsilon,))
    candidates = IMAGES + scale * RANDOM.standard_normal(IMAGES.shape)
    projected = model.project(IMAGES, candidates, epsilon)
    assert projected.dtype == np.float32 and projected.shape == IMAGES.shape
    assert projected.min() >= 0.0 and projected.max() <= 1.0
    assert np.all(model.distances(IMAGES, projected) <= epsilon)
    # The same measured as a reader of the arrays would, in float32.
    change = (projected - IMAGES).reshape(len(IMAGES), -1)
    order = np.inf if norm == "linf" else 2
    assert np.all(np.linalg.norm(change, ord=order, axis=1) <= np.float32(epsilon))


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_projection_keeps_what_is_inside_and_reaches_the_boundary(norm):
    model = ThreatModel(norm, (0.2,))
    inside = np.clip(IMAGES + RANDOM.uniform(-0.01, 0.01, IMAGES.shape), 0, 1).astype("float32")
    np.testing.assert_array_equal(model.project(IMAGES, inside, 0.2), inside)
    grey = np.full_like(IMAGES, 0.5)
    outside = grey + RANDOM.choice([-1.0, 1.0], IMAGES.shape)
    np.testing.assert_allclose(model.distances(grey, model.project(grey, outside, 0.2)), 0.2, 1e-5)


@pytest.mark.parametrize("norm", ["linf", "l2"])
@pytest.mark.parametrize("pixel", [np.nan, np.inf, -np.inf])
def test_candidates_that_are_no_images_become_the_image(norm, pixel):
    candidates = IMAGES + 0.1
    candidates[3, 0, 0, 0] = pixel
    projected = ThreatModel(norm, (0.2,)).project(IMAGES, candidates, 0.2)
    np.testing.assert_array_equal(projected[3], IMAGES[3])
    assert np.abs(projected[10] - IMAGES[10]).max() > 0


def test_distances_are_those_of_the_definition():
    others = np.clip(IMAGES + 0.25, 0, 1)
    change = np.abs(others.astype("float64") - IMAGES)
    linf, l2 = (ThreatModel(norm, (1.0,)).distances(IMAGES, others) for norm in ("linf", "l2"))
    np.testing.assert_array_equal(linf, change.max(axis=(1, 2, 3)))
    np.testing.assert_allclose(l2, np.sqrt((change**2).sum(axis=(1, 2, 3))), rtol=1e-12)


@pytest.mark.parametrize(
    ("images", "text"),
    [
        (IMAGES * 255, "pixels in [0, 255]"),
        (IMAGES - 0.5, "pixels in [-0.5, 0.5]"),
        (np.where(IMAGES > 0.5, np.nan, IMAGES), "not finite"),
        (IMAGES.astype("uint8"), "uint8"),
        (IMAGES[0], "(5, 6, 3)"),
    ],
)
def test_images_out_of_range_are_refused(images, text):
    with pytest.raises(InputError) as caught:
        ThreatModel("linf", (0.1,)).check_images(images)
    assert text in str(caught.value) and "\n" not in str(caught.value)
