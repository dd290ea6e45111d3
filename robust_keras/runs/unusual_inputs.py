"""The unusual inputs that a config asks for."""

from typing import Any

from robust_keras import unusual
from robust_keras.runs.nonsense_set import NonsenseSet
from robust_keras.settings import names

# Each takes an `EvaluateConfig` and a `NonsenseSet` or None.
UNUSUAL = names.table(
    names.UNUSUAL,
    {
        "noisy": lambda config, _: unusual.NoisySamples(clip=config.unusual_clip),
        "nonsense": lambda config, foreign: unusual.NonsenseSamples(
            clip=config.unusual_clip,
            **({"foreign": foreign.images, "source": foreign.mark} if foreign else {}),
        ),
        "fooling_gradient": lambda config, _: unusual.GradientAscent(
            steps=config.fooling_steps, decay=config.fooling_decay, start=config.fooling_start
        ),
        "fooling_direct": lambda config, _: unusual.MapElites(
            encoding=unusual.DirectEncoding(), generations=config.fooling_generations
        ),
        "fooling_cppn": lambda config, _: unusual.MapElites(
            encoding=unusual.CPPNEncoding(), generations=config.fooling_generations
        ),
    },
)


def unusual_inputs(config: Any, foreign: NonsenseSet | None = None) -> list:
    """What `examine` shall show a model; nothing for `--unusual=none`."""
    return [UNUSUAL[name](config, foreign) for name in config.unusual if name != "none"]
