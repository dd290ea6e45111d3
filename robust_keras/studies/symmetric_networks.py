"""The networks of the study of symmetric activations, and the steps that question them."""

from collections.abc import Iterable, Iterator

from robust_keras.studies import curves, kernels
from robust_keras.studies.study import Evaluate, Make, Step, Train, once

SEEDS = (0, 1, 2, 3, 4)
# Of -A: one of the epsilons of the attacks.
TRAINED_AT = {"mnist": "0.1", "cifar10": "0.03"}

_ROBUST = ("--noise_training", "--mean_training")
# Not anew for half of the batches, as there: what batch normalisation remembers for serving would
# depend on whether the last few batches were noisy.
_NOISE_CIFAR = ("--noise_training", "--noise_draw=once")
_ROBUST_CIFAR = (*_NOISE_CIFAR, "--mean_training")
# As there, plain networks have it on MNIST and none on CIFAR-10.
_NORMALISED = ("--batch_normalization",)
_MRELU, _RBF = "--activation=mrelu", "--activation=rbf"
_HYBRID = "--loss=hybrid"
_HYBRID_CIFAR = (_HYBRID, "--hybrid_others=0.111111")
_SGD = ("--optimizer=sgd", "--learning_rate=0.05")


def _fast(dataset):
    return "--adversarial=fast", f"--train_epsilon={TRAINED_AT[dataset]}"


# Model -> flags.
_MNIST = {
    "plain": _NORMALISED,
    "plain_r": (*_NORMALISED, "--noise_training"),
    "plain_m": (*_NORMALISED, "--mean_training"),
    "plain_rm": (*_NORMALISED, *_ROBUST),
    "plain_a": (*_NORMALISED, *_fast("mnist")),
    "rbf": (_RBF, _HYBRID),
    "rbf_r": (_RBF, _HYBRID, "--noise_training"),
    "rbf_m": (_RBF, _HYBRID, "--mean_training"),
    "rbf_rm": (_RBF, _HYBRID, *_ROBUST),
    "rbf_a": (_RBF, *_fast("mnist")),
    "mrelu": (_MRELU, _HYBRID),
    "mrelu_r": (_MRELU, _HYBRID, "--noise_training"),
    "mrelu_m": (_MRELU, _HYBRID, "--mean_training"),
    "mrelu_rm": (_MRELU, _HYBRID, *_ROBUST),
    "mrelu_a": (_MRELU, *_fast("mnist")),
    "mrelu_sgd": (_MRELU, _HYBRID, *_SGD),
    "mrelu_sgd5": (_MRELU, _HYBRID, *_SGD, "--epochs=5"),
}
_CIFAR = {
    "cifar_plain": (),
    "cifar_plain_bn": _NORMALISED,
    "cifar_plain_r": _NOISE_CIFAR,
    "cifar_plain_m": ("--mean_training",),
    "cifar_plain_rm": _ROBUST_CIFAR,
    # None of the source's: compared with networks that have batch normalisation.
    "cifar_plain_a": (*_NORMALISED, *_fast("cifar10")),
    "cifar_rbf": (_RBF, *_HYBRID_CIFAR),
    "cifar_rbf_r": (_RBF, *_HYBRID_CIFAR, *_NOISE_CIFAR),
    "cifar_rbf_m": (_RBF, *_HYBRID_CIFAR, "--mean_training"),
    "cifar_rbf_rm": (_RBF, *_HYBRID_CIFAR, *_ROBUST_CIFAR),
    "cifar_rbf_a": (_RBF, *_fast("cifar10")),
    "cifar_mrelu": (_MRELU, *_HYBRID_CIFAR),
    "cifar_mrelu_r": (_MRELU, *_HYBRID_CIFAR, *_NOISE_CIFAR),
    "cifar_mrelu_m": (_MRELU, *_HYBRID_CIFAR, "--mean_training"),
    "cifar_mrelu_rm": (_MRELU, *_HYBRID_CIFAR, *_ROBUST_CIFAR),
    "cifar_mrelu_a": (_MRELU, *_fast("cifar10")),
}
# Groups in the order in which whole claims finish first.
_GROUPS = (
    ("plain", "mrelu_rm"),
    ("plain_rm",),
    ("mrelu",),
    ("plain_r",),
    ("plain_m",),
    ("rbf_rm",),
    ("mrelu_sgd",),
    ("mrelu_sgd5",),
    ("cifar_plain", "cifar_mrelu_rm"),
    ("cifar_mrelu",),
    ("cifar_plain_bn",),
    ("plain_a", "mrelu_a"),
    ("mrelu_m",),
    ("mrelu_r",),
    ("rbf",),
    ("cifar_plain_rm",),
    ("cifar_rbf_rm",),
    ("cifar_plain_a", "cifar_mrelu_a"),
    ("rbf_a",),
    ("cifar_rbf",),
    ("cifar_mrelu_r",),
    ("cifar_mrelu_m",),
    ("rbf_r",),
    ("rbf_m",),
)
# What is left of three units with each training on CIFAR-10; no claim asks for it.
_ONLY_FULL = (
    ("cifar_plain_r",),
    ("cifar_plain_m",),
    ("cifar_rbf_r",),
    ("cifar_rbf_m",),
    ("cifar_rbf_a",),
)
# Five seeds of those between which, or of which, a claim about less than two points decides. None
# of these claims needs an attack.
_CLOSE = (
    ("plain", "mrelu_rm"),
    ("mrelu_sgd",),
    ("cifar_plain", "cifar_mrelu_rm"),
    ("cifar_mrelu",),
    ("cifar_plain_bn",),
    ("plain_m",),
    ("mrelu_m",),
    ("cifar_plain_rm",),
)
# The same of a claim that an attack decides.
_CLOSE_UNDER_ATTACK = (("cifar_plain_a", "cifar_mrelu_a"),)
_LENET = ("--dataset=mnist", "--model=lenet5", "--batch_size=100", "--epochs=1")
_QUICK = (
    *("--dataset=cifar10", "--model=cifar_quick", "--batch_size=50", "--epochs=3"),
    "--train_examples=20000",
)
_EPSILONS = {"mnist": "--epsilons=0.05,0.1,0.2", "cifar10": "--epsilons=0.01,0.03"}


def _of(model: str, seed: int) -> Iterator[Step]:
    recipe = _LENET if model in _MNIST else _QUICK
    run, dataset = f"{model}-{seed}", recipe[0].partition("=")[2]
    flags = {**_MNIST, **_CIFAR}[model]
    yield Train(run, (*recipe, *flags, f"--seed={seed}"))
    if "--optimizer=sgd" in flags:  # Whether it trains is all that is asked of it.
        return
    yield _attacked(model, run, dataset, "--mean_training" in flags)
    yield curves.step(model, seed, dataset)
    if model == "plain":
        yield Make(f"histograms-{seed}", kernels.asymmetry(run), 200, needs=(run,))


def _attacked(model, run, dataset, rejects):
    attacks = "fgsm,quick,apgd_accepted" if rejects else "fgsm,quick"
    # Networks of -A are compared with each other only, and differ by less.
    examples = "--examples=300" if model.endswith("_a") else "--examples=100"
    asked = (f"--models=RUNS/{run}/serving", f"--dataset={dataset}", examples)
    # Fooling images take long, and are asked of these two.
    unusual = ("--unusual=fooling_gradient",) if model in _GROUPS[0] else ()
    return Evaluate(run, (*asked, f"--attacks={attacks}", _EPSILONS[dataset], *unusual))


def _steps(groups: Iterable[tuple[str, ...]], seeds: Iterable[int]) -> Iterator[Step]:
    """One group of models after the other."""
    for group in groups:
        for seed in seeds:
            for model in group:
                yield from _of(model, seed)


_FEW = SEEDS[:3]
SMALL = (
    *_steps(_GROUPS, _FEW),
    *(step for step in _steps(_CLOSE, SEEDS[3:]) if not isinstance(step, Evaluate)),
    *(step for step in _steps(_CLOSE_UNDER_ATTACK, SEEDS[3:]) if not isinstance(step, Make)),
)
STEPS = once((*SMALL, *_steps((*_GROUPS, *_ONLY_FULL), SEEDS)))

_UNITS = {"plain": "plain", "rbf": "RBF", "mrelu": "mReLU"}
_TRAINED = {"": "", "_r": "-R", "_m": "-M", "_rm": "-R-M", "_a": "-A"}
_LABELS = {
    f"{model}{kind}": f"{unit}{told}"
    for model, unit in _UNITS.items()
    for kind, told in _TRAINED.items()
} | {"plain": "plain (ReLU)"}
LABELS = {
    **_LABELS,
    **{f"cifar_{model}": f"CIFAR-10: {label}" for model, label in _LABELS.items()},
    "cifar_plain_bn": "CIFAR-10: plain with batch normalisation",
}


def dataset(model: str) -> str:
    """The data set of a network, by its name."""
    return "cifar10" if model in _CIFAR else "mnist"


def label(model: str) -> str:
    """How a claim calls a network, where its data set is told."""
    return LABELS[model].removeprefix("CIFAR-10: ").removesuffix(" (ReLU)")
