"""Confidence intervals of a measured fraction."""

import math
import statistics


def wilson(correct, examples, confidence=0.95):
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
