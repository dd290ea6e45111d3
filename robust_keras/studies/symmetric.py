"""Symmetric activations: the claims of Zhao and Griffin (2016), on MNIST and CIFAR-10."""

from robust_keras.studies import curves, kernels
from robust_keras.studies.accuracies import accepted, over_epsilon
from robust_keras.studies.study import Figure, Form, Study
from robust_keras.studies.symmetric_claims import CLAIMS
from robust_keras.studies.symmetric_networks import LABELS, SEEDS, SMALL, STEPS, TRAINED_AT, dataset

_SHOWN = ("plain", "plain_rm", "mrelu_rm")
# On MNIST those of which weights were published.
_CURVES = {
    "mnist": tuple(f"{unit}{kind}" for unit in ("plain", "rbf", "mrelu") for kind in ("", "_rm")),
    "cifar10": tuple(model for model in LABELS if dataset(model) == "cifar10"),
}


def _share(kind, on_mnist, on_cifar):
    return lambda model: curves.share(model, kind, _strength(model, on_mnist, on_cifar))


def _strength(model, on_mnist, on_cifar):
    return on_mnist if dataset(model) == "mnist" else on_cifar


def _left(on_mnist, on_cifar, attack=None):
    return lambda model: over_epsilon(model, attack)(_strength(model, on_mnist, on_cifar))


def _accepted_left(on_mnist, on_cifar):
    return lambda model: accepted(model, _strength(model, on_mnist, on_cifar))


def _over_strengths(name, title):
    rows = tuple((LABELS[m].removeprefix(f"{title}: "), m) for m in _CURVES[name])
    return curves.tables(name, title, rows)


def _features(of_what, convolution):
    def over(deviation):
        place = kernels.DEVIATIONS.index(deviation)
        return lambda of: of.made("histograms")[of_what][convolution][place]

    return over


_HISTOGRAMS = Figure(
    title="Features of the plain network on MNIST before its activations, by how many standard "
    "deviations of the digits' they lie from the digits' mean (the ends: or farther), %",
    across="deviations",
    up="share",
    places=kernels.DEVIATIONS,
    lines=tuple(
        (f"{of_what}, {name} convolution", _features(of_what, number))
        for number, name in enumerate(("first", "second"))
        for of_what in ("digits", "nonsense")
    ),
)

SYMMETRIC = Study(
    name="symmetric",
    title="Symmetric activations, against one step of an attack and against longer ones",
    source="Zhao and Griffin, *Suppressing the Unusual* (2016, arXiv 1603.05145)",
    question=(
        "Do activations that answer only near zero (RBF and mReLU), a hybrid loss and training on "
        "noise (R) and nonsense (M) make a network hard to fool, or only hard for one step of an "
        "attack?"
    ),
    method=(
        "MNIST: LeNet-5 with ReLU (plain), RBF or mReLU units; CIFAR-10: the *quick* network. "
        "Symmetric networks end in an RBF unit, have batch normalisation and are trained by the "
        "hybrid loss (-A: by cross-entropy). As there, the plain networks have batch normalisation "
        "on MNIST and none on CIFAR-10, so that on CIFAR-10 more than the activation differs.",
        "-R: half of the training images (CIFAR-10: of the batches) get ±0.5 (±0.15) at every "
        "pixel. -M: two more classes of nonsense, of a tenth (a twentieth) of the training images "
        f"each. -A: fast adversarial training at {TRAINED_AT['mnist']} "
        f"({TRAINED_AT['cifar10']}).",
        "Attacks on the same 100 test images for all, compared one by one: one step along the "
        "gradient (`fgsm`, within 0 and 1), then `quick`; on networks of -M also `apgd_accepted`, "
        "which looks for a wrong answer that is accepted.",
        "On 1,000 test images (or as many of nonsense), at all strengths of the study, and not cut "
        "off at 0 and 1: the study's own adversarial step, towards the wrong class to which the "
        "network is most sensitive; noise; and nonsense (normal noise, each image scaled to lie "
        "between 0 and 1), moved by the same step towards any class. Gradients are those of the "
        "network as it is served; there batch normalisation is in training mode.",
        "A network of -M accepts an image if it answers a digit; the others if their confidence is "
        "above 0.5. A nonsense answer to a real image is an error, but in the column and the rows "
        "that say otherwise; networks without -M reject nothing there.",
        "Clean accuracy is counted on all 10,000 test images. It, the study's own step, noise and "
        "nonsense are compared as if independent, which widens the interval.",
        "Proofs (`--certify=bounds`) are left out: at 0.001 nothing could be proved of an "
        "mReLU-R-M network for MNIST, of a seed of its own.",
        "Against adversarial examples a gain counts from ten points on (the source gains twenty "
        'and more), elsewhere as its row says. "Asked here" are questions of our own.',
        "An earlier run, whose plain networks had no batch normalisation on MNIST, had been seen "
        "when the networks and rows that it lacked were added; bounds of rows that it had stayed.",
    ),
    steps=STEPS,
    seeds=SEEDS,
    rows=tuple((label, model) for model, label in LABELS.items()),
    columns=(
        ("clean", lambda model: lambda of: of.trained(model)),
        ("the study's own step, 0.2 (CIFAR-10: 0.03)", _share("adversarial", 0.2, 0.03)),
        ("one step, 0.2 (0.03)", _left(0.2, 0.03, "fgsm")),
        ("worst case, 0.1 (0.01)", _left(0.1, 0.01)),
        ("the same, rejected answers no errors", _accepted_left(0.1, 0.01)),
        ("worst case, 0.2 (0.03)", _left(0.2, 0.03)),
        ("nonsense accepted", _share("nonsense", 0.0, 0.0)),
        ("accepted of nonsense moved by 0.3 (0.05)", _share("nonsense", 0.3, 0.05)),
        ("accuracy on noise of 0.5 (0.15)", _share("noisy", 0.5, 0.15)),
    ),
    claims=CLAIMS,
    headlines=("one_step", "better_than_rm", "nonsense", "fooling"),
    figure=Figure(
        title="MNIST: what one step leaves, and what a strong attack and the audit leave",
        across="epsilon",
        up="accuracy, %",
        places=(0.0, 0.05, 0.1, 0.2),
        lines=(
            *((f"{LABELS[m]}, worst case", over_epsilon(m)) for m in _SHOWN),
            *((f"{LABELS[m]}, one step", over_epsilon(m, "fgsm")) for m in _SHOWN),
        ),
        colours=len(_SHOWN),
    ),
    curves=(
        *_over_strengths("mnist", "MNIST"),
        *_over_strengths("cifar10", "CIFAR-10"),
        _HISTOGRAMS,
    ),
    meaning={
        (
            "one_step",
            "fails",
        ): "Whatever it gains against one step is not robustness: at the same epsilon a longer "
        "attack leaves it less than ten points more than a plain network.",
        (
            "better_than_rm",
            "fails",
        ): "Given the same noise and nonsense to train on, the symmetric network keeps no ten "
        "points more than the plain one at 0.1, or fewer: the activation is not what helps.",
        (
            "random_adversarial",
            "holds",
        ): "Noise in training helps at 0.1, without any symmetric unit.",
        (
            "adversarial",
            "fails",
        ): "Nor does the symmetric unit help where both networks are trained adversarially.",
        (
            "cifar",
            "fails",
        ): "Nor is it robustness on CIFAR-10.",
        (
            "nonsense",
            "holds",
        ): "A network that was trained on nonsense does not take plain noise for a digit.",
        (
            "mean_alone",
            "holds",
        ): "Nor does a plain network that was trained on it: the units are not what rejects.",
        (
            "fooling",
            "fails",
        ): "What is made to look like a class to the network is taken for a digit all the same.",
    },
    doubts=(
        "A symmetric network that keeps ten points more than a plain one with the same training "
        "and batch normalisation, under `quick` and a passed audit, at any epsilon.",
        "A plain network for CIFAR-10 with batch normalisation: what it explains of the difference "
        "is not measured.",
        "Twenty epochs, as there, in place of one (`--full`). (PGD on the published weights of "
        "mReLU-R-M, trained for twenty, left nothing at 0.2 either.)",
        "Adversarial training of symmetric networks for longer, and by the hybrid loss.",
    ),
    forms={
        "smoke": Form(
            "One small network on mnist5k, 20 images.",
            train=("--dataset=mnist5k", "--model=fc5", "--epochs=1"),
            evaluate=("--dataset=mnist5k", "--examples=20", "--unusual=none"),
            steps=2,
            hours="Half a minute.",
        ),
        "small": Form(
            "Shortened: 1 epoch (there 20) on MNIST, 3 epochs (there 90) of 20,000 images on "
            "CIFAR-10, Adam in place of SGD but for one network, 100 test images under attack, "
            "three seeds, five for clean accuracy in claims and for nonsense that is to be "
            "rejected.",
            steps=len(SMALL),
            hours="Nearly two hours on two cores, by the processor time of one "
            "network of each data set.",
        ),
        "full": Form(
            "The original's 20 epochs, all images of CIFAR-10; 1,000 test images, `autoattack` "
            "beside `quick`, five seeds.",
            train=("--epochs=20", "--train_examples=0"),
            evaluate=("--examples=1000", "--attacks=fgsm,quick,autoattack,apgd_accepted"),
            hours="About 8 hours on one GPU, by the pace of the small form.",
        ),
    },
)
