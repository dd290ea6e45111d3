"""The rule by which a claim holds, fails or stays open, written before the first result."""

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

from robust_keras.studies.intervals import interval
from robust_keras.studies.known import Known, NotRunError
from robust_keras.studies.seen import Seen
from robust_keras.studies.study import Claim, Measure, Value

HOLDS, FAILS, OPEN = "holds", "fails", "open"
NARROW, SEEDS_IF_NARROW = 0.02, 5
RULE = (
    'Each claim says that a number lies above a bound ("at most 2 %": minus the share is above '
    "-2). It **holds** if the whole 95 % interval, over seeds and images, is above; it **fails** "
    "if none of it is; else it stays **open**. It also stays open with fewer than three seeds "
    "(five where the mean is within two points of accuracy of the bound; one where a single "
    "published network is what the claim is about), and where the audit does not believe a number "
    "that it needs. Of several numbers in a row the last decides; where they are attacks, it is "
    "the strongest."
)


def measured(value: Value, seen: Sequence[Seen]) -> dict[str, Any] | None:
    """A value with its interval, over the seeds for which it is known; None if for none.

    Args:
        value: see `Measure`.
        seen: one `Seen` a seed.

    Returns:
        Dict with `mean`, `low`, `high`, `seeds` (their numbers), `each` (the mean of each),
        `images` and `doubtful`.
    """
    rows, seeds, doubtful = [], [], set()
    for one in seen:
        one.doubtful = set()
        try:
            row = np.atleast_1d(value(one)).astype(float)
        except NotRunError:
            continue
        rows.append(row)
        seeds.append(one.seed)
        doubtful |= {f"{model}-{one.seed}" for model in one.doubtful}
    if not rows:
        return None
    images = min(map(len, rows))
    # Images that are not the same for all seeds vary with them.
    same = all(len(row) == images for row in rows)
    found = interval(np.stack(rows) if same else np.array([[row.mean()] for row in rows]))
    return {
        **{name: round(number, 6) for name, number in found._asdict().items()},
        "seeds": seeds,
        "each": [round(float(row.mean()), 6) for row in rows],
        "images": images,
        "doubtful": sorted(doubtful),
    }


def _verdict(measure: Measure, found, claim):
    """(Verdict, why it stays open or "")."""
    if found is None:
        return OPEN, "not run yet"
    needed = claim.seeds
    if needed > 1 and measure.unit and abs(found["mean"] - measure.above) < NARROW:
        needed = max(needed, SEEDS_IF_NARROW)
    if len(found["seeds"]) < needed:
        return OPEN, f"{len(found['seeds'])} of {needed} seeds run"
    if found["doubtful"]:
        return OPEN, f"the audit does not believe {', '.join(found['doubtful'])}"
    if found["low"] > measure.above:
        return HOLDS, ""
    return (FAILS if found["high"] <= measure.above else OPEN), ""


def judged(claim: Claim, seen: Sequence[Seen]) -> dict[str, Any]:
    """What the runs so far say about a claim, as JSON holds it."""
    rows = []
    for measure in claim.measures:
        found = measured(measure.value, seen)
        verdict, reason = _verdict(measure, found, claim)
        told = {"budget": measure.budget, "above": measure.above, "unit": measure.unit}
        rows.append({**told, "found": found, "verdict": verdict, "reason": reason})
    verdict = rows[-1]["verdict"]
    return {
        "name": claim.name,
        "says": claim.says,
        "number": claim.number,
        "measures": rows,
        "verdict": verdict,
        "sentence": _sentence(claim, rows, verdict),
    }


def _sentence(claim, rows, verdict):
    first, last = rows[0], rows[-1]
    if last["found"] is None:
        return "Not run yet."
    sentences = {HOLDS: claim.holds, FAILS: claim.fails, OPEN: claim.open}
    text = f"Open: {last['reason']}." if last["reason"] else sentences[verdict]
    if first["verdict"] != verdict and first["found"] is not None:
        groups = [list(group) for _, group in itertools.groupby(rows, key=lambda r: r["verdict"])]
        # The strongest attack decides; of the others the first that came out so is enough.
        shown = [*(group[0] for group in groups[:-1]), last]
        told = ", ".join(
            f"{row['verdict']} with {row['budget'].partition(';')[0]}" for row in shown
        )
        text = f"{told[0].upper()}{told[1:]}. {text}"
    return text


def all_seen(known: Known, seeds: Sequence[int]) -> list[Seen]:
    """One `Seen` a seed."""
    return [Seen(known, seed) for seed in seeds]
