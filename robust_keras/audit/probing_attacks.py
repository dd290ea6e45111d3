"""The audit's checks that are attacks: what they find lowers the number that there is."""

import numpy as np

from robust_keras.attackable import told
from robust_keras.attacks import EvolutionPGD, MarginPGD, NearestPGD
from robust_keras.attacks.given_examples import GivenExamples
from robust_keras.audit.account import Account, Round
from robust_keras.audit.counter_attack import Through
from robust_keras.audit.probes import FEWEST, NO_GRADIENTS
from robust_keras.findings import check_names
from robust_keras.findings.audit_check import AuditCheck, floats, not_applicable, percent
from robust_keras.strength import FEW_QUERIES

_STEPS = 20
# Images that are tried with more steps.
_TRIED = 100
# Images that are searched, and queries for each.
_SEARCHED, _QUERIES = 32, 1500
_ATTACKS = (
    check_names.SCALE_FREE_LOSS,
    check_names.CONVERGED_ATTACK,
    check_names.SEARCH_AGAINST_GRADIENTS,
)


def probing_attacks(
    account: Account, transferred: GivenExamples | None = None
) -> tuple[AuditCheck, ...]:
    """The checks that are attacks, which lower the number that there is.

    Args:
        account: `Account`, which is lowered.
        transferred: what fooled other models, or None where there is nothing.
    """
    if not account.measured:
        return tuple(not_applicable(name, "no attack measured anything") for name in _ATTACKS)
    others = () if transferred is None else (transferred_examples(account, transferred),)
    return (
        *others,
        scale_free_loss(account),
        converged(account),
        search_against_gradients(account),
    )


def transferred_examples(account: Account, examples: GivenExamples) -> AuditCheck:
    """Whether what fooled other models fools this one where its own attacks did not.

    What it fools counts; the check fails where that is clearly more than two points of robust
    accuracy: whoever knows the model should not do worse than who does not.

    Args:
        account: `Account`, which is lowered.
        examples: the `GivenExamples`.
    """
    return more_found(
        check_names.TRANSFERRED_EXAMPLES,
        account,
        _tried(account, "transferred", examples),
        "What fooled other models of this run fools hardly any image more.",
        "what fooled other models of this run",
    )


def scale_free_loss(account: Account) -> AuditCheck:
    """Whether an attack that the logits' scale cannot blind finds more than the attacks did.

    A short PGD on the margin between the label's logit and the best other, on all that they left.
    What it fools counts; the check fails where that is clearly more than two points of robust
    accuracy.

    Args:
        account: `Account`, which is lowered.
    """
    name = check_names.SCALE_FREE_LOSS
    if account.classifier.gradient_error is not None:
        return not_applicable(name, NO_GRADIENTS)
    return more_found(
        name,
        account,
        _tried(account, "margin", MarginPGD(steps=_STEPS)),
        "An attack on a loss that ignores the size of the logits finds hardly more.",
        "a short attack on a loss that ignores the size of the logits",
    )


def converged(account: Account) -> AuditCheck:
    """Whether steps that begin large and end small find hardly more than the attacks did.

    Twice as many as the short attack has, from two starts, towards the two nearest classes: many
    steps of one length can all end before the boundary. On some of the images that are left at the
    largest epsilon at which enough are; where one of these falls, also on those of the others whose
    answers came nearest to another class, until as many hold out in a row. What it fools counts.

    Args:
        account: `Account`, which is lowered.
    """
    name = check_names.CONVERGED_ATTACK
    if account.classifier.gradient_error is not None:
        return not_applicable(name, NO_GRADIENTS)
    enough = account.rows[account.left[account.rows].sum(axis=1) >= FEWEST]
    if not enough.size:
        return not_applicable(name, f"that takes {FEWEST} images that are left")
    places = _some(account, _TRIED, enough[-1])
    attack = NearestPGD(steps=2 * _STEPS, targets=2, again=0, near=1.0)
    found = _tried(account, "converged", attack, places)
    check = more_found(
        name,
        account,
        found,
        "Twice the steps from two starts, the first of them large, find hardly more.",
        "an attack of twice the steps from two starts, the first of them large,",
    )
    while found is not None and found.broken.any():
        others = _nearest(account, _TRIED, places)
        found = _tried(account, "converged", attack, others)
        places = np.concatenate([places, others])
    return check


def search_against_gradients(account: Account) -> AuditCheck:
    """Whether a short search without gradients finds what attacks along them did not.

    An evolution strategy on a few of the images that are left at the largest epsilon. What it fools
    counts; the check fails where that is clearly more than gradients that lead somewhere leave.

    Args:
        account: `Account`, which is lowered.
    """
    name, places = check_names.SEARCH_AGAINST_GRADIENTS, _some(account, _SEARCHED)
    if len(places) < FEWEST:
        return not_applicable(name, f"that takes {FEWEST} images that are left")
    queries = _QUERIES // told(account.classifier, "passes")
    if queries < FEW_QUERIES:
        return not_applicable(name, "an answer of this model takes too many passes")
    attack = EvolutionPGD(queries=queries, samples=50, growth=2)
    return more_found(
        name,
        account,
        _tried(account, "search", attack, places),
        "A short search without gradients finds hardly anything that gradients did not.",
        "a short search without gradients",
    )


def _tried(account, name, attack, places=None):
    """What an attack in the audit's name comes to."""
    made = Through(name=f"audit_{name}", inner=attack, view=account.classifier)
    return account.attack(made, places)


def _some(account, count, row=-1):
    """Some of the images that are left at an epsilon, the largest unless another is given."""
    standing = np.flatnonzero(account.left[row]) if account.rows.size else []
    order = np.random.default_rng([account.seed, count])
    return np.sort(order.permutation(standing)[:count]).astype(int)


def _nearest(account, count, tried):
    """Of the images that are left and were not tried, those nearest to falling so far."""
    others = np.setdiff1d(account.standing, tried)
    margins = account.evaluation.per_image.margin[others]
    return np.sort(others[np.argsort(margins, kind="stable")[:count]])


def more_found(
    name: str, account: Account, found: Round | None, passed: str, attack: str
) -> AuditCheck:
    """The check that one more attack makes of what the attacks had left.

    Args:
        name: of the check.
        account: `Account`.
        found: what the attack came to, or None where nothing was left.
        passed: message where it found hardly more.
        attack: what it was, for the message where it found more.
    """
    if found is None:
        return not_applicable(name, "no image is left at an epsilon above 0")
    tried = np.maximum(found.tried, 1)
    share = found.broken / tried
    evidence = {
        "epsilons": list(account.threat_model.epsilons),
        "images": found.tried.tolist(),
        "broken": found.broken.tolist(),
        "corrected": floats(found.left),
    }
    if not found.too_high.any():
        return AuditCheck(name, True, passed, evidence)
    worst = int(np.argmax(np.where(found.too_high, share, -1.0)))
    message = (
        f"At epsilon {account.threat_model.epsilons[worst]:.4g} {attack} fools "
        f"{percent(share[worst])} of the images that it met and that the attacks had left. The "
        "number as first measured is too high."
    )
    return AuditCheck(name, False, message, evidence)
