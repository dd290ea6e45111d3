r"""What other tools say of the zoo's models: AutoAttack's flags, ART's gradient check, and ours.

    python -m venv runs/judges
    runs/judges/bin/pip install -r requirements.txt torch \
        adversarial-robustness-toolbox==1.20.1 pyautoattack==0.2.0
    runs/judges/bin/python benchmarks/other_judges.py --rows=FILE.jsonl [--animals=NAME,NAME]

pyautoattack is AutoAttack's own code as a package. It attacks the very models, through a bridge
from torch to TensorFlow, by APGD-CE, targeted APGD and Square with their published budgets; FAB,
which raises no flag, is left out. ART's check asks for gradients that are zero, infinite or no
number. Each row is kept in --rows as soon as it is known.
"""

import argparse
import logging
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402
import torch  # noqa: E402
import zoo  # noqa: E402
from art.estimators.classification import TensorFlowV2Classifier  # noqa: E402
from art.metrics.gradient_check import loss_gradient_check  # noqa: E402
from kept_rows import KeptRows, processor_seconds  # noqa: E402
from pyautoattack import AutoAttack  # noqa: E402

import robust_keras  # noqa: E402

KEY = ("name", "images", "epsilon")
ATTACKS = ["apgd-ce", "apgd-t", "square"]
# Beginnings of AutoAttack's warnings, and what they are called here.
FLAGS = {
    "it seems to be a randomized": "random",
    "it seems that the output is a prob": "probabilities",
    "it seems to be a dynamic": "dynamic",
    "there are": "zero gradient",
    "Square Attack has": "Square better",
}


class Bridge(torch.nn.Module):
    """A TensorFlow model for torch: images (batch, channels, height, width) to logits."""

    def __init__(self, model):
        super().__init__()
        spec = tf.TensorSpec((None, *zoo.SHAPE), tf.float32)
        logits = tf.TensorSpec((None, 10), tf.float32)
        self._forward = tf.function(model, [spec], autograph=False)

        def pull_back(images, upstream):
            with tf.GradientTape() as tape:
                tape.watch(images)
                answers = model(images)
            # Where there is no gradient torch's own operations would give zeros as well.
            return tape.gradient(
                answers, images, upstream, unconnected_gradients=tf.UnconnectedGradients.ZERO
            )

        self._pull_back = tf.function(pull_back, [spec, logits], autograph=False)

    def forward(self, images):
        """The logits."""
        return _Crossing.apply(images, self._forward, self._pull_back)


class _Crossing(torch.autograd.Function):
    @staticmethod
    def forward(ctx, images, forward, pull_back):
        batch = tf.constant(images.detach().permute(0, 2, 3, 1).numpy())
        ctx.batch, ctx.pull_back = batch, pull_back
        return torch.from_numpy(forward(batch).numpy().copy())

    @staticmethod
    def backward(ctx, upstream):
        found = ctx.pull_back(ctx.batch, tf.constant(upstream.numpy())).numpy()
        return torch.from_numpy(found.transpose(0, 3, 1, 2).copy()), None, None


class Warned(logging.Handler):
    """The flags that were raised."""

    def __init__(self):
        super().__init__(logging.WARNING)
        self.flags = []

    def emit(self, record):
        """Keeps the flag that a warning is about."""
        said = record.getMessage()
        self.flags += [name for start, name in FLAGS.items() if said.startswith(start)]


def autoattack(model, images, labels, epsilon):
    """The flags, and the robust accuracy."""
    warned, bridge = Warned(), Bridge(model)
    attack = AutoAttack(bridge, attacks=ATTACKS, eps=epsilon, seed=0, version="custom")
    attack.logger.handlers, attack.logger.propagate = [warned], False
    attack.apgd.n_restarts = 1
    batch = torch.from_numpy(images.transpose(0, 3, 1, 2).copy())
    truth = torch.from_numpy(labels.astype(np.int64))
    found = attack.run_standard_evaluation(batch, truth, batch_size=len(images))
    found = found[0] if isinstance(found, tuple) else found
    with torch.no_grad():
        left = (bridge(found).argmax(1) == truth).float().mean().item()
    return sorted(set(warned.flags)), left


def art(model, images, labels):
    """Shares of images whose gradient is zero, no number, infinite, by ART."""
    classifier = TensorFlowV2Classifier(
        model=lambda batch, training=False: model(tf.cast(batch, tf.float32)),
        nb_classes=10,
        input_shape=zoo.SHAPE,
        loss_object=tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )
    try:
        found = loss_gradient_check(classifier, images, np.eye(10, dtype=np.float32)[labels])
    except (ValueError, AttributeError, TypeError) as error:
        return str(error).splitlines()[0][:80]
    return [float(value) for value in np.mean(found, axis=0)]


def ours(model, images, labels, epsilon):
    """The verdict, and robust accuracy before and after the audit."""
    known = {} if hasattr(model, "layers") else {"num_classes": 10}
    found = robust_keras.evaluate(
        model, images, labels, attacks="quick", epsilons=epsilon, progress=False, **known
    ).models[0]
    worst = found.worst_case
    return found.verdict, found.reliable, worst.before_audit[-1], worst.accuracy[-1]


def row(animal, options):
    """What all of them say of one model."""
    images, labels = zoo.sample(options.images)
    model, began = animal.make(0), processor_seconds()
    function = (lambda batch: model(batch, training=False)) if hasattr(model, "layers") else model
    flags, left = autoattack(function, images, labels, options.epsilon)
    verdict, reliable, before, after = ours(model, images, labels, options.epsilon)
    return {
        "flags": flags,
        "autoattack": left,
        "art": art(function, images, labels),
        "verdict": verdict,
        "reliable": reliable,
        "before": before,
        "after": after,
        "cpu_seconds": round(processor_seconds() - began, 1),
    }


def line(row):
    """One row of the table."""
    shares = row["art"]
    said = shares if isinstance(shares, str) else f"{shares[0]:.0%} zero" if any(shares) else ""
    flags = ", ".join(row["flags"])
    ours = f"{row['verdict']} | {row['before']:.3f} | {row['after']:.3f}"
    return f"| {row['name']} | {flags} | {row['autoattack']:.3f} | {said} | {ours} |"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=60)
    parser.add_argument("--epsilon", type=float, default=0.1)
    parser.add_argument("--animals", default="", help="names, comma separated; all if empty")
    parser.add_argument("--rows", help="file of the rows")
    options = parser.parse_args()
    kept, chosen = KeptRows(options.rows, KEY), [n for n in options.animals.split(",") if n]
    print("| model | AutoAttack's flags | leaves | ART's gradient check | ours | before | after |")
    print(f"|{' --- |' * 7}")
    for animal in sorted(zoo.zoo(), key=lambda animal: animal.name != "standard"):
        name = {"name": animal.name, "images": options.images, "epsilon": options.epsilon}
        if not chosen or animal.name in chosen:
            print(line(kept.known(**name) or kept.add(name | row(animal, options))), flush=True)


if __name__ == "__main__":
    main()
