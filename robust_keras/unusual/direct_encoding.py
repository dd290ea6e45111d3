"""Images that evolve pixel by pixel."""

import dataclasses
import typing

import numpy as np

from robust_keras.attacks.attack import require_number, require_whole
from robust_keras.unusual.real_numbers import polynomial_mutation, simulated_binary_crossover


@dataclasses.dataclass(frozen=True, kw_only=True)
class DirectEncoding:
    """A genome is the image itself: one number in [0, 1] a pixel, uniform at first.

    Args:
        mutation_rate: probability in [0, 1] that a pixel mutates; published: 0.1.
        halving: generations after which that rate halves, again and again; published: 1000.
        mutation_index: of the polynomial mutation, >= 0; published: 15.
        crossover_rate: probability in [0, 1] that two parents are crossed; published: 0.5.
        crossover_index: of the crossover, >= 0; published: 10.

    Raises:
        ValueError: a setting is out of its range.

    Reference: Nguyen, Yosinski and Clune, 2015, arXiv 1412.1897; numbers from the authors' program.

    Example: `DirectEncoding().random((28, 28, 1), 200, generator)`
    """

    name: typing.ClassVar[str] = "fooling_direct"

    mutation_rate: float = 0.1
    halving: int = 1000
    mutation_index: float = 15.0
    crossover_rate: float = 0.5
    crossover_index: float = 10.0

    def __post_init__(self):
        require_whole("halving", self.halving)
        for name in ("mutation_rate", "crossover_rate"):
            require_number(name, getattr(self, name), 0.0, 1.0)
        for name in ("mutation_index", "crossover_index"):
            require_number(name, getattr(self, name))

    def random(
        self, image_shape: tuple[int, ...], count: int, generator: np.random.Generator
    ) -> np.ndarray:
        """As many new genomes, float32 (count, height, width, channels)."""
        return generator.random((count, *image_shape), np.float32)

    def offspring(
        self,
        mothers: np.ndarray,
        fathers: np.ndarray,
        generation: int,
        generator: np.random.Generator,
    ) -> np.ndarray:
        """Two children of every pair, (2 pairs, ...), one after the other."""
        bounds = {"low": 0.0, "high": 1.0}
        settings = {"rate": self.crossover_rate, "index": self.crossover_index} | bounds
        children = simulated_binary_crossover(mothers, fathers, generator, **settings)
        return polynomial_mutation(
            np.concatenate(children),
            generator,
            rate=self.mutation_rate * 0.5 ** (generation // self.halving),
            index=self.mutation_index,
            **bounds,
        )

    def images(self, genomes: np.ndarray, image_shape: tuple[int, ...]) -> np.ndarray:
        """Pixels in [0, 1] of genomes."""
        return genomes

    def take(self, genomes: np.ndarray, places: np.ndarray) -> np.ndarray:
        """The genomes at these places."""
        return genomes[places]

    def replace(self, genomes: np.ndarray, places: np.ndarray, others: np.ndarray) -> np.ndarray:
        """The genomes with others, as many, at these places."""
        replaced = genomes.copy()
        replaced[places] = others
        return replaced
