"""How strong the attacks were that ran: decided here and nowhere else.

An attack here is anything with `name`, `settings` and `skipped`, and `kind` where that is known:
what the engine returns, and what a report holds.
"""

from collections.abc import Iterable
from typing import Any

# From nothing to what a robust accuracy may be quoted from.
NONE, WEAK, ONE_SIDED, STRONG = "none", "weak", "one sided", "strong"

# An iterated attack with fewer steps stops before it is near its best.
FEW_STEPS = 10
# The same for a search that uses no gradients.
FEW_QUERIES = 1000
# What the cheapest cascade does; less of each is no cascade to quote from.
_CASCADES = {"autoattack", "quick"}
_CASCADE_STEPS, _CASCADE_QUERIES = 100, 200
# Gradient attacks whose loss no scale of the logits blinds.
_SCALE_FREE = {"margin_pgd", "apgd_dlr", "apgd_targeted", "fab_targeted"}


def strength(attacks: Iterable[Any]) -> str:
    """How strong the strongest thing is that ran.

    Args:
        attacks: see above, in any order.

    Returns:
        `NONE`: nothing ran. `WEAK`: only noise, single steps, few steps or short searches.
        `ONE_SIDED`: something took its time, but only along gradients, or only without.
        `STRONG`: a complete `quick` or `autoattack`, or their like: gradients of a loss that no
        scale of the logits blinds, and a long search that needs no gradient.
    """
    ran = [attack for attack in attacks if attack.skipped is None]
    if any(_complete_cascade(attack) for attack in ran):
        return STRONG
    long = [attack for attack in ran if is_long(attack)]
    searched = any(_searches(attack) for attack in long)
    if searched and any(attack.name in _SCALE_FREE for attack in long):
        return STRONG
    if long:
        return ONE_SIDED
    return WEAK if ran else NONE


def is_long(attack: Any) -> bool:
    """Whether an attack followed gradients for `FEW_STEPS` steps, or made `FEW_QUERIES` queries."""
    settings = attack.settings
    if _searches(attack):
        return settings.get("queries", 0) >= FEW_QUERIES
    if _kind(attack) != "iterative":
        return False
    steps = settings.get("steps", FEW_STEPS)
    # Rounding must not turn ten tenths into less than one.
    reach = steps * settings.get("step", 1.0) + 1e-9
    return steps >= FEW_STEPS and reach >= 1.0


def follows_gradients(attack: Any) -> bool:
    """Whether an attack looks at the model's gradients."""
    return _kind(attack) in ("one_step", "iterative", "sparse")


def _searches(attack):
    return _kind(attack) in ("score", "decision")


def _kind(attack):
    """The attack's kind; where a report does not tell, what its settings show."""
    known = getattr(attack, "kind", None)
    if known is not None:
        return known
    if isinstance(attack.settings.get("steps"), int):
        return "iterative"
    if "queries" in attack.settings:
        return "score"
    return "one_step" if getattr(attack, "gradient_evaluations", 0) else "noise"


def _complete_cascade(attack):
    """Whether it is a cascade with its usual means, none of whose parts had to be left out."""
    settings = attack.settings
    left_out = settings.get("left_out") or [
        stage for stage in getattr(attack, "stages", ()) if stage.skipped is not None
    ]
    return (
        attack.name in _CASCADES
        and not left_out
        and settings.get("steps", 0) >= _CASCADE_STEPS
        and settings.get("queries", 0) >= _CASCADE_QUERIES
    )
