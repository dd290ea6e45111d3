"""What every process of the suite does before its first test, and between its files."""

import gc

import pytest


def pytest_collection_finish(session):
    """Leaves what was imported to nobody to collect: looking through TensorFlow takes a tenth."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


@pytest.fixture(scope="module", autouse=True)
def nothing_stays_registered():
    """Takes away what a file has registered: the next one of the process knows nothing of it."""
    from robust_keras import attacks, reporting
    from robust_keras.reporting import sections

    known = set(attacks.ATTACKS), {section.name for section in sections.SECTIONS}
    yield
    for name in attacks.ATTACKS.keys() - known[0]:
        del attacks.ATTACKS[name]
    for name in {section.name for section in sections.SECTIONS} - known[1]:
        reporting.unregister(name)
