"""Copies of a model's graph, operation by operation, with another backward pass where wanted."""
