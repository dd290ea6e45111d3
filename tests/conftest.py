"""What every process of the suite does before its first test."""

import gc


def pytest_collection_finish(session):
    """Leaves what was imported to nobody to collect: looking through TensorFlow takes a tenth."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
