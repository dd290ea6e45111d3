"""What TensorFlow sees, and whether it computes right."""

import numpy as np
import tensorflow as tf

from accelerator.rows import Row, must


def prepare(split):
    """Before anything is computed: leaves memory to others, and splits the first device."""
    gpus = tf.config.list_physical_devices("GPU")
    if split == 1:
        for gpu in gpus:
            # Torch attacks on the same GPU; TensorFlow would take all of its memory.
            tf.config.experimental.set_memory_growth(gpu, True)
        return
    first = (gpus or tf.config.list_physical_devices("CPU"))[0]
    part = tf.config.LogicalDeviceConfiguration(memory_limit=8192 if gpus else None)
    tf.config.set_logical_device_configuration(first, [part] * split)


def rows(settings, group):
    """One row for the devices, one for each elementary operation."""
    size, batch = (64, 8) if settings.smoke else (1024, 64)
    return [
        Row(group, "devices", _devices),
        Row(group, "matrix product", lambda: _product(size)),
        Row(group, "convolution", lambda: _convolution(batch)),
    ]


def _devices():
    details = [
        tf.config.experimental.get_device_details(device).get("device_name", device.name)
        for device in tf.config.list_physical_devices("GPU")
    ]
    build = tf.sysconfig.get_build_info()
    return {
        "GPUs": ", ".join(details) or "none, this is the CPU",
        "TensorFlow": tf.__version__,
        "built for CUDA": str(build.get("cuda_version", "none")),
    }


def _product(size):
    left, right = (tf.random.stateless_normal((size, size), (seed, 0)) for seed in (0, 1))
    exact = left.numpy().astype("float64") @ right.numpy().astype("float64")
    return _compared((left @ right).numpy(), exact)


def _convolution(batch):
    images = tf.random.stateless_normal((batch, 32, 32, 16), (0, 0))
    kernel = tf.random.stateless_normal((3, 3, 16, 32), (1, 0))
    found = tf.nn.conv2d(images, kernel, 1, "SAME").numpy()
    with tf.device("CPU:0"):
        exact = tf.nn.conv2d(tf.cast(images, "float64"), tf.cast(kernel, "float64"), 1, "SAME")
    return _compared(found, exact.numpy())


def _compared(found, exact):
    difference = float(np.abs(found - exact).max() / np.abs(exact).max())
    # TensorFloat-32 has ten bits of mantissa.
    must(difference < 5e-3, f"differs from float64 by {difference:.1e} of the largest entry")
    return {"difference from float64": difference}
