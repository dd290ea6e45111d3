"""The two programs, train and evaluate: the only readers of flags."""
