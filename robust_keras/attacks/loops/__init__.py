"""The inner loops of the attacks: compiled graphs, losses, batches that shrink."""
