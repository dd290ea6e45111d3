"""The networks of the study of symmetric activations, and the steps that question them."""

from collections.abc import Iterable, Iterator

from robust_keras.studies import curves, kernels
from robust_keras.studies.study import Evaluate, Make, Step, Train, once

SEEDS = (0, 1, 2, 3, 4)
# Of -A: one of the epsilons of the attacks.
TRAINED_AT = {"mnist": "0.1", "cifar10": "0.03"}

_ROBUST = ("--noise_training", "--mean_training")
# As there, plain networks have batch normalisation on MNIST and none on CIFAR-10.
_PLAIN = ("--batch_normalization",)
_MRELU, _RBF = "--activation=mrelu", "--activation=rbf"
_HYBRID = "--loss=hybrid"
_HYBRID_CIFAR = (_HYBRID, "--hybrid_others=0.111111")


def _fast(dataset):
    return "--adversarial=fast", f"--train_epsilon={TRAINED_AT[dataset]}"


# Model -> flags.
_MNIST = {
    "plain": _PLAIN,
    "plain_r": (*_PLAIN, "--noise_training"),
    "plain_m": (*_PLAIN, "--mean_training"),
    "plain_rm": (*_PLAIN, *_ROBUST),
    "plain_a": (*_PLAIN, *_fast("mnist")),
    "rbf": (_RBF, _HYBRID),
    "rbf_rm": (_RBF, _HYBRID, *_ROBUST),
    "rbf_a": (_RBF, *_fast("mnist")),
    "mrelu": (_MRELU, _HYBRID),
    "mrelu_r": (_MRELU, _HYBRID, "--noise_training"),
    "mrelu_m": (_MRELU, _HYBRID, "--mean_training"),
    "mrelu_rm": (_MRELU, _HYBRID, *_ROBUST),
    "mrelu_a": (_MRELU, *_fast("mnist")),
    "mrelu_sgd": (_MRELU, _HYBRID, "--optimizer=sgd", "--learning_rate=0.05"),
}
_CIFAR = {
    "cifar_plain": (),
    "cifar_plain_rm": _ROBUST,
    "cifar_plain_a": _fast("cifar10"),
    "cifar_rbf_rm": (_RBF, *_HYBRID_CIFAR, *_ROBUST),
    "cifar_mrelu": (_MRELU, *_HYBRID_CIFAR),
    "cifar_mrelu_rm": (_MRELU, *_HYBRID_CIFAR, *_ROBUST),
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
    ("cifar_plain", "cifar_mrelu_rm"),
    ("cifar_mrelu",),
    ("plain_a", "mrelu_a"),
    ("mrelu_m",),
    ("mrelu_r",),
    ("rbf",),
    ("cifar_plain_rm",),
    ("cifar_rbf_rm",),
    ("cifar_plain_a", "cifar_mrelu_a"),
    ("rbf_a",),
)
# Five seeds of those between which, or of which, a claim about less than two points decides. None
# of these claims needs an attack.
_CLOSE = (
    ("plain", "mrelu_rm"),
    ("mrelu_sgd",),
    ("cifar_plain", "cifar_mrelu_rm"),
    ("cifar_mrelu",),
    ("plain_m",),
    ("mrelu_m",),
)
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
    if model == "mrelu_sgd":  # Whether it trains is all that is asked of it.
        return
    yield _attacked(model, run, dataset, "--mean_training" in flags)
    yield curves.step(model, seed, dataset)
    if model == "plain":
        yield Make(f"histograms-{seed}", kernels.asymmetry(run), 200, needs=(run,))


def _attacked(model, run, dataset, rejects):
    attacks = "fgsm,quick,apgd_accepted" if rejects else "fgsm,quick"
    asked = (f"--models=RUNS/{run}/serving", f"--dataset={dataset}", "--examples=100")
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
)
STEPS = once((*SMALL, *_steps(_GROUPS, SEEDS)))

LABELS = {
    "plain": "plain (ReLU)",
    "plain_r": "plain-R",
    "plain_m": "plain-M",
    "plain_rm": "plain-R-M",
    "rbf": "RBF",
    "rbf_rm": "RBF-R-M",
    "mrelu": "mReLU",
    "mrelu_r": "mReLU-R",
    "mrelu_m": "mReLU-M",
    "mrelu_rm": "mReLU-R-M",
    "plain_a": "plain-A",
    "rbf_a": "RBF-A",
    "mrelu_a": "mReLU-A",
    "cifar_plain": "CIFAR-10: plain (ReLU)",
    "cifar_plain_rm": "CIFAR-10: plain-R-M",
    "cifar_rbf_rm": "CIFAR-10: RBF-R-M",
    "cifar_mrelu": "CIFAR-10: mReLU",
    "cifar_mrelu_rm": "CIFAR-10: mReLU-R-M",
    "cifar_plain_a": "CIFAR-10: plain-A",
    "cifar_mrelu_a": "CIFAR-10: mReLU-A",
}


def dataset(model: str) -> str:
    """The data set of a network, by its name."""
    return "cifar10" if model in _CIFAR else "mnist"
