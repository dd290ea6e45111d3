"""Kernel activations: the claims of Peconi (2020), on his networks and on ours."""

from robust_keras.studies import kernels, published_networks
from robust_keras.studies.kernel_claims import CLAIMS
from robust_keras.studies.kernel_networks import EPSILON, OWN, OWN_LABELS, newest
from robust_keras.studies.study import Evaluate, Figure, Form, Make, Study, Train

SEEDS = (0, 1, 2, 3, 4)
_CIFAR = ("--dataset=cifar10", f"--epsilons={EPSILON}")
_RECIPE = (
    *("--dataset=cifar10", "--augment", "--batch_size=128", "--optimizer=sgd", "--epochs=3"),
    *("--learning_rate=0.1", "--learning_rate_schedule=one_cycle", "--weight_decay=5e-4"),
)
# The claims hang on these two first.
_ORDER = ("relu", "kaf", "swish", "kafelu", "elu", "kafrelu", "kafswish")
# Images of each size of the comparison: the smaller one tells something on the way.
_SIZES = (100, 1000)


def _published(name, size):
    flags = (f"--models=RUNS/{name}/model.keras", *_CIFAR, f"--examples={size}")
    attacks = ("--attacks=pgd50,quick", "--batch_size=125")
    return Evaluate(f"{name}_{size}-0", (*flags, *attacks))


def _own(model, seed):
    network, activation, flags = OWN[model]
    run = f"{model}-{seed}"
    given = (f"--model={network}", f"--activation={activation}", *flags, f"--seed={seed}")
    yield Train(run, (*_RECIPE, *given))
    yield Evaluate(
        run,
        (
            f"--models=RUNS/{run}/serving",
            *_CIFAR,
            *("--examples=200", "--attacks=pgd50,quick", "--batch_size=100"),
        ),
    )


def _steps():
    for size in _SIZES:
        for name in _ORDER:
            if size == _SIZES[0]:
                yield Make(f"rebuilt_{name}-0", published_networks.rebuilt(name), 100)
            yield _published(name, size)
            if size == _SIZES[0] and name == _ORDER[1]:
                yield Make("lipschitz-0", kernels.bounds(_ORDER[:2]), 0)
    for name in _ORDER[:2]:
        given = (f"--models=RUNS/{name}/model.keras", *_CIFAR, "--examples=100")
        yield Evaluate(f"{name}_autoattack-0", (*given, "--attacks=autoattack"))
        yield Evaluate(f"{name}_inside-0", (*given, "--attacks=pgd50", "--inside"))
    for seeds in (SEEDS[:3], SEEDS[3:]):
        for model in OWN:
            for seed in seeds:
                yield from _own(model, seed)


_LABELS = {
    "relu": "ReLU",
    "elu": "ELU",
    "swish": "SiLU",
    "kaf": "KAF",
    "kafelu": "KAF from ELU",
    "kafrelu": "KAF from ReLU",
    "kafswish": "KAF from SiLU",
}


def _line(ask):
    """What is known of the network at each place of the axis."""
    return lambda place: newest(_ORDER[int(place)], ask)


KERNEL = Study(
    name="kernel",
    title="Kernel activations: is KAF more robust than ReLU?",
    source="Peconi's thesis (Sapienza, 2020), whose trained networks are published",
    question=(
        "Under PGD the thesis' ResNet-20 with kernel activations (KAF) kept 52.2 % of CIFAR-10, "
        "the one with ReLU 50.2 %. Is that so under a strong attack, or is the difference gone?"
    ),
    method=(
        "First the thesis' own networks, seven ResNet-20 trained by fast adversarial training at "
        "8/255, rebuilt with our layers, since the published files are slow and one has lost its "
        "gradient; the first claim tells how near they come.",
        "PGD of 50 steps of 2/255 (`pgd50`; there from ten random starts, here from one), then "
        "`quick` and the audit, whose finds count; `autoattack` for two of them on 100 images. The "
        "same test images for all.",
        "One network each was published: the intervals are over images alone, and a verdict is "
        "about these networks, not about their activations.",
        "Then our own trainings, VGG and ResNet-20, three seeds.",
    ),
    steps=tuple(_steps()),
    seeds=SEEDS,
    rows=(
        *((f"{label} (published)", name) for name, label in _LABELS.items()),
        *((label, model) for model, label in OWN_LABELS.items()),
    ),
    columns=(
        ("clean", lambda m: newest(m, lambda of, run: of.clean(run))),
        ("PGD-50", lambda m: newest(m, lambda of, run: of.robust(run, "pgd50", 8 / 255))),
        ("`quick`", lambda m: newest(m, lambda of, run: of.robust(run, "quick", 8 / 255))),
        ("worst case", lambda m: newest(m, lambda of, run: of.worst(run, 8 / 255))),
    ),
    claims=CLAIMS,
    headlines=("kaf_relu", "silu_relu", "pgd_tells"),
    figure=Figure(
        title="The published networks at 8/255",
        across="activation",
        up="accuracy, %",
        places=tuple(map(float, range(len(_ORDER)))),
        ticks=tuple(_LABELS[name] for name in _ORDER),
        lines=(
            ("clean", _line(lambda of, run: of.clean(run))),
            ("PGD-50", _line(lambda of, run: of.robust(run, "pgd50", 8 / 255))),
            ("worst case", _line(lambda of, run: of.worst(run, 8 / 255))),
        ),
    ),
    meaning=(
        (
            "kaf_relu",
            "holds",
            "The published KAF network keeps more than the published ReLU network under a strong "
            "attack, too.",
        ),
        (
            "kaf_relu",
            "fails",
            "The published KAF network keeps no more than the published ReLU network once the "
            "attack is strong.",
        ),
        (
            "kaf_relu",
            "open",
            "Between the published KAF and ReLU networks a strong attack leaves no difference that "
            "these images can tell from none: two points are too few for one network each.",
        ),
        (
            "pgd_tells",
            "fails",
            "PGD-50 says too much: a stronger attack finds more than two points that it missed.",
        ),
        (
            "silu_relu",
            "holds",
            "A smooth activation without anything to train does what there is to gain.",
        ),
    ),
    doubts=(
        "More published networks: one of each activation tells nothing of how trainings vary.",
        "Our own trainings with five seeds at the thesis' length (`--full`), if KAF kept two "
        "points more in each.",
        "An attack that finds more on one of these networks than `quick` and the audit.",
    ),
    forms={
        "smoke": Form(
            "The first network alone, 20 images of CIFAR-10.",
            evaluate=("--examples=20", "--attacks=pgd50"),
            steps=2,
            images=20,
            hours="A minute.",
        ),
        "small": Form(
            "The published networks on 100 images and then on 1,000, PGD from one start; own "
            "networks shortened to 3 epochs (there 60 and 100) and 200 images.",
            hours="About 3 hours on two cores for the published networks, a day with our own.",
        ),
        "full": Form(
            "100 epochs; 1,000 images, `pgd50x10` and `autoattack` beside `quick`.",
            train=("--epochs=100",),
            evaluate=("--examples=1000", "--attacks=pgd50,pgd50x10,quick,autoattack"),
            hours="About 40 hours on one GPU, by the count of images times epochs.",
        ),
    },
)
