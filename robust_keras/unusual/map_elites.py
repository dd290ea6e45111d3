"""Evolution that keeps the best image of every class."""

import dataclasses
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from robust_keras.attacks.attack import require_whole
from robust_keras.findings import FoolingReport
from robust_keras.unusual.cppn import CPPNEncoding
from robust_keras.unusual.direct_encoding import DirectEncoding
from robust_keras.unusual.fooling_image import fooling_images, from_bytes, to_bytes
from robust_keras.unusual.subject import Subject


@dataclasses.dataclass(frozen=True, kw_only=True)
class MapElites:
    """Evolves one image for each class at once: what is bred for one may turn out best for another.

    Every generation, pairs of parents are drawn from the elites, their children mutate and are
    shown to the model as 8-bit images; a child takes the place of every class' elite that it beats
    in the confidence of that class.

    Args:
        encoding: `DirectEncoding` or `CPPNEncoding`: what a genome is.
        generations: >= 0; published: about 1,000 for MNIST, 5,000 for ImageNet.
        initial: random genomes at the start, >= 1; published: 200 for MNIST.
        children: a generation, an even number >= 2; published: 200 for MNIST.

    Raises:
        ValueError: a setting is out of its range.

    Reference: Nguyen, Yosinski and Clune, "Deep Neural Networks are Easily Fooled", 2015,
    arXiv 1412.1897; Mouret and Clune, "Illuminating search spaces by mapping elites", 2015,
    arXiv 1504.04909.

    Example: `MapElites(encoding=DirectEncoding(), generations=50).run(subject)`
    """

    encoding: DirectEncoding | CPPNEncoding
    generations: int = 200
    initial: int = 200
    children: int = 200

    def __post_init__(self):
        require_whole("generations", self.generations, minimum=0)
        require_whole("initial", self.initial)
        require_whole("children", self.children, minimum=2)
        if self.children % 2:
            raise ValueError(f"`children` must be even. Received: children={self.children}")

    @property
    def name(self) -> str:
        """That of the encoding."""
        return self.encoding.name

    def run(self, subject: Subject, progress: Callable | None = None) -> FoolingReport:
        """Evolves images for every class that means something.

        Args:
            subject: `Subject`.
            progress: None, or called as `progress(done, total)` after every generation.
        """
        start, before = time.monotonic(), subject.forward_evaluations
        elites = self.evolve(subject, progress)
        images = to_bytes(self.encoding.images(elites, subject.image_shape))
        settings = dataclasses.asdict(self)
        return FoolingReport(
            name=self.name,
            settings=settings.pop("encoding") | settings,
            images=fooling_images(subject, images),
            generations=self.generations,
            seconds=time.monotonic() - start,
            gradient_evaluations=0,
            forward_evaluations=subject.forward_evaluations - before,
        )

    def evolve(self, subject: Subject, progress: Callable | None = None) -> Any:
        """The genome that came out best for each class that means something; see `run`."""
        generator = subject.generator(self.name)
        encoding: Any = self.encoding  # Each takes its own kind of genomes alone.
        genomes = encoding.random(subject.image_shape, self.initial, generator)
        fitness = self._fitness(subject, genomes)
        best = fitness.argmax(axis=0)
        elites, fitness = encoding.take(genomes, best), fitness.max(axis=0)
        for generation in range(self.generations):
            mothers, fathers = generator.integers(0, len(fitness), (2, self.children // 2))
            mothers, fathers = (encoding.take(elites, p) for p in (mothers, fathers))
            children = encoding.offspring(mothers, fathers, generation, generator)
            reached = self._fitness(subject, children)
            best, highest = reached.argmax(axis=0), reached.max(axis=0)
            (better,) = np.nonzero(highest > fitness)
            if len(better):
                chosen = encoding.take(children, best[better])
                elites = encoding.replace(elites, better, chosen)
                fitness[better] = highest[better]
            if progress is not None:
                progress(generation + 1, self.generations)
        return elites

    def _fitness(self, subject, genomes):
        """Logarithm of the confidence in every class, float32 (genomes, classes)."""
        images = from_bytes(to_bytes(self.encoding.images(genomes, subject.image_shape)))
        logarithms = subject.logarithms(images, rows=self.children)[:, : subject.classes]
        # What is no number beats nothing.
        return np.where(np.isnan(logarithms), -np.inf, logarithms)
