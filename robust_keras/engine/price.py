"""What an attack may cost at most."""

# A gradient takes about as long as three forward passes.
_FORWARDS_A_GRADIENT = 3
# Attacks that a search for an image's epsilon takes, about.
_PROBES = 3


def passes_at_most(stage, *, searched=False):
    """Forward passes an image, or as many as take as long, that an attack may make at an epsilon.

    Args:
        stage: `Attack` that is no cascade.
        searched: whether it is run several times, in search of an image's epsilon.
    """
    forwards = _FORWARDS_A_GRADIENT * stage.gradient_evaluations + stage.forward_evaluations
    passes = stage.rounds * forwards
    return passes * _PROBES if searched else passes


def cheapest_first(attacks, norm):
    """The attacks by what all their stages may cost at most in a norm, as a tuple.

    Args:
        attacks: `Attack`s, cascades included.
        norm: "linf" or "l2".

    Example:
        >>> [attack.name for attack in cheapest_first([PGD(), FGSM()], "linf")]
        ['fgsm', 'pgd']
    """
    return tuple(sorted(attacks, key=lambda a: sum(map(passes_at_most, a.stages(norm)))))
