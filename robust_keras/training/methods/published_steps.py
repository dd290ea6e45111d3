"""How many crafting steps of which size were published."""

# From this epsilon on, the many small steps of the MNIST recipes; below, those of CIFAR-10.
LARGE_EPSILON = 0.1
LARGE_EPSILON_STEPS = 40, 1 / 30  # and the size of each / epsilon
_SMALL_STEPS = 10


def published_steps(epsilon: float, steps: int | None, small_ratio: float) -> dict:
    """The settings `steps` and `step_ratio` of several steps.

    Args:
        epsilon: radius in pixels of [0, 1].
        steps: how many are asked for, which reach as far as those published; None for those.
        small_ratio: size of a step / epsilon where epsilon is below `LARGE_EPSILON`.
    """
    count, ratio = _SMALL_STEPS, small_ratio
    if epsilon >= LARGE_EPSILON:
        count, ratio = LARGE_EPSILON_STEPS
    return {"steps": count, "step_ratio": ratio * count / (steps or count)}
