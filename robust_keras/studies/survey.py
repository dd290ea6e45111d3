"""Fooling images, black boxes and ensembles: the claims that McKay's survey (2018) gathers."""

from robust_keras.studies import proofs, survey_steps, survey_tables
from robust_keras.studies.study import Figure, Form, Study
from robust_keras.studies.survey_claims import CLAIMS
from robust_keras.studies.transferred import MODELS, step_ll

_LABELS = {
    "plain": "plain",
    "twin": "plain twin of the adversarially trained one",
    "elu": "ELU",
    "fc5": "five dense layers",
    "adversarial": "adversarially trained",
    "ensemble": "ensemble-trained",
    "penalty": "gradient penalty",
}
_SHORT = ("plain", "twin", "ELU", "five dense", "adversarial", "ensemble", "penalty")


def _bar(source):
    """Accuracy of the model at a place of the axis on one source's examples."""
    return lambda place: step_ll(source, MODELS[int(place)])


SURVEY = Study(
    name="survey",
    title="Fooling images, black boxes, ensembles: what carries over",
    source="McKay's survey talk (ARL Penn State, 2018) and the papers that it shows",
    question=(
        "How sure are networks of images that show nothing, how far do adversarial examples carry "
        "from one model to another, and what do adversarial and ensemble training, a gradient "
        "penalty and a denoiser change about it?"
    ),
    method=(
        "MNIST, LeNet-5 with ReLU (plain) and with ELU, five dense layers; the first trained by "
        "fast adversarial training at 0.3, by ensemble adversarial training on the other two, "
        "with a gradient penalty of 10, and with a denoiser in front.",
        "The adversarially trained networks begin with a tenth of the kernels' size, take pixels "
        "as they are and have another learning rate. So have their plain twins, which differ from "
        "them in the examples alone.",
        "Fooling images, one a class, three ways: gradient ascent from noise, evolution of pixels, "
        "evolution of small networks that paint (CPPN; Nguyen, Yosinski and Clune, 2015). Nobody "
        "judged whether they show nothing.",
        "JSMA towards every class from every digit, also one that is misread, so that all seeds "
        "have the same pairs; 14.5 % of the pixels at most (Papernot and others, 2016).",
        "Transfer: Step-LL, one step towards the least likely class, made on each network and "
        "tried on all. The survey's epsilon on ImageNet is 16/256; on digits, where that does "
        "little, 0.3 decides. PGD of 40 steps, none left out, made on the four without a defence.",
        "Black box: a substitute trained on nothing but the classes that the model answers, from "
        "150 images, FGSM on it (Papernot and others, 2017).",
        "Features of the plain network with a linear classifier on another data set: the 8x8 "
        "digits of scikit-learn, enlarged; beside them the pixels, and histograms of oriented "
        "gradients as features made by hand (Dalal and Triggs, 2005).",
        "FGSM's examples made on the plain network, on a linear classifier and on a forest of "
        "scikit-learn that read the image before, beside random signs of the same size.",
        "First layers: five dense layers, the adversarially trained network beside its plain twin, "
        "and that beside the same trained from another seed.",
        "What `--certify=bounds` proves of 100 of the images, at an epsilon that is far below "
        "those of the attacks; that no proof was found is no attack.",
        "What carries over is paired image by image but for the denoiser, where, as of clean "
        "accuracy, counts alone are kept and compared as if independent, which widens the "
        "interval.",
        'Bounds: half where "most" is said or an attack "works", ten points where a small gain '
        'would mean little, zero where "more" or "less" is all that is said. "Asked here" are '
        "questions of our own.",
    ),
    steps=survey_steps.STEPS,
    seeds=survey_steps.SEEDS,
    rows=tuple((label, model) for model, label in _LABELS.items()),
    columns=(
        ("clean", lambda m: lambda of: of.trained(m)),
        ("FGSM, 0.3", lambda m: lambda of: of.robust(f"{m}_attacked", "fgsm", 0.3)),
        ("`quick` and audit, 0.3", lambda m: lambda of: of.worst(f"{m}_attacked", 0.3)),
        ("its own Step-LL, 0.3", lambda m: step_ll(m, m)),
        ("the same, top 5", lambda m: step_ll(m, m, top=5)),
        ("plain's, carried over", lambda m: step_ll("plain", m)),
        ("ELU's, carried over", lambda m: step_ll("elu", m)),
        ("adversarially trained one's, carried over", lambda m: step_ll("adversarial", m)),
        proofs.column(survey_steps.PROVED),
    ),
    tables=(survey_tables.STEP_LL, survey_tables.OTHERS),
    claims=CLAIMS,
    headlines=("fooling_gradient", "fooling_after", "substitute", "ensemble", "ensemble_whitebox"),
    figure=Figure(
        title="Accuracy on Step-LL's examples at 0.3 made on one network, tried on each",
        across="tried on",
        up="accuracy, %",
        places=tuple(map(float, range(len(MODELS)))),
        ticks=_SHORT,
        lines=tuple(
            (f"made on {label}", _bar(name)) for name, label in zip(MODELS, _SHORT, strict=True)
        ),
    ),
    meaning={
        (
            "fooling_gradient",
            "holds",
        ): "A network's confidence says little about images that are unlike its data.",
        (
            "fooling_after",
            "fails",
        ): "Adversarial training, which bounds small changes, does not change that.",
        (
            "own_is_strongest",
            "holds",
        ): "An attacker who has the network itself does more than one who has another.",
        (
            "robust_source",
            "holds",
        ): "To the plain network, examples made on an adversarially trained one do less than those "
        "made on one without a defence.",
        (
            "penalty",
            "holds",
        ): "Where a transferred example does more than the network's own gradient, the gradient "
        "is hidden, not gone: a defence must be attacked from outside, too.",
        (
            "adversarial_whitebox",
            "holds",
        ): "Adversarial training leaves most digits also to an attacker who has the network.",
        (
            "ensemble_outside",
            "holds",
        ): "Ensemble training is a defence against examples made on networks without one.",
        (
            "ensemble_whitebox",
            "fails",
        ): "Ensemble training is no defence against an attacker who has the network and takes "
        "more than one step.",
        ("denoiser_whitebox", "holds"): "A denoiser helps until the attack goes through it.",
    },
    doubts=(
        "Color images and deeper networks: digits at 0.3 are far from the survey's ImageNet.",
        "Attackers from outside who know that a model is defended, and train such a one.",
        "Another data set that pixels and gradients do not read as well as digits.",
        "A substitute of the model's own shape, and more questions than here.",
        "The maxout networks whose first-layer weights the survey shows are dense networks here.",
    ),
    forms={
        "smoke": Form(
            "One small network on mnist5k, 20 images.",
            train=("--dataset=mnist5k", "--model=fc5", "--epochs=1"),
            evaluate=(
                *("--dataset=mnist5k", "--examples=20", "--unusual=fooling_gradient"),
                "--fooling_steps=20",
            ),
            steps=2,
            images=100,
            hours="Half a minute.",
        ),
        "small": Form(
            "Shortened: 2 epochs (the denoiser on 20,000 digits), 300 test images for transfer and "
            "100 for `quick`, 200 generations of evolution (there 1,000), 20 digits for JSMA's "
            "grid; three seeds, five for the features, for clean accuracy and for what carries "
            "over.",
            steps=len(survey_steps.SHORT),
            hours="About an hour on two cores: 80 minutes of one, by what the first seed's steps "
            "took.",
        ),
        "full": Form(
            "12 epochs, all digits; 2,000 images, 1,000 generations, five seeds.",
            train=("--epochs=12", "--train_examples=0"),
            evaluate=("--examples=2000", "--fooling_generations=1000"),
            hours="About 10 hours on one GPU, by the pace of the small form.",
        ),
    },
)
