"""How strong attacks are: each says it of itself, and what all say together is decided here.

An attack here is anything with `name`, `kind`, `strength` and `skipped`: what the engine returns,
and what a report holds. In an old report strength and kind may be None.
"""

from collections.abc import Iterable, Mapping
from typing import Any

# What attacks together come to: from nothing to what a robust accuracy may be quoted from.
NONE, WEAK, ONE_SIDED, STRONG = "none", "weak", "one sided", "strong"
# What one attack says of itself, besides WEAK and STRONG: it took its time along gradients, along
# those of a loss that no scale of the logits blinds, or searching without any.
GRADIENTS, SCALE_FREE, SEARCH = "gradients", "scale-free gradients", "search"
DECLARED = (WEAK, GRADIENTS, SCALE_FREE, SEARCH, STRONG)

# An iterated attack with fewer steps stops before it is near its best.
FEW_STEPS = 10
# The same for a search that uses no gradients.
FEW_QUERIES = 1000
# What the cheapest cascade does; less of each is no cascade to quote from.
CASCADE_STEPS, CASCADE_QUERIES = 100, 200

# What an attack of a kind needs of the model.
NEEDS = {
    "noise": "nothing",
    "given": "nothing",
    "decision": "classes",
    "score": "logits",
    "sparse": "gradients",
    "one_step": "gradients",
    "iterative": "gradients",
}


def strength(attacks: Iterable[Any]) -> str:
    """How strong the attacks are together that ran.

    Args:
        attacks: see above, in any order.

    Returns:
        `NONE`: nothing ran. `WEAK`: only noise, single steps, few steps or short searches.
        `ONE_SIDED`: something took its time, but only along gradients, or only without.
        `STRONG`: a complete `quick` or `autoattack`, or their like: gradients of a loss that no
        scale of the logits blinds, and a long search that needs no gradient.
    """
    declared = {_declared(attack) for attack in attacks if attack.skipped is None}
    if STRONG in declared or {SCALE_FREE, SEARCH} <= declared:
        return STRONG
    if declared - {WEAK}:
        return ONE_SIDED
    return WEAK if declared else NONE


def is_long(attack: Any) -> bool:
    """Whether an attack took its time, with gradients or without."""
    return _declared(attack) != WEAK


def follows_gradients(attack: Any) -> bool:
    """Whether an attack looks at the model's gradients."""
    return NEEDS[_kind(attack)] == "gradients"


def of_steps(steps: int, step: float = 1.0, strong: str = GRADIENTS) -> str:
    """`strong` for an attack that takes enough steps to cross the ball, else `WEAK`.

    Args:
        steps: their number.
        step: length of one, in units of epsilon.
        strong: one of `DECLARED`.
    """
    # Rounding must not turn ten tenths into less than one.
    return strong if steps >= FEW_STEPS and steps * step + 1e-9 >= 1.0 else WEAK


def of_queries(queries: int) -> str:
    """`SEARCH` for an attack without gradients that asks often enough, else `WEAK`."""
    return SEARCH if queries >= FEW_QUERIES else WEAK


def without_parts(declared: str) -> str:
    """What is left of a cascade's strength where some of its attacks could not run."""
    return GRADIENTS if declared == STRONG else declared


def _declared(attack: Any) -> str:
    return attack.strength or _old_strength(attack)


def _kind(report: Any) -> str:
    """The kind of an attack; in a report that does not tell it, what its settings show."""
    if report.kind is not None:
        return report.kind
    if isinstance(report.settings.get("steps"), int):
        return "iterative"
    if "queries" in report.settings:
        return "score"
    return "one_step" if report.gradient_evaluations else "noise"


def _old_strength(report: Any) -> str:
    """The strength of an attack in a report from before attacks declared it.

    The names and settings are those of the attacks that there were.
    """
    settings: Mapping = report.settings
    needs = NEEDS[_kind(report)]
    if needs in ("logits", "classes"):
        return of_queries(settings.get("queries", 0))
    if _kind(report) != "iterative":
        return WEAK
    cascade = report.name in ("autoattack", "quick") and not settings.get("left_out")
    steps, queries = settings.get("steps", FEW_STEPS), settings.get("queries", 0)
    if cascade and settings.get("steps", 0) >= CASCADE_STEPS and queries >= CASCADE_QUERIES:
        return STRONG
    free = report.name in ("margin_pgd", "apgd_dlr", "apgd_targeted", "fab_targeted")
    return of_steps(steps, settings.get("step", 1.0), SCALE_FREE if free else GRADIENTS)
