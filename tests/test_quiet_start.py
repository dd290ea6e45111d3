"""A program's first forward pass at a new shape rounds as all later ones do."""

import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).parent.parent
FIRST_PASSES = """
from robust_keras.quiet_start import start_tensorflow
start_tensorflow()
import keras
import numpy as np
from robust_keras import models, serving
keras.utils.set_random_seed(0)
model = models.build("lenet5", image_shape=(28, 28, 1), num_classes=10, activation="kaf_elu")
logits = serving.from_keras(model).logits
images = np.random.default_rng(0).uniform(size=(20, 28, 28, 1)).astype("float32")
for count in (16, 20):
    first, second = (logits(images[:count]).numpy() for _ in range(2))
    assert np.array_equal(first, second), abs(first - second).max()
"""


def test_the_first_pass_at_a_shape_equals_the_second_to_the_bit():
    environment = {name: v for name, v in os.environ.items() if name != "TF_XLA_FLAGS"}
    done = subprocess.run(
        [sys.executable, "-c", FIRST_PASSES],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-2000:]
