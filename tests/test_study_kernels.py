"""What a study's own steps make of the inside of networks."""

import numpy as np

from robust_keras.studies import kernels


def test_a_histogram_counts_what_lies_nearest_and_its_ends_what_lies_farther():
    values = np.array([[-99.0, -2.8], [-0.26, -0.2], [0.0, 0.24], [2.7, 2.8]])
    shares = dict(zip(kernels.DEVIATIONS, kernels._nearest(values), strict=True))
    assert {place: share for place, share in shares.items() if share} == {
        -3.0: 0.25,
        -0.5: 0.125,
        0.0: 0.375,
        2.5: 0.125,
        3.0: 0.125,
    }
