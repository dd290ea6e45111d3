"""What McKay's survey (2018) reports of networks' examples on each other, and of defences.

Where a number of a paper could not be checked here, none is given.
"""

from typing import Any

from robust_keras.studies.accuracies import less
from robust_keras.studies.study import Claim, Measure, alone
from robust_keras.studies.transferred import (
    IMAGENET,
    from_outside,
    own_beyond_others,
    pgd,
    step_ll,
)

UNKNOWN = "no number at hand"
UNNAMED = "no number; the talk names no such network"
ASKED = "not measured there"
_HALF_LEFT: dict[str, Any] = {
    "holds": "More than half of the digits are still read correctly.",
    "fails": "Less than half of the digits are still read correctly.",
    "open": "Whether half of the digits are still read correctly, the interval does not tell.",
}


def _with_the_network(model, name, says):
    """That a network withstands an attacker who has it: half of the digits are left."""
    run = f"{model}_attacked"
    return Claim(
        name,
        says,
        ASKED,
        (
            Measure(
                "its own Step-LL at 0.3, on the images of `quick`; half of the digits left",
                lambda of: of.robust(run, "step_ll", 0.3),
                0.5,
            ),
            Measure(
                "`quick` and audit at 0.3; half of the digits left",
                lambda of: of.worst(run, 0.3),
                0.5,
            ),
        ),
        **_HALF_LEFT,
    )


def _robust_source(epsilon, top=1):
    return less(
        step_ll("adversarial", "plain", epsilon, top), step_ll("twin", "plain", epsilon, top)
    )


TRANSFER_CLAIMS = (
    Claim(
        "own_is_strongest",
        "By one step, a network's own gradient does more than another network's, on the mean",
        "error of Inception v4: 60.2 % by its own, 39.2 % by v3's (ImageNet, 16/256)",
        (
            Measure(
                "Step-LL at 16/256; errors by a network's own examples beyond those by another's, "
                "mean over all pairs",
                own_beyond_others(IMAGENET),
            ),
            Measure("Step-LL at 0.3; the same", own_beyond_others(0.3)),
        ),
        holds="On the mean over all pairs, its own examples fool a network more often.",
        fails="On the mean over all pairs, another's examples fool a network as often: one step "
        "towards the least likely class is no strong attack.",
    ),
    Claim(
        "own_top_five",
        "By one step, a network's own gradient does more, also where the five likeliest classes "
        "count",
        "top-5 error of v4: 31.0 % by its own, 14.9 % by v3's",
        alone("Step-LL at 0.3, top 5 of 10; the same", own_beyond_others(0.3, top=5)),
        holds="Its own examples push the class out of the first five more often.",
        fails="Its own examples push the class out of the first five no more often.",
    ),
    Claim(
        "robust_source",
        "Examples made on an adversarially trained network carry over less",
        "error of v4: 39.2 % by v3's, 31.1 % by v3 adversarially trained",
        (
            Measure(
                "Step-LL at 16/256; plain's errors by the plain twin's examples beyond those by "
                "the adversarially trained one's",
                _robust_source(IMAGENET),
            ),
            Measure("Step-LL at 0.3; the same", _robust_source(0.3)),
        ),
        holds="They fool the plain network less often than those of the twin.",
        fails="They fool the plain network at least as often as those of the twin.",
    ),
    Claim(
        "robust_source_top_five",
        "Examples made on an adversarially trained network carry over less, also where the five "
        "likeliest classes count",
        "top-5 error of v4: 14.9 % by v3's, 10.2 % by v3 adversarially trained",
        alone("Step-LL at 0.3, top 5 of 10; the same", _robust_source(0.3, top=5)),
        holds="They push the class out of the first five less often than those of the twin.",
        fails="They push the class out of the first five at least as often.",
    ),
    Claim(
        "ensemble",
        "Ensemble training lowers what carries over, compared with ELU",
        UNKNOWN,
        alone(
            "Step-LL at 0.3 made on the plain network, on which it was not trained; ELU's errors "
            "beyond the ensemble-trained network's",
            less(step_ll("plain", "ensemble"), step_ll("plain", "elu")),
        ),
        holds="Plain's examples fool it less often than they fool ELU. For other networks without "
        "a defence see the first table.",
        fails="Plain's examples fool it at least as often as they fool ELU.",
    ),
    Claim(
        "ensemble_long",
        "Ensemble training lowers what carries over of an attack of many steps, compared with ELU",
        UNKNOWN,
        alone("PGD at 0.3, the same", less(pgd("plain", "ensemble"), pgd("plain", "elu"))),
        holds="Plain's examples fool it less often than they fool ELU. For the twin see the next "
        "row.",
        fails="Plain's examples fool it at least as often as they fool ELU.",
    ),
    Claim(
        "ensemble_long_twin",
        "Asked here, when the number could be seen: of an attack of many steps less carries over "
        "to it than to the plain twin, whose recipe is another",
        ASKED,
        alone(
            "PGD at 0.3 made on the plain network; the twin's errors beyond the ensemble-trained "
            "network's",
            less(pgd("plain", "ensemble"), pgd("plain", "twin")),
        ),
        holds="Plain's examples fool it less often than they fool the twin.",
        fails="Plain's examples fool it at least as often as they fool the twin, which has no "
        "defence.",
    ),
    Claim(
        "ensemble_outside",
        "Asked here: ensemble training withstands attackers who do not have the network",
        ASKED,
        alone(
            "Step-LL and PGD at 0.3 made on plain, the plain twin, ELU and five dense layers, all "
            "of them tried; half of the digits left",
            from_outside("ensemble"),
            0.5,
        ),
        **_HALF_LEFT,
    ),
    _with_the_network(
        "ensemble",
        "ensemble_whitebox",
        "Asked here: ensemble training withstands an attacker who has the network",
    ),
    _with_the_network(
        "adversarial",
        "adversarial_whitebox",
        "Asked here: adversarial training withstands an attacker who has the network",
    ),
    Claim(
        "ceiling",
        "Adversarial training costs clean accuracy",
        UNKNOWN,
        alone(
            "clean, 10,000 images: accuracy of its plain twin beyond its",
            lambda of: of.trained("twin") - of.trained("adversarial"),
        ),
        holds="It is less accurate on clean digits than its twin.",
        fails="It is not less accurate on clean digits than its twin.",
        open="On digits the difference is too small to tell.",
    ),
    Claim(
        "ceiling_ensemble",
        "Ensemble training costs clean accuracy (row written when the number could be seen)",
        UNKNOWN,
        alone(
            "clean, 10,000 images: accuracy of ELU, trained alike, beyond its",
            lambda of: of.trained("elu") - of.trained("ensemble"),
        ),
        holds="It is less accurate on clean digits than ELU without it.",
        fails="It is not less accurate on clean digits than ELU without it.",
        open="On digits the difference is too small to tell.",
    ),
    Claim(
        "penalty",
        "By one step, examples from outside fool a network with a gradient penalty more often than "
        "its own",
        UNNAMED,
        alone(
            "Step-LL at 0.3: errors by the plain network's examples beyond those by its own",
            less(step_ll("penalty", "penalty"), step_ll("plain", "penalty")),
        ),
        holds="Another network's examples do more than its own.",
        fails="Its own fool it as often or more often.",
    ),
)
