"""What the two programs do, step by step: the only readers of a config."""
