"""What one run of train.py or evaluate.py is asked to do: frozen, validated, kept with its results.

Standard library only, so that `--help` and bad flags are answered before TensorFlow is imported.
Every field is a flag of the same name; its help text and its parser are kept with it.
"""

import dataclasses
import pathlib
import re
from typing import Any

from robust_keras.errors import InputError
from robust_keras.settings import names, reading, values
from robust_keras.settings.adversarial import AdversarialFlags
from robust_keras.settings.attacker import AttackerFlags
from robust_keras.settings.attacks import AttackFlags
from robust_keras.settings.certify import CertifyFlags
from robust_keras.settings.denoiser import DenoiserFlags
from robust_keras.settings.evaluation import EngineFlags
from robust_keras.settings.field import Flags, flag, optional_path, switch
from robust_keras.settings.inside import InsideFlags
from robust_keras.settings.kernels import KernelFlags
from robust_keras.settings.loss import LossFlags
from robust_keras.settings.minimal import MinimalFlags
from robust_keras.settings.nonsense import NonsenseFlags
from robust_keras.settings.optimization import OptimizationFlags
from robust_keras.settings.pruning import PruningFlags
from robust_keras.settings.reading import ReadingFlags
from robust_keras.settings.strangers import StrangerFlags, TrustFlags
from robust_keras.settings.structure import StructureFlags
from robust_keras.settings.target import TargetFlags
from robust_keras.settings.threshold import ThresholdFlags
from robust_keras.settings.unusual import UnusualFlags
from robust_keras.settings.winners import WinnerFlags

NORMS = ("linf", "l2")
# Beyond these a softmax in float32 is one class, or all classes, whatever the logits.
TEMPERATURE = values.Number(minimum=1e-3, maximum=1e6)
PRECISIONS = ("float32", "mixed_float16", "mixed_bfloat16")


@dataclasses.dataclass(frozen=True)
class TrainConfig(
    OptimizationFlags,
    LossFlags,
    AdversarialFlags,
    NonsenseFlags,
    PruningFlags,
    StructureFlags,
    WinnerFlags,
    KernelFlags,
    DenoiserFlags,
    ReadingFlags,
    TrustFlags,
    Flags,
):
    """One training run. Steps are optimizer steps, sparsities fractions, images in [0, 1]."""

    dataset: str = flag(
        "mnist5k",
        values.Path(),
        "Data set: mnist5k (5,000 real MNIST digits, needs no download), a TensorFlow Datasets "
        "name such as mnist, fashion_mnist, cifar10, svhn_cropped, your own .npz file with "
        "x_train, y_train, x_test, y_test, or a directory with a folder of pictures a class "
        "(docs/data.md).",
    )
    data_dir: str | None = reading.data_dir()
    model: str = flag("lenet5", values.Choice(names.MODELS), "Network.")
    activation: str = flag("relu", values.Choice(names.ACTIVATIONS), "Activation of the network.")
    normalise: bool = flag(
        True,
        values.Truth(),
        "Bring every channel to mean 0 and variance 1, inside the network.",
    )
    batch_normalization: bool = switch(
        "Batch normalisation before every activation, also where the network has none of its own."
    )
    kernel_initializer: str = flag(
        "he",
        values.Choice(names.INITIALIZERS),
        "How kernels start: he, or ibp, which keeps the width of interval bounds.",
    )
    kernel_scale: float = flag(
        1.0,
        values.Number(minimum=1e-6, maximum=1e3),
        "Factor on the kernels' initial values; 0.1 with --normalise=false helps "
        "--adversarial=fast at large epsilons.",
    )
    output_dir: str | None = optional_path(
        "Directory of the run (default: runs/DATASET-MODEL-ACTIVATION, or the first of it with -2, "
        "-3, ... behind it that is free). An unfinished run in it is resumed, a finished one is "
        "never overwritten.",
        decides_results=False,
    )
    epochs: int = flag(5, values.Whole(1, 1_000_000), "Passes over the training images.")
    batch_size: int = flag(128, values.Whole(1, 1_000_000), "Images a step, over all replicas.")
    seed: int = flag(0, values.Whole(0, 2**31 - 1), "Seed of everything random.")
    optimizer: str = flag("adam", values.Choice(names.OPTIMIZERS), "Optimizer (sgd: momentum 0.9).")
    learning_rate: float = flag(
        1e-3, values.Number(minimum=1e-9, maximum=1e3), "Highest learning rate."
    )
    learning_rate_schedule: str = flag(
        "cosine",
        values.Choice(names.LEARNING_RATE_SCHEDULES),
        "How the learning rate changes: cosine (to 0 at the last step), constant, one_cycle (in a "
        "line up to the highest at 40 % of the steps, then down to 0) or step (a tenth after half "
        "of the steps and again after three quarters).",
    )
    temperature: float = flag(1.0, TEMPERATURE, "Temperature of the softmax in the training loss.")
    serving_temperature: float = flag(
        1.0, TEMPERATURE, "Temperature of the exported model's probabilities."
    )
    serving_version: int = flag(
        1,
        values.Whole(1, 2**53),
        "Number of the exported version, OUTPUT_DIR/serving/NUMBER; TensorFlow Serving takes the "
        "highest.",
    )
    export_formats: tuple[str, ...] = flag(
        ("none",),
        values.Choices(("none", *names.EXPORT_FORMATS)),
        "Other forms of the export, in its assets.extra, comma separated: litert (model.tflite), "
        "onnx (model.onnx; needs the extra `onnx`). Their answers are compared with the "
        "SavedModel's; a network that they cannot hold is refused before it is trained.",
    )
    augment: bool = switch("Random crops (4 pixels of padding) and flips.")
    validation_fraction: float = flag(
        0.05,
        values.Number(minimum=0.0, below=1.0),
        "Share of the training images held out to choose checkpoints/best.keras; 0 for none.",
    )
    train_examples: int = flag(
        0,
        values.Whole(0, 1_000_000_000),
        "Train on so many of the training images, the same for every seed; 0 for all.",
    )
    distribute: str = flag(
        "none",
        values.Choice(names.DISTRIBUTIONS),
        "tf.distribute strategy; mirrored uses every GPU, or this CPU, and multi_worker every "
        "process of TF_CONFIG (docs/cluster.md).",
    )
    precision: str = flag("float32", values.Choice(PRECISIONS), "Keras dtype policy.")
    weight_decay: float = flag(
        0.0,
        values.Number(minimum=1e-9, maximum=1e3, zero=True),
        "Decoupled weight decay, times the learning rate a step; 0 for none.",
    )
    clip_norm: float = flag(
        0.0,
        values.Number(minimum=1e-12, maximum=1e9, zero=True),
        "Global norm that the gradient is clipped to; 0 clips nothing.",
    )

    def __post_init__(self):
        super().__post_init__()
        object.__setattr__(self, "is_default_directory", self.output_dir is None)
        if self.output_dir is None:
            dataset = re.sub(r"\W+", "-", self.dataset.removesuffix(".npz")).strip("-")
            name = f"{dataset}-{self.model}-{self.activation}"
            object.__setattr__(self, "output_dir", str(pathlib.Path("runs") / name))


@dataclasses.dataclass(frozen=True)
class EvaluateConfig(
    AttackFlags,
    AttackerFlags,
    EngineFlags,
    MinimalFlags,
    UnusualFlags,
    CertifyFlags,
    InsideFlags,
    TargetFlags,
    ReadingFlags,
    StrangerFlags,
    ThresholdFlags,
    Flags,
):
    """One evaluation. Epsilons are distances between images in [0, 1]."""

    models: tuple[str, ...] = flag(
        (),
        values.Paths(
            "at least one path of a SavedModel directory or .keras file (such as "
            "--models=runs/quickstart/serving)"
        ),
        "Models to attack, comma separated: SavedModel directories, their versioned parents, "
        ".keras or .h5 files.",
        unset="required",
    )
    dataset: str = flag(
        "mnist5k",
        values.Path(),
        "Data set: mnist5k, a TensorFlow Datasets name such as mnist or cifar10, an .npz file, or "
        "a directory with a folder of pictures a class (docs/data.md).",
    )
    data_dir: str | None = reading.data_dir()
    split: str = flag(
        "test",
        values.Choice(("test", "train", "all")),
        "Split whose images are attacked; all: training and test images together.",
    )
    examples: int = flag(
        1000, values.Whole(1, 10_000_000), "Images to attack (fewer if the split has fewer)."
    )
    norm: str = flag("linf", values.Choice(NORMS), "Norm that bounds the perturbation.")
    epsilons: tuple[float, ...] = flag(
        (0.05, 0.1, 0.2, 0.3),
        values.Epsilons(),
        "Largest allowed perturbations of images in [0, 1], comma separated; fractions such as "
        "8/255 work. linf: at most 1; l2: 0.5, 2 and 3 are common.",
    )
    batch_size: Any = flag(
        1000,
        values.Whole(1, 1_000_000, word="auto"),
        "Images a forward or backward pass, fewer where memory does not last; auto: the fastest "
        "number that fits. What is found does not depend on it.",
    )
    seed: int = flag(0, values.Whole(0, 2**31 - 1), "Seed of everything random.")
    output_dir: str | None = optional_path(
        "Directory of the report (default: runs/evaluation, or the first of it with -2, -3, ... "
        "behind it that is free). An unfinished evaluation in it is gone on with, a finished one "
        "never overwritten.",
        decides_results=False,
    )

    def __post_init__(self):
        super().__post_init__()
        object.__setattr__(self, "is_default_directory", self.output_dir is None)
        if self.output_dir is None:
            object.__setattr__(self, "output_dir", str(pathlib.Path("runs") / "evaluation"))

    def check_together(self: Any) -> None:
        """Raises InputError where an epsilon is none of the norm's."""
        if self.norm == "linf" and self.epsilons[-1] > 1.0:
            received = f"{self.epsilons[-1]:g}{values.pixels(self.epsilons[-1])}"
            expected = "numbers in [0, 1] with --norm=linf (l2 takes larger ones)"
            raise InputError.expected("--epsilons", expected, received)
