"""An evaluation over the processes of a cluster, of which the first writes the report."""

import contextlib
from collections.abc import Iterator

from robust_keras import cluster, distribution
from robust_keras.engine.journal import Journal, Unrecorded
from robust_keras.engine.replicas import Replicas
from robust_keras.engine.shared_journal import SharedJournal
from robust_keras.settings.config import EvaluateConfig


@contextlib.contextmanager
def shared(config: EvaluateConfig, journal: Journal | Unrecorded) -> Iterator[Journal | Unrecorded]:
    """The journal of an evaluation: over all processes, where they share it.

    To be entered before anything else is done with TensorFlow. All leave together, for one that has
    gone is taken for one that has died.

    Raises:
        InputError: TF_CONFIG describes no cluster.
    """
    if config.distribute != "multi_worker":
        yield journal
        return
    exchange = distribution.Exchange(distribution.strategy(config.distribute, batch_size=0))
    yield SharedJournal(journal, exchange, cluster.this_worker().place)
    exchange(b"done")


def check(config: EvaluateConfig, copies: list[Replicas]) -> None:
    """Raises InputError where processes share a model whose answers are of chance."""
    for replicas in copies if config.distribute == "multi_worker" else ():
        if not replicas.first.deterministic:
            reason = f"{replicas.first.path} is random, and processes would not agree on it"
            config.refuse("distribute", f"none or mirrored, as {reason}")
