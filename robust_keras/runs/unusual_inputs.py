"""The unusual inputs that a config asks for."""

from typing import Any

from robust_keras import unusual
from robust_keras.settings import names

# Each takes an `EvaluateConfig`.
UNUSUAL = names.table(
    names.UNUSUAL,
    {
        "noisy": lambda config: unusual.NoisySamples(clip=config.unusual_clip),
        "nonsense": lambda config: unusual.NonsenseSamples(clip=config.unusual_clip),
        "fooling_gradient": lambda config: unusual.GradientAscent(
            steps=config.fooling_steps, decay=config.fooling_decay, start=config.fooling_start
        ),
        "fooling_direct": lambda config: unusual.MapElites(
            encoding=unusual.DirectEncoding(), generations=config.fooling_generations
        ),
        "fooling_cppn": lambda config: unusual.MapElites(
            encoding=unusual.CPPNEncoding(), generations=config.fooling_generations
        ),
    },
)


def unusual_inputs(config: Any) -> list:
    """What `examine` shall show a model; nothing for `--unusual=none`."""
    return [UNUSUAL[name](config) for name in config.unusual if name != "none"]
