"""What one run of train.py or evaluate.py is asked to do: frozen, validated, kept with its results.

Standard library only, so that `--help` and bad flags are answered before TensorFlow is imported.
Every field is a flag of the same name; its help text and its parser are kept with it.
"""

import dataclasses
import json
import pathlib
import re

from robust_keras import adversarial_flags, flag_values
from robust_keras.errors import InputError

MODEL_NAMES = (
    "fc5",
    "lenet5",
    "cifar_quick",
    "alexnet",
    "vgg",
    "resnet18",
    "resnet20",
    "resnet56",
)
ACTIVATION_NAMES = (
    "relu",
    "elu",
    "silu",
    "gelu",
    "softplus",
    "parametric_softplus",
    "prelu",
    "smooth_relu",
    "kaf",
    "kaf_elu",
    "kaf_relu",
    "kaf_silu",
    "kwta",
    "rbf",
    "mrelu",
)
ATTACK_NAMES = ("fgsm", "bim", "pgd", "mim", "uniform_noise", "gaussian_noise")
NORMS = ("linf", "l2")
OPTIMIZERS = ("adam", "sgd")
LEARNING_RATE_SCHEDULES = ("cosine", "constant", "one_cycle", "step")
PRECISIONS = ("float32", "mixed_float16", "mixed_bfloat16")
ADVERSARIAL_METHODS = ("none", "pgd", "free", "fast", "trades")
DISTRIBUTIONS = ("none", "mirrored")
PRUNING_SCHEDULES = ("polynomial", "constant")
PRUNING_LAYERS = ("dense", "conv", "depthwise")


def _flag(default, parse, text):
    """A field that is also a flag: its default, its parser (text to value) and its help text."""
    return dataclasses.field(default=default, metadata={"parse": parse, "help": text})


class _Config:
    """Validation and JSON, the same for both programs."""

    def __post_init__(self):
        for field in dataclasses.fields(self):
            parse = field.metadata["parse"]
            value = getattr(self, field.name)
            try:
                parse.check(value)
            except ValueError as error:
                raise InputError(f"--{field.name}: {error}") from error

    def to_json(self) -> str:
        """The settings as JSON text, one field a line."""
        return json.dumps(dataclasses.asdict(self), indent=2) + "\n"

    @classmethod
    def from_json(cls, text: str):
        """Settings from `to_json`'s text; lists become tuples again, all is validated anew."""
        values = json.loads(text)
        names = {field.name for field in dataclasses.fields(cls)}
        unknown = sorted(set(values) - names)
        if unknown:
            raise InputError.expected("config", f"only the fields of {cls.__name__}", unknown)
        return cls(**{k: tuple(v) if isinstance(v, list) else v for k, v in values.items()})


@dataclasses.dataclass(frozen=True)
class TrainConfig(_Config):
    """One training run. Steps are optimizer steps, sparsities fractions, images in [0, 1]."""

    dataset: str = _flag(
        "mnist5k",
        flag_values.Text(),
        "Data set: mnist5k (5,000 real MNIST digits, needs no download), a TensorFlow Datasets "
        "name such as mnist, fashion_mnist, cifar10, svhn_cropped, or your own .npz file with "
        "x_train, y_train, x_test, y_test.",
    )
    data_dir: str | None = _flag(
        None,
        flag_values.Text(optional=True),
        "Where TensorFlow Datasets keeps its data (default: its own, ~/tensorflow_datasets).",
    )
    model: str = _flag("lenet5", flag_values.Choice(MODEL_NAMES), "Network.")
    activation: str = _flag(
        "relu", flag_values.Choice(ACTIVATION_NAMES), "Activation of the network."
    )
    output_dir: str | None = _flag(
        None,
        flag_values.Text(optional=True),
        "Directory of the run (default: runs/DATASET-MODEL-ACTIVATION). An unfinished run in it is "
        "resumed, a finished one is never overwritten.",
    )
    epochs: int = _flag(5, flag_values.Whole(minimum=1), "Passes over the training images.")
    batch_size: int = _flag(128, flag_values.Whole(minimum=1), "Images a step, over all replicas.")
    seed: int = _flag(
        0, flag_values.Whole(minimum=0, maximum=2**31 - 1), "Seed of everything random."
    )
    optimizer: str = _flag("adam", flag_values.Choice(OPTIMIZERS), "Optimizer (sgd: momentum 0.9).")
    learning_rate: float = _flag(1e-3, flag_values.Number(above=0.0), "Highest learning rate.")
    learning_rate_schedule: str = _flag(
        "cosine",
        flag_values.Choice(LEARNING_RATE_SCHEDULES),
        "How the learning rate changes: cosine (to 0 at the last step), constant, one_cycle (in a "
        "line up to the highest at 40 % of the steps, then down to 0) or step (a tenth after half "
        "of the steps and again after three quarters).",
    )
    temperature: float = _flag(
        1.0, flag_values.Number(above=0.0), "Temperature of the softmax in the training loss."
    )
    serving_temperature: float = _flag(
        1.0, flag_values.Number(above=0.0), "Temperature of the exported model's probabilities."
    )
    augment: bool = _flag(
        False, flag_values.Truth(), "Random crops (4 pixels of padding) and flips."
    )
    validation_fraction: float = _flag(
        0.05,
        flag_values.Number(minimum=0.0, below=1.0),
        "Share of the training images held out to choose checkpoints/best.keras; 0 for none.",
    )
    distribute: str = _flag(
        "none",
        flag_values.Choice(DISTRIBUTIONS),
        "tf.distribute strategy; mirrored uses every GPU, or this CPU.",
    )
    precision: str = _flag("float32", flag_values.Choice(PRECISIONS), "Keras dtype policy.")
    weight_decay: float = _flag(
        0.0,
        flag_values.Number(minimum=0.0),
        "Decoupled weight decay, times the learning rate a step; 0 for none.",
    )
    clip_norm: float = _flag(
        0.0,
        flag_values.Number(minimum=0.0),
        "Global norm that the gradient is clipped to; 0 clips nothing.",
    )
    adversarial: str = _flag(
        "none",
        flag_values.Choice(ADVERSARIAL_METHODS),
        "Adversarial training: none, pgd, free, fast or trades.",
    )
    train_epsilon: float = _flag(
        0.0,
        flag_values.Number(minimum=0.0, maximum=1.0),
        "Largest change of a pixel in adversarial training, such as 0.3 or 8/255.",
    )
    adversarial_steps: int = _flag(
        0,
        flag_values.Whole(minimum=0),
        "Crafting steps of pgd and trades, fewer being larger; 0 for the published 40 (epsilon of "
        "0.1 or more) or 10.",
    )
    replays: int = _flag(
        0,
        flag_values.Whole(minimum=0),
        "How often free trains on each batch; 0 for the published 8. Divide --epochs by it.",
    )
    trades_beta: float = _flag(
        0.0, flag_values.Number(minimum=0.0), "Weight of trades' divergence; 0 for the published 6."
    )
    warm_up_epochs: int = _flag(
        0, flag_values.Whole(minimum=0), "First epochs of adversarial training on clean images."
    )
    epsilon_ramp_epochs: int = _flag(
        0,
        flag_values.Whole(minimum=0),
        "Epochs after the warm-up in which epsilon grows in equal parts, before it is full.",
    )
    final_sparsity: float = _flag(
        0.0,
        flag_values.Number(minimum=0.0, below=1.0),
        "Fraction of zeros in every pruned kernel at the end of pruning; 0 prunes nothing.",
    )
    initial_sparsity: float = _flag(
        0.0, flag_values.Number(minimum=0.0, below=1.0), "Fraction of zeros when pruning begins."
    )
    pruning_schedule: str = _flag(
        "polynomial",
        flag_values.Choice(PRUNING_SCHEDULES),
        "How sparsity grows: polynomial (cubic, Zhu and Gupta 2017) or constant (all at once).",
    )
    pruning_begin: float = _flag(
        0.1,
        flag_values.Number(minimum=0.0, maximum=1.0),
        "Share of all training steps after which pruning begins.",
    )
    pruning_end: float = _flag(
        0.7,
        flag_values.Number(minimum=0.0, maximum=1.0),
        "Share of all training steps after which the final sparsity is reached.",
    )
    pruning_frequency: int = _flag(
        20, flag_values.Whole(minimum=1), "Steps between two updates of the pruning masks."
    )
    pruning_layers: tuple[str, ...] = _flag(
        ("dense", "conv"),
        flag_values.Choices(PRUNING_LAYERS),
        "Layer kinds whose kernels are pruned.",
    )

    def __post_init__(self):
        super().__post_init__()
        if self.output_dir is None:
            dataset = re.sub(r"\W+", "-", self.dataset.removesuffix(".npz")).strip("-")
            name = f"{dataset}-{self.model}-{self.activation}"
            object.__setattr__(self, "output_dir", str(pathlib.Path("runs") / name))
        if self.pruning_end <= self.pruning_begin:
            raise InputError.expected(
                "--pruning_end", f"more than --pruning_begin={self.pruning_begin}", self.pruning_end
            )
        if self.final_sparsity and self.initial_sparsity > self.final_sparsity:
            raise InputError.expected(
                "--initial_sparsity",
                f"at most --final_sparsity={self.final_sparsity}",
                self.initial_sparsity,
            )
        if self.initial_sparsity and not self.final_sparsity:
            raise InputError.expected(
                "--initial_sparsity", "0 while --final_sparsity is 0", self.initial_sparsity
            )
        adversarial_flags.check(self)


@dataclasses.dataclass(frozen=True)
class EvaluateConfig(_Config):
    """One evaluation. Epsilons are distances between images in [0, 1]."""

    models: tuple[str, ...] = _flag(
        (),
        flag_values.Texts("at least one path of a SavedModel directory or .keras file"),
        "Models to attack, comma separated: SavedModel directories, their versioned parents, or "
        ".keras files.",
    )
    dataset: str = _flag(
        "mnist5k",
        flag_values.Text(),
        "Data set: mnist5k, a TensorFlow Datasets name such as mnist or cifar10, or an .npz file.",
    )
    data_dir: str | None = _flag(
        None,
        flag_values.Text(optional=True),
        "Where TensorFlow Datasets keeps its data (default: its own, ~/tensorflow_datasets).",
    )
    split: str = _flag(
        "test", flag_values.Choice(("test", "train")), "Split whose images are attacked."
    )
    examples: int = _flag(
        1000, flag_values.Whole(minimum=1), "Images to attack (fewer if the split has fewer)."
    )
    attacks: tuple[str, ...] = _flag(
        ("uniform_noise", "fgsm", "pgd", "mim"),
        flag_values.Choices(ATTACK_NAMES),
        "Attacks, comma separated.",
    )
    norm: str = _flag("linf", flag_values.Choice(NORMS), "Norm that bounds the perturbation.")
    epsilons: tuple[float, ...] = _flag(
        (0.05, 0.1, 0.2, 0.3),
        flag_values.Epsilons(),
        "Largest allowed perturbations of images in [0, 1], comma separated; fractions such as "
        "8/255 work.",
    )
    batch_size: int = _flag(250, flag_values.Whole(minimum=1), "Images a forward or backward pass.")
    seed: int = _flag(
        0, flag_values.Whole(minimum=0, maximum=2**31 - 1), "Seed of everything random."
    )
    output_dir: str = _flag(
        "runs/evaluation",
        flag_values.Text(),
        "Directory of the report; a finished one is never overwritten.",
    )
