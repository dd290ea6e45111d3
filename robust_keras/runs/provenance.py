"""What a number came from: settings, files, images, machine and the state of the code."""

import dataclasses
import hashlib
import os
import pathlib
import platform
import subprocess
from typing import Any

import numpy as np
import tensorflow as tf

import robust_keras
from robust_keras.directories import fingerprints
from robust_keras.settings.config import EvaluateConfig

_PATIENCE_S = 5.0


def resolved_settings(config: EvaluateConfig) -> dict[str, Any]:
    """The settings that decide results, defaults included, and the batch size."""
    return {
        field.name: getattr(config, field.name)
        for field in dataclasses.fields(config)
        if field.metadata["decides_results"] or field.name == "batch_size"
    }


def images_hash(images: np.ndarray, labels: np.ndarray) -> str:
    """A hash of the images as float32 and of their labels, in their order."""
    digest = hashlib.blake2b(repr(images.shape).encode(), digest_size=16)
    digest.update(np.ascontiguousarray(images, np.float32).data)
    digest.update(np.ascontiguousarray(labels, np.int64).data)
    return digest.hexdigest()


def files_hash(path: str | pathlib.Path | None) -> str | None:
    """A hash of a model's files and their names, or None of a model in memory."""
    # A model in memory has a name, which may happen to be that of a directory.
    if path is None or not os.path.exists(path):
        return None
    root = pathlib.Path(path)
    found = fingerprints.files([root], outside=pathlib.Path(os.devnull))
    names = {str(pathlib.Path(name).relative_to(root)): value for name, value in found.items()}
    digest = hashlib.blake2b(digest_size=16)
    for name, value in sorted(names.items()):
        digest.update(f"{name}\n{value}\n".encode("utf-8", errors="backslashreplace"))
    return digest.hexdigest()


def hardware() -> dict[str, Any]:
    """The processor, its cores that this process may use, and the accelerators."""
    devices = tf.config.get_visible_devices("GPU") + tf.config.get_visible_devices("TPU")
    return {
        "machine": platform.machine(),
        "processor": _processor(),
        "cores": cores(),
        "accelerators": [_described(device) for device in devices],
    }


def cores() -> int:
    """How many of the processor's this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def commit() -> str | None:
    """The git commit of the code, `-dirty` where files differ from it; None outside a checkout."""
    root = pathlib.Path(robust_keras.__file__).parents[1]
    if not (root / ".git").exists():
        return None
    command = [
        "git",
        "-C",
        str(root),
        "describe",
        "--always",
        "--abbrev=40",
        "--dirty",
        "--match=-",
    ]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=_PATIENCE_S, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip() or None


def _described(device):
    return tf.config.experimental.get_device_details(device).get("device_name", device.name)


def _processor():
    try:
        lines = pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or "unknown"
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor() or "unknown")
