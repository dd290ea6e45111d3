"""Symmetric activations: the claims of Zhao and Griffin (2016), on MNIST and CIFAR-10."""

from robust_keras.studies import kernels, proofs
from robust_keras.studies.accuracies import over_epsilon
from robust_keras.studies.study import Evaluate, Figure, Form, Make, Study, Train, once
from robust_keras.studies.symmetric_claims import CLAIMS

_ROBUST = ("--noise_training", "--mean_training")
_SYMMETRIC = ("--loss=hybrid",)
# Model -> flags.
_MNIST = {
    "plain": (),
    "mrelu_rm": ("--activation=mrelu", *_SYMMETRIC, *_ROBUST),
    "plain_rm": _ROBUST,
    "mrelu": ("--activation=mrelu", *_SYMMETRIC),
    "plain_r": ("--noise_training",),
    "rbf_rm": ("--activation=rbf", *_SYMMETRIC, *_ROBUST),
    "mrelu_sgd": ("--activation=mrelu", *_SYMMETRIC, "--optimizer=sgd", "--learning_rate=0.05"),
    "plain_a": ("--adversarial=fast", "--train_epsilon=0.1"),
    "mrelu_a": ("--activation=mrelu", "--adversarial=fast", "--train_epsilon=0.1"),
    "plain_m": ("--mean_training",),
    "mrelu_r": ("--activation=mrelu", *_SYMMETRIC, "--noise_training"),
    "mrelu_m": ("--activation=mrelu", *_SYMMETRIC, "--mean_training"),
    "rbf": ("--activation=rbf", *_SYMMETRIC),
}
_HYBRID = ("--loss=hybrid", "--hybrid_others=0.111111")
_CIFAR = {
    "cifar_plain": (),
    "cifar_mrelu_rm": ("--activation=mrelu", *_HYBRID, *_ROBUST),
    "cifar_mrelu": ("--activation=mrelu", *_HYBRID),
    "cifar_plain_rm": _ROBUST,
}
# Groups in the order in which whole claims finish first; those of `_LATER` are in no claim.
_GROUPS = (
    ("plain", "mrelu_rm"),
    ("plain_rm",),
    ("mrelu",),
    ("plain_r",),
    ("mrelu_sgd",),
    ("rbf_rm",),
    ("cifar_plain", "cifar_mrelu_rm"),
    ("cifar_mrelu",),
    ("plain_a", "mrelu_a"),
)
_LATER = (("plain_m", "mrelu_r", "mrelu_m", "rbf", "cifar_plain_rm"),)
_LENET = ("--dataset=mnist", "--model=lenet5", "--batch_size=100", "--epochs=1")
_QUICK = (
    *("--dataset=cifar10", "--model=cifar_quick", "--batch_size=50", "--epochs=3"),
    "--train_examples=20000",
)
_EPSILONS = {"mnist": "--epsilons=0.05,0.1,0.2", "cifar10": "--epsilons=0.01,0.03"}


def _pair(model, seed):
    recipe = _LENET if model in _MNIST else _QUICK
    run, dataset = f"{model}-{seed}", recipe[0].partition("=")[2]
    flags = {**_MNIST, **_CIFAR}[model]
    attacks = "fgsm,quick,apgd_accepted" if "--mean_training" in flags else "fgsm,quick"
    # Fooling images take long, and are asked of these two.
    unusual = "noisy,nonsense,fooling_gradient" if model in _GROUPS[0] else "noisy,nonsense"
    yield Train(run, (*recipe, *flags, f"--seed={seed}"))
    if model == "mrelu_sgd":  # Whether it trains is all that is asked of it.
        return
    yield Evaluate(
        run,
        (
            f"--models=RUNS/{run}/serving",
            recipe[0],
            "--examples=100",
            f"--attacks={attacks}",
            _EPSILONS[dataset],
            f"--unusual={unusual}",
            "--unusual_clip=false",
        ),
    )
    if model == "plain":
        yield Make(f"histograms-{seed}", kernels.asymmetry(run), 200, needs=(run,))


def _steps(groups, seeds):
    """One group of models after the other."""
    for group in groups:
        for seed in seeds:
            for model in group:
                yield from _pair(model, seed)


# Five seeds of those between which a claim about less than two points decides.
_PROVED_OF, _PROVED = ("plain", "plain_rm", "mrelu", "mrelu_rm", "rbf_rm", "plain_a"), 0.005
_CLEAN = (("plain", "mrelu_rm", "cifar_plain", "cifar_mrelu"),)
_SHORT = (
    *_steps(_GROUPS, (0, 1, 2)),
    *(step for step in _steps(_CLEAN, (3, 4)) if isinstance(step, Train)),
    *proofs.steps(_PROVED_OF, (0, 1, 2), dataset="mnist", epsilons=(_PROVED, 0.02)),
)
_STEPS = once((*_SHORT, *_steps((*_GROUPS, *_LATER), (0, 1, 2, 3, 4))))


_LABELS = {
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
    "mrelu_a": "mReLU-A",
}
_SHOWN = ("plain", "plain_rm", "mrelu_rm")

SYMMETRIC = Study(
    name="symmetric",
    title="Symmetric activations: unusual inputs are suppressed, attacks are not",
    source="Zhao and Griffin, *Suppressing the Unusual* (2016, arXiv 1603.05145)",
    question=(
        "Do activations that answer only near zero (RBF and mReLU), a hybrid loss and training on "
        "noise (R) and nonsense (M) make a network hard to fool, or only hard for one step of an "
        "attack?"
    ),
    method=(
        "MNIST: LeNet-5 with ReLU (plain), RBF or mReLU units; CIFAR-10: the *quick* network. "
        "Symmetric networks end in an RBF unit and are trained by the hybrid loss; they have batch "
        "normalisation, the plain ones have none, as there.",
        "-R: half of the training images get ±0.5 (CIFAR-10: ±0.15) at every pixel. -M: two more "
        "classes of nonsense, of a tenth (a twentieth) of the training images each. -A: fast "
        "adversarial training at 0.1.",
        "Attacks: one step along the gradient (`fgsm`, within 0 and 1; the study's step aims at "
        "the most sensitive class and may leave the range, so that its numbers are not ours), then "
        "`quick` and, on networks that reject, `apgd_accepted`; the audit attacks again what it "
        "doubts, and its finds count.",
        "Noisy and nonsense samples are those of the study, not cut off at 0 and 1.",
        "What `--certify=bounds` proves of 100 of the images, at an epsilon where attacks find "
        "nothing yet: at 0.02 nothing could be proved of the first two networks that were tried.",
        "A nonsense answer to a real image is an error. The same 100 test images for all; clean "
        "accuracy is told on all 10,000.",
    ),
    steps=_STEPS,
    seeds=(0, 1, 2, 3, 4),
    rows=tuple((label, model) for model, label in _LABELS.items()),
    columns=(
        ("clean", lambda model: lambda of: of.trained(model)),
        ("one step, 0.2", lambda model: lambda of: of.robust(model, "fgsm", 0.2)),
        ("worst case, 0.1", lambda model: lambda of: of.worst(model, 0.1)),
        ("worst case, 0.2", lambda model: lambda of: of.worst(model, 0.2)),
        proofs.column(_PROVED),
        (
            "nonsense accepted",
            lambda model: lambda of: of.sample(model, "nonsense", 0.0, "accepted"),
        ),
        (
            "noisy 0.5, accuracy",
            lambda model: lambda of: of.sample(model, "noisy", 0.5, "accuracy"),
        ),
    ),
    claims=CLAIMS,
    headlines=("one_step", "better_than_rm", "nonsense", "fooling"),
    figure=Figure(
        title="MNIST: what one step leaves, and what a strong attack and the audit leave",
        across="epsilon",
        up="accuracy, %",
        places=(0.0, 0.05, 0.1, 0.2),
        lines=(
            *((f"{_LABELS[m]}, one step", over_epsilon(m, "fgsm")) for m in _SHOWN),
            *((f"{_LABELS[m]}, worst case", over_epsilon(m)) for m in _SHOWN),
        ),
    ),
    meaning={
        (
            "one_step",
            "fails",
        ): "The gain against one step is not robustness: a longer attack from the same gradients, "
        "at the same epsilon, takes it away. What the symmetric unit does is to hide the way.",
        (
            "better_than_rm",
            "fails",
        ): "Given the same noise and nonsense to train on, the plain network is about as hard to "
        "fool as the symmetric one, or harder: the activation is not what helps.",
        (
            "nonsense",
            "holds",
        ): "Training on nonsense does what it is for: plain noise is no longer taken for a digit.",
        (
            "fooling",
            "fails",
        ): "But nonsense that is made for the network is: gradient ascent finds accepted images "
        "of most classes.",
    },
    doubts=(
        "A symmetric network that keeps more than its plain twin under `quick` and a passed audit, "
        "at any epsilon that matters.",
        "Twenty epochs, as there, in place of one: the claims about clean accuracy hang on it most "
        "(`--full`).",
        "Adversarial training of symmetric networks (-A): it has not been compared by anybody.",
    ),
    forms={
        "smoke": Form(
            "One small network on mnist5k, 20 images.",
            train=("--dataset=mnist5k", "--model=fc5", "--epochs=1"),
            evaluate=("--dataset=mnist5k", "--examples=20", "--unusual=noisy"),
            steps=2,
            hours="Half a minute.",
        ),
        "small": Form(
            "Shortened: 1 epoch (there 20) on MNIST, 3 epochs (there 90) of 20,000 images on "
            "CIFAR-10, Adam in place of SGD but for one network, 100 test images, three seeds, "
            "five where a claim is about clean accuracy.",
            steps=len(_SHORT),
            hours="About half an hour on two cores, by the processor time of its first runs.",
        ),
        "full": Form(
            "The original's 20 epochs, all images of CIFAR-10; 1,000 test images, `autoattack` "
            "beside `quick`, five seeds.",
            train=("--epochs=20", "--train_examples=0"),
            evaluate=("--examples=1000", "--attacks=fgsm,quick,autoattack,apgd_accepted"),
            hours="About 6 hours on one GPU, by the pace of the small form.",
        ),
    },
)
