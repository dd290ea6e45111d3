"""The two models that attacks are compared on, ours and ported to torch."""

import dataclasses
import json
import pathlib
import subprocess
import sys
import time

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parent.parent
TRAINING = {
    "standard": "--dataset=mnist --model=lenet5 --batch_size=100 --epochs=3",
    "adversarial": f"--flagfile={ROOT}/configs/mnist_fast.cfg",
}


@dataclasses.dataclass(frozen=True)
class Case:
    """One model, the images, and where the other libraries find both.

    Args:
        name: key of `TRAINING`.
        model: the Keras model.
        classifier: the same, loaded as evaluate.py loads it.
        images: float32 array (images, 28, 28, 1).
        labels: int64 array (images,).
        options: the benchmark's options.
    """

    name: str
    model: object
    classifier: object
    images: np.ndarray
    labels: np.ndarray
    options: object

    def ours(self, attack, *, count, norm="linf", epsilons, batch_size=None, **settings):
        """The `Evaluation` of an attack on the first images, and its seconds, tracing included."""
        from robust_keras import engine
        from robust_keras.attacks import ThreatModel

        images, labels = self.images[:count], self.labels[:count]
        sizes = {"batch_size": batch_size or count, "seed": 0}
        start = time.perf_counter()
        found = engine.evaluate(
            self.classifier,
            *(images, labels, [attack], ThreatModel(norm, epsilons)),
            **sizes,
            **settings,
        )
        return found, time.perf_counter() - start

    def theirs(self, attacks, *, count, norm="linf", epsilon):
        """What other libraries' attacks left and took: name -> (robust, seconds)."""
        file = self.options.work_dir / f"{self.name}.npz"
        answer = file.with_suffix(".json")
        np.savez(
            file,
            images=self.images[:count],
            labels=self.labels[:count],
            answers=np.asarray(self.model(self.images[:count])),
            **weights(self.model),
        )
        script = str(ROOT / "benchmarks" / "torch_attacks.py")
        flags = [f"--norm={norm}", f"--epsilon={epsilon}", f"--threads={self.options.threads}"]
        python = self.options.torch_python
        subprocess.run([python, script, str(file), str(answer), *attacks, *flags], check=True)
        found = json.loads(answer.read_text(encoding="utf-8"))
        if found.pop("difference") > 1e-3:
            sys.exit("the model ported to torch answers differently")
        return {name: (np.array(row["robust"]), row["seconds"]) for name, row in found.items()}


def prepare(name, options):
    """The `Case` of a model, which is trained first unless it is there."""
    import keras

    from robust_keras import data, serving

    path = _train(name, options)
    split = data.load("mnist", str(options.data_dir)).test.take(1000, 0)
    return Case(
        name=name,
        model=keras.models.load_model(path, compile=False),
        classifier=serving.load(str(path)),
        images=split.float_images(),
        labels=np.asarray(split.labels, np.int64),
        options=options,
    )


def _train(name, options):
    directory = options.work_dir / name
    path = directory / "model.keras"
    if not path.exists():
        where = [f"--output_dir={directory}", f"--data_dir={options.data_dir}"]
        command = [sys.executable, str(ROOT / "train.py"), *TRAINING[name].split(), *where]
        subprocess.run(command, check=True)
    return path


def weights(model):
    """Name -> array: what `torch_attacks.LeNet5` is made of."""
    found = {"mean": 0.0, "variance": 1.0}
    for layer in model.layers:
        config = layer.get_config()
        if "variance" in config:
            found |= {key: np.float64(config[key][0]) for key in found}
        for variable in layer.weights:
            if variable.name in ("kernel", "bias"):
                found[f"{layer.name}/{variable.name}"] = np.asarray(variable.value)
    return found
