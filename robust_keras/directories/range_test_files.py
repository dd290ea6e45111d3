"""What a learning-rate range test leaves in the directory of the run that it is made for."""

import pathlib

# The first bytes of a file that the test writes: its head, or the name that its picture carries.
CSV_HEAD = "learning_rate,loss,smoothed_loss"
SOFTWARE = "robust_keras learning-rate range test"
RANGE_TEST_FILES = {
    "learning_rate_range.csv": CSV_HEAD.encode(),
    "learning_rate_range.png": SOFTWARE.encode(),
}


def is_range_test(path: pathlib.Path) -> bool:
    """Whether a file is there and was written by a range test."""
    if not path.is_file():
        return False
    with open(path, "rb") as stream:
        return RANGE_TEST_FILES[path.name] in stream.read(4096)
