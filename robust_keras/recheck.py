"""Replays the adversarial examples beside a report; needs TensorFlow and numpy, nothing else.

    python recheck.py [SAVED_MODEL ...]

Each model is loaded from where the report beside this file says, or from where you say. Exit status
0: it is fooled by as many images as claimed, each within its epsilon; 1: not; 2: cannot be asked.
"""

import contextlib
import json
import pathlib
import sys

import numpy as np
import tensorflow as tf

BATCH, ROUNDING = 250, 1e-6
PIXELS = {
    "0..1": lambda x: x,
    "0..255": lambda x: 255.0 * x,
    "-1..1": lambda x: 2.0 * x - 1.0,
    "caffe": lambda x: 255.0 * x[..., ::-1] - np.array([103.939, 116.779, 123.68], np.float32),
}


def answers(path: str, model: dict, images: np.ndarray, passes: int) -> np.ndarray:
    """The model's scores, a row an image; of a random model the mean of some passes."""
    versions = [p for p in pathlib.Path(path).glob("*/saved_model.pb") if p.parent.name.isdigit()]
    newest = max(versions, key=lambda p: int(p.parent.name)).parent if versions else path
    with contextlib.chdir(newest):  # in a path TensorFlow takes [1] or a backslash for a pattern
        loaded = tf.saved_model.load(".")
    ours = "logits" if "logits" in loaded.signatures else "serving_default"
    ((name, spec),) = loaded.signatures[ours].structured_input_signature[1].items()
    rows = [np.zeros((0, model["num_classes"]))]
    for first in range(0, len(images), BATCH):
        pixels = PIXELS[model["pixels"]](images[first : first + BATCH])
        given = tf.cast(tf.round(pixels) if spec.dtype.is_integer else pixels, spec.dtype)
        outputs = [loaded.signatures[ours](**{name: given}) for _ in range(passes)]
        wide = [k for k, v in outputs[0].items() if v.shape[1:] == (model["num_classes"],)]
        rows.append(np.mean([output[wide[0]] for output in outputs], axis=0))
    return np.concatenate(rows)


def holds(report: dict, model: dict, path: str, kept: pathlib.Path) -> bool:
    """Whether the claim on one model holds; prints what was found."""
    with np.load(kept) as arrays:
        images, labels, epsilon = arrays["images"], arrays["labels"], arrays["epsilon"]
        indices, change = arrays["indices"], images.astype(float) - arrays["originals"]
    scores = answers(path, model, images, report["expectation_samples"])
    answer, target = np.argmax(scores, axis=1), report["threat_model"]["target_class"]
    fooled = (answer != labels) | ~np.isfinite(scores).all(axis=1)
    fooled &= (answer == target) | (epsilon == 0.0) | (target is None)  # 0: wrong without attack
    order, pixels = np.inf if report["threat_model"]["norm"] == "linf" else 2, (1, 2, 3)
    distance = np.linalg.norm(change.reshape(len(images), np.prod(change.shape[1:])), order, 1)
    inside = (images >= 0.0).all(axis=pixels) & (images <= 1.0).all(axis=pixels)
    counts = fooled & inside & (distance <= epsilon * (1.0 + ROUNDING))
    found = f"{len(images)} kept, {fooled.sum()} fooled, {counts.sum()} of them allowed"
    print(f"{path}: {found}; farthest change {distance.max(initial=0.0):.6g}")
    worst, examples = model["worst_case"], report["dataset"]["examples"]
    robust = [examples - len(set(indices[counts & (epsilon <= e)])) for e in worst["epsilons"]]
    print(f"  correct at most {robust}; the report says {worst['correct']}")
    return all(a <= b for a, b in zip(robust, worst["correct"], strict=True))


def main(paths: list[str], here: pathlib.Path) -> int:
    """Checks every model; gives the exit status."""
    report, status = json.loads((here / "report.json").read_text()), 0
    for number, model in enumerate(report["models"], 1):
        path = paths[number - 1] if paths else model["path"]
        kept = f"adversarial_examples{f'_{number}' if len(report['models']) > 1 else ''}.npz"
        try:
            status = max(status, 0 if holds(report, model, path, here / kept) else 1)
        except Exception as error:
            print(f"{path}: cannot be asked: {type(error).__name__}: {str(error)[:200]}")
            status = 2
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], pathlib.Path(__file__).resolve().parent))
