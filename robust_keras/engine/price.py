"""What an attack may cost at most."""

from collections.abc import Iterable

from robust_keras.attacks.attack import Attack

# A gradient takes about as long as three forward passes.
_FORWARDS_A_GRADIENT = 3


def passes_at_most(stage: Attack, image_shape: tuple[int, ...]) -> int:
    """Forward passes an image, or as many as take as long, that an attack may make at an epsilon.

    Args:
        stage: `Attack` that is no cascade.
        image_shape: (height, width, channels).
    """
    gradients, forwards = stage.passes(image_shape)
    return stage.rounds * (_FORWARDS_A_GRADIENT * gradients + forwards)


def cheapest_first(
    attacks: Iterable[Attack], norm: str, image_shape: tuple[int, ...]
) -> tuple[Attack, ...]:
    """The attacks by what all their stages may cost at most in a norm, as a tuple.

    Args:
        attacks: `Attack`s, cascades included.
        norm: "linf" or "l2".
        image_shape: (height, width, channels).

    Example:
        >>> [attack.name for attack in cheapest_first([PGD(), FGSM()], "linf", (28, 28, 1))]
        ['fgsm', 'pgd']
    """

    def price(attack):
        return sum(passes_at_most(stage, image_shape) for stage in attack.stages(norm))

    return tuple(sorted(attacks, key=price))
