"""What the survey's page shows beside its table of networks."""

import itertools

from robust_keras.studies.black_box_claims import on_substitute, through_denoiser
from robust_keras.studies.study import Table
from robust_keras.studies.survey_claims import kept_answers
from robust_keras.studies.transferred import EPSILON, IMAGENET, from_outside, pgd, step_ll

_CROSSED = {
    "plain": "plain",
    "twin": "the plain twin",
    "adversarial": "adversarially trained",
    "ensemble": "ensemble-trained",
}


def _left(title, epsilon, top):
    return f"{title}, top {top}", lambda pair: step_ll(*pair, epsilon=epsilon, top=top)


def _label(source, target):
    tried = "itself" if source == target else _CROSSED[target]
    return f"made on {_CROSSED[source]}, tried on {tried}"


STEP_LL = Table(
    title="Accuracy on Step-LL's examples (the survey's table has errors: one less accuracy)",
    rows=tuple((_label(*pair), pair) for pair in itertools.product(_CROSSED, repeat=2)),
    columns=(
        _left("16/256", IMAGENET, 1),
        _left("16/256", IMAGENET, 5),
        _left("0.3", EPSILON, 1),
        _left("0.3", EPSILON, 5),
    ),
)
OTHERS = Table(
    title="Accuracy on other examples from outside, and of other kinds of models, at 0.3",
    rows=(
        ("plain, FGSM made on its own substitute", on_substitute("plain")),
        ("gradient penalty, FGSM made on its own substitute", on_substitute("penalty")),
        ("adversarially trained, FGSM made on its own substitute", on_substitute("adversarial")),
        ("ELU, PGD made on plain", pgd("plain", "elu")),
        ("plain twin, PGD made on plain", pgd("plain", "twin")),
        ("five dense layers, PGD made on plain", pgd("plain", "fc5")),
        ("gradient penalty, PGD made on plain", pgd("plain", "penalty")),
        ("adversarially trained, PGD made on plain", pgd("plain", "adversarial")),
        ("ensemble-trained, PGD made on plain", pgd("plain", "ensemble")),
        (
            "ensemble-trained, Step-LL and PGD made on all four without a defence",
            from_outside("ensemble"),
        ),
        ("plain behind a denoiser, no change", lambda of: of.trained("denoiser")),
        ("plain, its own PGD", through_denoiser(0)),
        ("plain behind a denoiser, PGD made on plain alone", through_denoiser(1)),
        (
            "plain behind a denoiser, `quick` and audit through both",
            lambda of: of.worst("denoised:1", 0.3),
        ),
        ("linear classifier, random signs", kept_answers("carried", "linear", "noise")),
        ("linear classifier, FGSM made on plain", kept_answers("carried", "linear", "examples")),
        ("forest, random signs", kept_answers("carried", "forest", "noise")),
        ("forest, FGSM made on plain", kept_answers("carried", "forest", "examples")),
    ),
    columns=(("accuracy", lambda value: value),),
)
