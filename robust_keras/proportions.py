"""What counts of images can tell, however few there are: intervals and exact tests."""

import math
import statistics
from collections.abc import Sequence

# How often an honest count may be called too high by chance. An audit asks a dozen times.
LEVEL = 0.01


def wilson(correct: int, examples: int, confidence: float = 0.95) -> tuple[float, float]:
    """Gives the Wilson score interval of a binomial fraction.

    With p = correct / examples and z the normal quantile of (1 + confidence) / 2::

        (p + z^2 / 2n -+ z sqrt(p (1 - p) / n + z^2 / 4n^2)) / (1 + z^2 / n)

    It stays inside [0, 1] and keeps a width where p is 0 or 1 (Wilson, 1927). It covers the choice
    of the images only: it says nothing of how much a stronger attack would find.

    Args:
        correct: number of images classified correctly, 0 to `examples`.
        examples: number of images, at least 1.
        confidence: probability in (0, 1) that the interval covers the true fraction.

    Returns:
        `(low, high)`, both in [0, 1].

    Raises:
        ValueError: if a number is out of its range.

    Example:
        >>> low, high = wilson(123, 1000)
        >>> print(f"{low:.4f} {high:.4f}")
        0.1041 0.1448
    """
    if examples < 1 or not 0 <= correct <= examples:
        raise ValueError(
            "`correct` must be in [0, examples] and `examples` at least 1. "
            f"Received: correct={correct}, examples={examples}"
        )
    if not 0.0 < confidence < 1.0:
        raise ValueError(f"`confidence` must be in (0, 1). Received: confidence={confidence}")
    z = statistics.NormalDist().inv_cdf((1.0 + confidence) / 2.0)
    fraction = correct / examples
    shrink = 1.0 + z * z / examples
    centre = (fraction + z * z / (2 * examples)) / shrink
    spread = fraction * (1.0 - fraction) / examples + z * z / (4 * examples * examples)
    half = z * math.sqrt(spread) / shrink
    low = 0.0 if correct == 0 else max(0.0, centre - half)
    high = 1.0 if correct == examples else min(1.0, centre + half)
    return low, high


def clearly_above(count: int, trials: int, share: float, level: float = LEVEL) -> bool:
    """Whether so many successes are hardly possible where their true share is `share` at most.

    Exact binomial test, one-sided: P(X >= count) < level.

    Args:
        count: successes, 0 to `trials`.
        trials: how often was tried.
        share: true share that is tolerated, in [0, 1].
        level: probability of a false alarm at exactly that share.

    Example:
        >>> clearly_above(1, 40, 0.01), clearly_above(10, 200, 0.01)
        (False, True)
    """
    if count <= 0 or share >= 1.0:
        return False
    if share <= 0.0:
        return True
    tail = math.fsum(math.exp(_log_binomial(trials, k, share)) for k in range(count, trials + 1))
    return tail < level


def clearly_more(only_first: int, only_second: int, level: float = LEVEL) -> bool:
    """Whether the first of two ways did better on the same images than chance explains.

    Exact sign test on the images that tell the two apart (McNemar, 1947), one-sided.

    Args:
        only_first: images on which only the first succeeded.
        only_second: images on which only the second did.
        level: probability of a false alarm where both are equally good.

    Example:
        >>> clearly_more(2, 0), clearly_more(10, 1)
        (False, True)
    """
    return clearly_above(only_first, only_first + only_second, 0.5, level)


def sign_test(only_first: int, only_second: int) -> float:
    """Gives how likely a gap as wide as this is where two ways are equally good, either one ahead.

    Exact sign test on the images that tell the two apart (McNemar, 1947), two-sided.

    Args:
        only_first: images on which only the first succeeded.
        only_second: images on which only the second did.

    Returns:
        p value in [0, 1].

    Example:
        >>> round(sign_test(1, 9), 6), sign_test(3, 3)
        (0.021484, 1.0)
    """
    apart = only_first + only_second
    few = min(only_first, only_second)
    return min(1.0, 2.0 * math.fsum(math.exp(_log_binomial(apart, k, 0.5)) for k in range(few + 1)))


def paired_difference(
    both: int, only_first: int, only_second: int, neither: int, confidence: float = 0.95
) -> tuple[float, float]:
    """Gives the interval of how much more often the first of two ways succeeds on the same images.

    Wilson's intervals of both shares, put together with the correlation that the images show
    (Newcombe, 1998, Statistics in Medicine 17, method 10).

    Args:
        both: images on which both succeeded.
        only_first: images on which only the first did.
        only_second: images on which only the second did.
        neither: images on which none did.
        confidence: probability in (0, 1) that the interval covers the true difference.

    Returns:
        `(low, high)`, both in [-1, 1].

    Example:
        >>> low, high = paired_difference(70, 20, 5, 5)
        >>> print(f"{low:.3f} {high:.3f}")
        0.053 0.247
    """
    images = both + only_first + only_second + neither
    first, second = both + only_first, both + only_second
    phi = _correlation(both, only_first, only_second, neither)
    low_1, high_1 = wilson(first, images, confidence)
    low_2, high_2 = wilson(second, images, confidence)
    share_1, share_2 = first / images, second / images
    below = _together(share_1 - low_1, high_2 - share_2, phi)
    above = _together(high_1 - share_1, share_2 - low_2, phi)
    middle = share_1 - share_2
    return max(-1.0, middle - below), min(1.0, middle + above)


def mean_falling(places: Sequence[float], values: Sequence[float]) -> tuple[float, float, float]:
    """Gives the mean of a quantity that never rises, known at some places, between the ends.

    Args:
        places: where it is known, from the first end to the last, never falling.
        values: what it is there.

    Returns:
        `(middle, low, high)`: with straight lines between the places, and the least and the most
        that it can be. The last value where all places are one.

    Example:
        >>> mean_falling((0.0, 0.5, 1.0), (1.0, 0.5, 0.0))
        (0.5, 0.25, 0.75)
    """
    length = places[-1] - places[0]
    if not length:
        return values[-1], values[-1], values[-1]
    shares = [(b - a) / length for a, b in zip(places, places[1:], strict=False)]
    # Shares add up to 1 but for rounding, and no mean lies outside its values.
    high = min(math.fsum(s * v for s, v in zip(shares, values, strict=False)), values[0])
    low = max(math.fsum(s * v for s, v in zip(shares, values[1:], strict=True)), values[-1])
    return (low + high) / 2.0, low, high


def _correlation(both, only_first, only_second, neither):
    """How far two ways succeed on the same images, with the correction for small numbers."""
    images = both + only_first + only_second + neither
    margins = (both + only_first) * (only_second + neither)
    margins *= (both + only_second) * (only_first + neither)
    if not margins:
        return 0.0
    product = both * neither - only_first * only_second
    shrunk = max(product - images / 2, 0.0) if product > 0 else product
    return shrunk / math.sqrt(margins)


def _together(first, second, phi):
    return math.sqrt(max(0.0, first**2 - 2.0 * phi * first * second + second**2))


def _log_binomial(trials, count, share):
    ways = math.lgamma(trials + 1) - math.lgamma(count + 1) - math.lgamma(trials - count + 1)
    return ways + count * math.log(share) + (trials - count) * math.log1p(-share)
