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
    source="McKay's survey talk (ARL Penn State, 2018), the papers that it shows and one after it",
    question=(
        "How sure are networks of images that were made from noise, how far do adversarial "
        "examples carry from one model to another, and what do adversarial and ensemble training, "
        "a gradient penalty and a denoiser change about it?"
    ),
    method=(
        "MNIST, LeNet-5 with ReLU (plain) and with ELU, five dense layers; the first trained by "
        "fast adversarial training at 0.3, by ensemble adversarial training with examples made on "
        "the other two and on itself, with a gradient penalty of 10, and with a denoiser in front. "
        "Epsilon is the largest change of any pixel; pixels go from 0 to 1.",
        "Fooling images, one a class, three ways: gradient ascent from noise, evolution of pixels, "
        "evolution of small networks that paint (CPPN; Nguyen, Yosinski and Clune, 2015). Nobody "
        "judged whether they show nothing.",
        "JSMA towards every class from every digit, also one that is misread, so that all seeds "
        "have the same pairs; 14.5 % of the pixels at most (Papernot and others, 2016).",
        "Transfer: Step-LL, one step towards the least likely class, made on each network and "
        "tried on all. The survey's epsilon on ImageNet is 16/256; on digits, where that does "
        "little, 0.3 decides. PGD of 40 steps, never stopped early, made on the four without a "
        "defence. Errors count images that are misread without a change, too.",
        "Black box: for each model a substitute of two hidden layers of 200 units, trained on "
        "nothing but the classes that the model answers, beginning with 150 images; FGSM on it "
        "(Papernot and others, 2017).",
        "Features of the plain network with a linear classifier on another data set: the 8x8 "
        "digits of scikit-learn, enlarged; beside them the pixels, and histograms of oriented "
        "gradients as features made by hand (Dalal and Triggs, 2005).",
        "FGSM's examples, made on the plain network, are shown to a linear classifier and to a "
        "forest (scikit-learn), beside random signs of the same size. Only images that these read "
        "correctly without a change count.",
        "First layers: five dense layers, the adversarially trained network beside its plain twin, "
        "and that beside the same trained from another seed.",
    ),
    steps=survey_steps.STEPS,
    seeds=survey_steps.SEEDS,
    rows=tuple((label, model) for model, label in _LABELS.items()),
    columns=(
        ("clean", lambda m: lambda of: of.trained(m)),
        ("FGSM, 0.3", lambda m: lambda of: of.robust(f"{m}_attacked", "fgsm", 0.3)),
        ("`quick` and audit, 0.3", lambda m: lambda of: of.worst(f"{m}_attacked", 0.3)),
        ("its own Step-LL, 0.3", lambda m: step_ll(m, m)),
        ("its own Step-LL, 0.3, top 5", lambda m: step_ll(m, m, top=5)),
        ("Step-LL made on plain, 0.3", lambda m: step_ll("plain", m)),
        ("Step-LL made on ELU, 0.3", lambda m: step_ll("elu", m)),
        ("Step-LL made on the adversarially trained one, 0.3", lambda m: step_ll("adversarial", m)),
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
        ): "A plain network can be 99 % sure of images that were made from noise to make it sure "
        "(ten images each).",
        (
            "fooling_after_cppn",
            "fails",
        ): "Adversarial training does not prevent such images where painting networks make them.",
        (
            "fooling_after",
            "fails",
        ): "Adversarial training, which bounds small changes, does not change that.",
        (
            "own_is_strongest",
            "holds",
        ): "By one step, a network's own gradient does more than another network's on the mean, "
        "but not for every network (see the figure).",
        (
            "robust_source",
            "holds",
        ): "To the plain network, examples of one step at 0.3 made on an adversarially trained one "
        "do less than those made on networks without a defence.",
        (
            "penalty",
            "holds",
        ): "Where a transferred example does more than the network's own gradient, the gradient "
        "is hidden, not gone: a defence must be attacked from outside, too.",
        (
            "adversarial_whitebox",
            "holds",
        ): "With adversarial training, most digits are still read correctly when the attacker has "
        "the network (0.3).",
        (
            "ensemble_outside",
            "holds",
        ): "Ensemble training is a defence against examples made on networks without one.",
        (
            "ensemble_whitebox",
            "fails",
        ): "Ensemble training is no defence (at 0.3) against an attacker who has the network and "
        "takes more than one step.",
        (
            "denoiser_whitebox",
            "holds",
        ): "A denoiser helps (at 0.3) until the attack goes through it.",
    },
    details=(
        "The denoiser is trained on examples of one to four steps made on the same plain network; "
        "the attack that does not know of it is PGD on that network.",
        "The adversarially trained networks begin with a tenth of the kernels' size, take pixels "
        "as they are and have another learning rate. So have their plain twins, which differ from "
        "them in the examples alone; *the plain twin* is that of LeNet-5. Of the networks without "
        "a defence ELU alone has the recipe of the ensemble-trained one, but for plain, on which "
        "examples are made.",
        "What `--certify=bounds` proves of 100 of the images, at an epsilon that is far below "
        "those of the attacks; that no proof was found is no attack.",
        "Networks are compared image by image. Of the denoiser, of substitutes and of clean "
        "accuracy only counts are kept; they are compared as if independent, which widens the "
        "interval.",
        'Bounds: half where "most" is said or an attack "works", ten points where a small gain '
        'would mean little, zero where "more" or "less" is all that is said. "Asked here" are '
        "questions of our own.",
    ),
    doubts=(
        "Color images and deeper networks: digits at 0.3 are far from the survey's ImageNet.",
        "Attackers from outside who know that a model is defended, and train such a one.",
        "Another data set, on which pixels and oriented gradients do worse than on digits.",
        "Examples made on a network that the denoiser was not trained on.",
        "A substitute of the model's own shape, and more questions than here.",
        "Maxout networks, whose first-layer weights the survey shows; here they are dense networks "
        "with ReLU.",
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
            "grid; three seeds, five for the features, for clean accuracy and for the tables of "
            "Step-LL and PGD.",
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
