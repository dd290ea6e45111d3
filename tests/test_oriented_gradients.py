"""Histograms of oriented gradients: which direction counts, how much, and where."""

import numpy as np
import pytest

from robust_keras.studies.oriented_gradients import histograms

ANGLES = 9


def ramp(across, down):
    """One 8x8 image whose brightness rises by so much a pixel."""
    rows, columns = np.mgrid[:8, :8]
    return (across * columns + down * rows)[None].astype(float)


@pytest.mark.parametrize(
    ("across", "down", "angle"),
    [(0.05, 0.0, 0), (-0.05, 0.0, 0), (0.0, 0.05, 4), (0.05, 0.05, 2), (0.05, -0.05, 6)],
)
def test_a_ramp_counts_for_its_direction_whatever_its_sign(across, down, angle):
    found = histograms(ramp(across, down)).reshape(4, ANGLES)
    wanted = np.zeros((4, ANGLES))
    wanted[:, angle] = 0.5
    np.testing.assert_allclose(found, wanted, atol=1e-5)


def test_contrast_is_divided_out_and_nothing_stays_nothing():
    image = np.random.default_rng(0).uniform(size=(1, 28, 28))
    np.testing.assert_allclose(histograms(image), histograms(image / 2), atol=1e-5)
    assert histograms(image).shape == (1, 6 * 6 * 4 * ANGLES)
    assert not histograms(np.full((1, 8, 8), 0.7)).any()


def test_an_edge_counts_in_its_own_cell():
    image = np.zeros((1, 8, 8))
    image[:, 1, 1] = 1.0
    found = histograms(image).reshape(4, ANGLES)
    assert found[0].any() and not found[1:].any()
