"""The verdict on a model: what the numbers mean, in sentences, before any number is shown."""

import dataclasses

from robust_keras.findings import ModelReport, Report, check_names
from robust_keras.reporting import wording
from robust_keras.reporting.advice import (
    ENSEMBLES,
    answering_flags,
    stronger_attack,
    stronger_command,
)
from robust_keras.reporting.sections.rejection import rejection_note
from robust_keras.strength import FEW_STEPS, WEAK, follows_gradients, is_long


@dataclasses.dataclass(frozen=True, kw_only=True)
class Verdict:
    """What to tell the reader first.

    Args:
        level: `quotable`, `preliminary` or `unreliable`, as `ModelReport.verdict`.
        headline: the one sentence to remember.
        detail: the counts behind it.
        warning: title of the warning, or "" if there is none.
        reasons: what the warning rests on, one (title, text) each.
        short: why it is not quotable, in a few words for a table; "" if it is.
        remedy: what would make the number quotable, before the command; "" if nothing is known to.
        command: the command for that; "" where the report was made from Python.
        notes: smaller remarks.
    """

    level: str
    headline: str
    detail: str
    warning: str
    reasons: tuple[tuple[str, str], ...]
    short: str
    remedy: str
    command: str
    notes: tuple[str, ...]


def verdict(report: Report, model: ModelReport) -> Verdict:
    """Gives the verdict on one model of a report, at the largest epsilon tried."""
    level = model.verdict
    warning, reasons, short = {
        "quotable": lambda model: ("", (), ""),
        "preliminary": _preliminary,
        "unreliable": _unreliable,
    }[level](model)
    attack = stronger_attack(model) if level == "preliminary" and not _all_fell(model) else ""
    return Verdict(
        level=level,
        headline=_headline(report, model),
        detail=_detail(report, model),
        warning=warning,
        reasons=reasons,
        short=short,
        remedy=_remedy(attack, model),
        command=stronger_command(report, attack, answering_flags(model)),
        notes=_notes(model),
    )


def _remedy(attack, model):
    if attack:
        attacks = ", or ".join(ENSEMBLES[ENSEMBLES.index(attack) :])
        end = "and an audit that finds nothing"
        return f"What would make it quotable: the attack {attacks}, {end}."
    if model.corrected and model.verdict == "preliminary" and not _only_too_weak(model):
        return "No command makes it quotable: the model itself misleads attacks. Quote a bound."
    return ""


def _unreliable(model):
    failed = tuple((check.check, check.message) for check in model.failed)
    names = ", ".join(title for title, _ in failed)
    if not model.attacked:
        return "No attack could be run on this model", _skipped(model), "no attack ran"
    if not model.measured:
        reasons = failed or (("nothing to attack", _nothing(model)),)
        return "There was no robustness to measure", reasons, names or "nothing to attack"
    if not failed:
        reasons = (("audit", "No check for masked gradients was made."),)
        return "This number should not be believed", reasons, "not audited"
    return "This number should not be believed", failed, names


def _nothing(model):
    if not model.clean_accuracy:
        return "Not one image is classified correctly, even without attack."
    return "The largest epsilon is 0, which changes nothing."


def _preliminary(model):
    names = wording.listed(attack.name for attack in model.ran)
    if _all_fell(model):
        fell = "is proved or fell" if any(model.worst_case.accuracy) else "fell"
        text = (
            f"It doubted: {wording.listed(model.settled)}. But every image {fell}, and so attacks "
            "that were misled have missed none."
        )
        title = "The audit doubts a number that cannot be too high"
        return title, (("audit", text),), f"doubted, but every image {fell}"
    if not model.worst_case.accuracy[-1] and not model.corrected:
        text = "Every image fell at the largest epsilon: no stronger attack finds more there."
        title = "Only weaker attacks support this number, but none can lower it"
        return title, ((names, text),), "weaker attacks, but every image fell"
    if model.strength == WEAK:
        title, short = "Only weak attacks support this number", "weak attacks only"
        return title, ((names, _weakness(model)),), short
    if model.corrected:
        title = "The audit had to correct this number"
        fault = "attacks too weak" if _only_too_weak(model) else "attacks were misled"
        return title, (("audit", _correction(model)),), f"{fault}; lowered by audit"
    long = [attack for attack in model.ran if is_long(attack)]
    gradients = any(follows_gradients(attack) for attack in long)
    if gradients and not all(follows_gradients(attack) for attack in long):
        text = "No attack ran on a loss that no scale of the logits can blind."
        return "No strong ensemble supports this number", ((names, text),), "no ensemble"
    if gradients:
        text = (
            "Attacks that follow the model's gradients fail wherever these mislead, robust or not, "
            "and no long search without gradients was tried."
        )
        title = "Only attacks along gradients support this number"
        return title, ((names, text),), "gradient attacks only"
    text = "A search without gradients finds less than attacks that follow them, where these lead."
    title = "Only searches without gradients support this number"
    return title, ((names, text),), "searches only"


def _all_fell(model):
    """Whether the audit's doubts were settled because no image was left to attack again."""
    return bool(model.settled) and not model.corrected


def _only_too_weak(model):
    """Whether the audit found fault with the attacks, if with anything, and not with the model."""
    return {check.check for check in model.failed} <= check_names.OF_ATTACKS


def _correction(model):
    worst = model.worst_case
    before, after = (wording.percent(values[-1]) for values in (worst.before_audit, worst.accuracy))
    names = wording.listed(model.settled)
    text = f"The attacks had left {before}; with the audit's own attacks it is {after}."
    if before == after:
        text = f"The attacks had left {after}, and the audit's own found nothing more there."
    if not names:
        return text
    return f"{text} It doubted: {names}. {_last_attack(model)}"


def _last_attack(model):
    """Why the doubts count as settled, see `audit.attacking_again`."""
    made = [counter for counter in model.counter_attacks if counter.skipped is None]
    if not made or not any(made[-1].broken):
        return "A last attack of another kind found nothing more."
    return "Next to nothing was left to attack, or other starts of the last found nothing more."


def _skipped(model):
    """Gives (names, reason) of the attacks that did not run, those with one reason together."""
    reasons = dict.fromkeys(attack.skipped for attack in model.skipped)
    return tuple(
        (wording.listed(a.name for a in model.skipped if a.skipped == reason), reason)
        for reason in reasons
    )


def _weakness(model):
    if not any(follows_gradients(attack) for attack in model.ran):
        tried = "No attack that ran follows the model's gradients, or searches for long."
    else:
        tried = f"No attack that ran takes {FEW_STEPS} or more steps along the model's gradients."
    return f"{tried} A stronger attack will most likely find more adversarial examples."


def _headline(report, model):
    if not model.attacked:
        return "Robust accuracy is unknown."
    if not model.measured:
        return "No robustness was measured."
    epsilon = wording.epsilon(report.threat_model.epsilons[-1])
    accuracy = model.worst_case.accuracy[-1]
    proved = model.certified.accuracy[-1] if model.certified else 0.0
    if proved:
        return (
            f"Robust accuracy is {_bracket(proved, accuracy)} "
            f"at epsilon {epsilon} ({report.threat_model.norm})."
        )
    # Nothing lies below zero, so there it is no bound any more.
    bound = "at most " if accuracy else ""
    return (
        f"Robust accuracy is {bound}{wording.percent(accuracy)} "
        f"at epsilon {epsilon} ({report.threat_model.norm})."
    )


def _bracket(low, high):
    low, high = wording.percent(low), wording.percent(high)
    return f"exactly {low}" if low == high else f"between {low} and {high}"


def _detail(report, model):
    images = wording.plural(report.dataset.examples, "image")
    correct = wording.count(report.count(model.clean_accuracy))
    percent = wording.percent(model.clean_accuracy)
    clean = f"Without attack it classifies {correct} of {images} correctly ({percent})."
    if not model.measured:
        return clean
    attacks = _attacks(model)
    accuracy = model.worst_case.accuracy[-1]
    survivors = wording.count(report.count(accuracy))
    low, high = (wording.percent(bound) for bound in report.interval(accuracy))
    interval = f"95{wording.NO_BREAK_SPACE}% interval {low} to {high}"
    return f"{survivors} of {images} survived {attacks} ({interval}). {clean}"


def _attacks(model):
    """What the images survived, in words."""
    ran = len(model.ran)
    if not ran:
        return "the audit's own attacks"
    attacks = {1: "the one attack that ran", 2: "both attacks"}.get(ran, f"all {ran} attacks")
    if ran == 2 and model.skipped:
        attacks = "both attacks that ran"
    return f"{attacks} and the audit's own" if model.worst_case.lowered(0.0) else attacks


def _notes(model):
    notes = []
    skipped = [f"{names} did not run: {reason}" for names, reason in _skipped(model)]
    if model.verdict == "unreliable":
        if model.measured and model.strength == WEAK:
            notes.append(_weakness(model))
    else:
        notes.append(audit_note(model))
    if model.rejection is not None and model.measured:
        notes.append(rejection_note(model.rejection, model.worst_case.epsilons[-1]))
    if not model.attacked:
        return tuple(notes + [f"Audit, {check.check}: {check.message}" for check in model.failed])
    return tuple(notes + skipped)


def audit_note(model: ModelReport) -> str:
    """Says how many checks were made, what they found, and how many could not be made."""
    made, failed = len(model.checked), len(model.failed)
    found = "found nothing" if not failed else f"found fault in {failed}"
    text = (
        f"The audit made {wording.plural(made, 'check')} for ways to look robust without being so, "
        f"and {found}. That is evidence, not proof."
    )
    missing = len(model.audit) - made
    return f"{text} {wording.plural(missing, 'check')} could not be made." if missing else text
