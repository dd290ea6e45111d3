"""The verdict on a model: what the numbers mean, in sentences, before any number is shown."""

import dataclasses

from robust_keras.reporting import wording
from robust_keras.reporting.rejection_report import rejection_note

# An iterated attack with fewer steps than this is called weak: it stops before it is near its best.
FEW_STEPS = 10
# The same for a search that uses no gradients.
FEW_QUERIES = 1000


@dataclasses.dataclass(frozen=True, kw_only=True)
class Verdict:
    """What to tell the reader first.

    Args:
        level: `reliable`, `weak`, `unreliable` or `unknown`, from best to worst.
        headline: the one sentence to remember.
        detail: the counts behind it.
        warning: title of the warning, or "" if there is none.
        reasons: what the warning rests on, one (title, text) each.
        notes: smaller remarks.
    """

    level: str
    headline: str
    detail: str
    warning: str
    reasons: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]


def verdict(report, model):
    """Gives the verdict on one model of a report, at the largest epsilon tried."""
    failed = tuple((check.check, check.message) for check in model.audit if not check.passed)
    skipped = _skipped(model)
    if not model.ran:
        level, warning, reasons = "unknown", "No attack could be run on this model", skipped
    elif not model.reliable:
        level, warning = "unreliable", "This number should not be believed"
        reasons = failed or (("audit", "No check for masked gradients was made."),)
    elif weak(model):
        level, warning = "weak", "Only weak attacks were tried"
        reasons = ((wording.listed(attack.name for attack in model.ran), _weakness(model)),)
    else:
        level, warning, reasons = "reliable", "", ()
    return Verdict(
        level=level,
        headline=_headline(report, model),
        detail=_detail(report, model),
        warning=warning,
        reasons=reasons,
        notes=_notes(model, level, failed, skipped),
    )


def _skipped(model):
    """Gives (names, reason) of the attacks that did not run, those with one reason together."""
    reasons = dict.fromkeys(attack.skipped for attack in model.skipped)
    return tuple(
        (wording.listed(a.name for a in model.skipped if a.skipped == reason), reason)
        for reason in reasons
    )


def weak(model):
    """Tells whether no attack that ran made `FEW_STEPS` steps or `FEW_QUERIES` queries or more."""
    return not any(
        _steps(attack) >= FEW_STEPS or attack.settings.get("queries", 0) >= FEW_QUERIES
        for attack in model.ran
    )


def _steps(attack):
    # The number of evaluations would not do: an image that is fooled early costs fewer.
    steps = attack.settings.get("steps")
    return steps if isinstance(steps, int) else int(attack.gradient_evaluations > 0)


def _weakness(model):
    if not any(_steps(attack) for attack in model.ran):
        tried = "No attack that ran follows the model's gradients."
    else:
        tried = f"No attack that ran takes {FEW_STEPS} or more steps along the model's gradients."
    return f"{tried} A stronger attack will most likely find more adversarial examples."


def _headline(report, model):
    if not model.ran:
        return "Robust accuracy is unknown."
    epsilon = wording.epsilon(report.threat_model.epsilons[-1])
    accuracy = model.worst_case.accuracy[-1]
    # Nothing lies below zero, so there it is no bound any more.
    bound = "at most " if accuracy else ""
    return (
        f"Robust accuracy is {bound}{wording.percent(accuracy)} "
        f"at epsilon {epsilon} ({report.threat_model.norm})."
    )


def _detail(report, model):
    images = wording.plural(report.dataset.examples, "image")
    correct = wording.count(report.count(model.clean_accuracy))
    percent = wording.percent(model.clean_accuracy)
    clean = f"Without attack it classifies {correct} of {images} correctly ({percent})."
    if not model.ran:
        return clean
    ran = len(model.ran)
    attacks = {1: "the one attack that ran", 2: "both attacks"}.get(ran, f"all {ran} attacks")
    accuracy = model.worst_case.accuracy[-1]
    survivors = wording.count(report.count(accuracy))
    low, high = (wording.percent(bound) for bound in report.interval(accuracy))
    interval = f"95{wording.NO_BREAK_SPACE}% interval {low} to {high}"
    return f"{survivors} of {images} survived {attacks} ({interval}). {clean}"


def _notes(model, level, failed, skipped):
    notes = []
    if level == "unreliable" and weak(model):
        notes.append(_weakness(model))
    if level in ("reliable", "weak"):
        notes.append(
            f"The audit made {wording.plural(len(model.audit), 'check')} for ways to look robust "
            "without being so, and found nothing. That is evidence, not proof."
        )
    if model.rejection is not None and model.ran:
        notes.append(rejection_note(model.rejection, model.worst_case.epsilons[-1]))
    if level == "unknown":
        notes.extend(f"Audit, {check}: {message}" for check, message in failed)
    else:
        notes.extend(f"{names} did not run: {reason}" for names, reason in skipped)
    return tuple(notes)
