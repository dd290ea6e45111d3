"""Images that evolve as small networks that paint them."""

import dataclasses
import typing

import numpy as np

from robust_keras.attacks.attack import require_number, require_whole
from robust_keras.unusual import networks as structure
from robust_keras.unusual.networks import Networks
from robust_keras.unusual.painting import FUNCTIONS, paint
from robust_keras.unusual.real_numbers import polynomial_mutation

_RATES = ("add_link", "delete_link", "change_link", "add_node", "delete_node", "function_rate")


@dataclasses.dataclass(frozen=True, kw_only=True)
class CPPNEncoding:
    """A genome is a compositional pattern-producing network: smooth, often regular images.

    Nodes are sines, sigmoids, Gaussians or linear, links run without loops from the coordinates of
    a pixel to its colour (see `painting.paint`). At first every input is linked to every output;
    then weights, functions and structure mutate. There is no crossover.

    Args:
        add_link, delete_link, change_link: probabilities in [0, 1] of each a mutation; published:
            0.5, 0.3, 0.5.
        add_node, delete_node: likewise; published: 0.5, 0.2.
        weight_rate: probability in [0, 1] that a weight mutates; published: 0.1.
        function_rate: probability in [0, 1] that a node changes its function; published: 0.1.
        mutation_index: of the weights' polynomial mutation, >= 0; published: 15.
        weight_limit: weights stay in [-weight_limit, weight_limit], > 0; published: 10.
        hidden: how many hidden nodes a network may have, >= 1; published: no limit.

    Raises:
        ValueError: a setting is out of its range.

    Reference: Stanley, "Compositional Pattern Producing Networks: A Novel Abstraction of
    Development", 2007; Nguyen, Yosinski and Clune, 2015, arXiv 1412.1897; numbers from the authors'
    program.

    Example: `CPPNEncoding().images(CPPNEncoding().random((28, 28, 1), 8, generator), (28, 28, 1))`
    """

    name: typing.ClassVar[str] = "fooling_cppn"

    add_link: float = 0.5
    delete_link: float = 0.3
    change_link: float = 0.5
    add_node: float = 0.5
    delete_node: float = 0.2
    weight_rate: float = 0.1
    function_rate: float = 0.1
    mutation_index: float = 15.0
    weight_limit: float = 10.0
    hidden: int = 20

    def __post_init__(self):
        for name in (*_RATES, "weight_rate"):
            require_number(name, getattr(self, name), 0.0, 1.0)
        require_number("mutation_index", self.mutation_index)
        require_number("weight_limit", self.weight_limit, above=True)
        require_whole("hidden", self.hidden)

    def random(
        self, image_shape: tuple[int, ...], count: int, generator: np.random.Generator
    ) -> Networks:
        """As many new genomes, `Networks`."""
        return structure.perceptrons(
            count, image_shape[-1], self.hidden, len(FUNCTIONS), self.weight_limit, generator
        )

    def offspring(
        self, mothers: Networks, fathers: Networks, generation: int, generator: np.random.Generator
    ) -> Networks:
        """A mutated copy of every parent, `Networks`; the generation does not matter."""
        made = self._retuned(mothers.join(fathers), generator)
        made = structure.add_link(made, self.add_link, self.weight_limit, generator)
        made = structure.delete_link(made, self.delete_link, generator)
        made = structure.change_link(made, self.change_link, generator)
        made = structure.add_node(made, self.add_node, len(FUNCTIONS), generator)
        return structure.delete_node(made, self.delete_node, generator)

    def _retuned(self, networks, generator):
        """The same structure with some other weights and functions."""
        limit = self.weight_limit
        weights = polynomial_mutation(
            networks.weights,
            generator,
            rate=self.weight_rate,
            index=self.mutation_index,
            low=-limit,
            high=limit,
        )
        shape = networks.functions.shape
        changed = generator.random(shape) < self.function_rate
        drawn = generator.integers(0, len(FUNCTIONS), shape)
        functions = np.where(changed, drawn, networks.functions)
        return dataclasses.replace(networks, weights=weights, functions=functions)

    def images(self, genomes: Networks, image_shape: tuple[int, ...]) -> np.ndarray:
        """Pixels in [0, 1] of genomes."""
        return paint(genomes, image_shape)

    def take(self, genomes: Networks, places: np.ndarray) -> Networks:
        """The genomes at these places."""
        return genomes.take(places)

    def replace(self, genomes: Networks, places: np.ndarray, others: Networks) -> Networks:
        """The genomes with others, as many, at these places."""
        return genomes.replace(places, others)
