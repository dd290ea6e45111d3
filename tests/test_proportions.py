"""Intervals and exact tests against scipy's."""

import pytest
import scipy.stats

from robust_keras.proportions import clearly_above, clearly_more


@pytest.mark.parametrize("trials", [1, 5, 40, 200, 5000])
@pytest.mark.parametrize("share", [0.01, 0.1, 0.5, 0.9])
def test_clearly_above_is_the_exact_binomial_test(trials, share):
    for count in sorted({0, 1, trials // 10, trials // 2, trials}):
        exact = scipy.stats.binom.sf(count - 1, trials, share)
        assert clearly_above(count, trials, share) == (exact < 0.01)


def test_shares_at_the_ends():
    assert not clearly_above(0, 0, 0.5) and not clearly_above(0, 10, 0.0)
    assert clearly_above(1, 10, 0.0) and not clearly_above(10, 10, 1.0)


def test_one_image_of_forty_decides_nothing_and_a_tenth_of_two_hundred_does():
    assert not clearly_above(1, 40, 0.01) and not clearly_above(1, 40, 0.02)
    assert clearly_above(20, 200, 0.02)


def test_clearly_more_is_the_sign_test():
    assert not clearly_more(0, 0) and not clearly_more(3, 0) and not clearly_more(12, 8)
    assert clearly_more(7, 0) and clearly_more(20, 4)
