"""Fooling images, black boxes and ensembles: the claims that McKay's survey (2018) gathers."""

from robust_keras.studies import proofs, survey_steps
from robust_keras.studies.study import Figure, Form, Study
from robust_keras.studies.survey_claims import CLAIMS
from robust_keras.studies.transfer_claims import MODELS, transferred

_LABELS = {
    "plain": "plain",
    "elu": "plain with ELU",
    "fc5": "plain, five dense layers",
    "adversarial": "adversarially trained",
    "ensemble": "ensemble-trained",
    "penalty": "gradient penalty",
}


def _bar(source):
    """Accuracy of the model at a place of the axis on one source's examples."""
    return lambda place: transferred(source, MODELS[int(place)])


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
        "Fooling images three ways: gradient ascent, evolution of pixels, evolution of painting "
        "networks (Nguyen, Yosinski and Clune, 2015).",
        "JSMA towards every class from every digit, 14.5 % of the pixels at most (Papernot and "
        "others, 2016).",
        "Transfer: Step-LL, one step towards the least likely class, made on each network and "
        "tried on all. The survey's epsilon on ImageNet is 16/256; on digits, where that does "
        "little, 0.3 decides.",
        "Black box: a substitute trained on nothing but the classes that the model answers, from "
        "150 images, FGSM on it (Papernot and others, 2017).",
        "Features of the plain network with a linear classifier on another data set: the 8x8 "
        "digits of scikit-learn, enlarged. FGSM's examples on a linear classifier and on a forest "
        "of scikit-learn, beside noise of the same size.",
        "What `--certify=bounds` proves of 100 of the images, at an epsilon that is far below "
        "those of the attacks; that no proof was found is no attack.",
        "What carries over is paired image by image but for the substitute and the denoiser, where "
        "counts alone are kept and compared as if independent, which widens the interval.",
    ),
    steps=survey_steps.STEPS,
    seeds=survey_steps.SEEDS,
    rows=tuple((label, model) for model, label in _LABELS.items()),
    columns=(
        ("clean", lambda m: lambda of: of.trained(m)),
        ("its own Step-LL, 0.3", lambda m: transferred(m, m)),
        ("the same, top 5", lambda m: transferred(m, m, top=5)),
        ("plain's, carried over", lambda m: transferred("plain", m)),
        ("ELU's, carried over", lambda m: transferred("elu", m)),
        ("adversarially trained one's", lambda m: transferred("adversarial", m)),
        proofs.column(survey_steps.PROVED),
    ),
    claims=CLAIMS,
    headlines=("fooling_gradient", "fooling_after", "substitute", "ensemble", "ensemble_whitebox"),
    figure=Figure(
        title="Accuracy on Step-LL's examples at 0.3 made on one network, tried on each",
        across="tried on",
        up="accuracy, %",
        places=tuple(map(float, range(len(MODELS)))),
        ticks=MODELS,
        lines=tuple((f"made on {name}", _bar(name)) for name in MODELS),
    ),
    meaning={
        (
            "fooling_gradient",
            "holds",
        ): "A network's confidence says little away from its data: images of nothing reach it.",
        (
            "fooling_after",
            "fails",
        ): "Adversarial training, which bounds small changes, does not change that.",
        (
            "own_is_strongest",
            "holds",
        ): "An attacker who has the network itself does more than one who has another.",
        (
            "penalty",
            "holds",
        ): "Where a transferred example does more than the network's own gradient, the gradient "
        "is hidden, not gone: a defence must be attacked from outside, too.",
        (
            "ensemble_whitebox",
            "fails",
        ): "Ensemble training is a defence against examples from elsewhere alone.",
        ("denoiser_whitebox", "holds"): "A denoiser helps until the attack goes through it.",
    },
    doubts=(
        "Color images and deeper networks: digits at 0.3 are far from the survey's ImageNet.",
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
            "grid; three seeds, five for the features and for "
            "clean accuracy.",
            steps=len(survey_steps.SHORT),
            hours="About an hour on two cores, by the processor time of its first runs.",
        ),
        "full": Form(
            "12 epochs, all digits; 2,000 images, 1,000 generations, five seeds.",
            train=("--epochs=12", "--train_examples=0"),
            evaluate=("--examples=2000", "--fooling_generations=1000"),
            hours="About 8 hours on one GPU, by the pace of the small form.",
        ),
    },
)
