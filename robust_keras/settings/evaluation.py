"""Flags of the attack engine."""

import dataclasses
from typing import Any

from robust_keras.settings import names, values
from robust_keras.settings.field import flag, optional_path, switch

SWEEP_NAMES = ("every", "bisection")


@dataclasses.dataclass(frozen=True)
class EngineFlags:
    """How the attacks are run."""

    sweep: str = flag(
        "every",
        values.Choice(SWEEP_NAMES),
        "every: each attack at every epsilon. bisection: a search for the smallest epsilon of each "
        "image, for curves of many epsilons; quick always takes it.",
    )
    survivors_only: bool = switch(
        "Attack only images that the attacks before left, cheapest attack first: the same worst "
        "case for less. Each attack's own accuracy is then not known."
    )
    keep_examples: bool = switch(
        "Write the adversarial images of each model into an .npz file beside the report, as is "
        "done without it where all images take 32 MiB at most."
    )
    adversarial_images: str | None = optional_path(
        "An .npz file with adversarial images that somebody else made, arrays index and images: "
        "checked like our own, and counted where they fool a model (docs/attacks.md)."
    )
    distribute: str = flag(
        "none",
        values.Choice(names.DISTRIBUTIONS),
        "mirrored: a copy of each model on every GPU (or this CPU) takes its share of each batch. "
        "multi_worker: every process of TF_CONFIG takes its share of the batches "
        "(docs/cluster.md).",
    )
    processes: Any = flag(
        "auto",
        values.Whole(1, 1024, word="auto"),
        "Processes among which the models are shared, each with its part of the processors; auto: "
        "one a processor, at most one a model or 4 GiB of free memory; one where there is a GPU. "
        "What is found does not depend on it.",
        decides_results=False,
    )
