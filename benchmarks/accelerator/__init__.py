"""The rows of `benchmarks/gpu.py`: what is tried on an accelerator."""
