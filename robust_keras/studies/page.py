"""The page of a study, made of its declaration and its results; no number is typed."""

import collections
import itertools
import math
from collections.abc import Iterable
from typing import Any

from robust_keras.studies.study import Study
from robust_keras.studies.verdicts import FAILS, HOLDS, OPEN, RULE

_STRONG = (
    "`quick` is two attacks of many gradient steps and a search without gradients. The audit looks "
    "for signs that a number is too high, and attacks again where it finds one, or that a network "
    "has not learned. The worst case counts all that any attack and the audit found."
)
# A share of so many images is known to less than a tenth of a point.
_MANY = 10_000
# How a question begins that the source did not ask.
_ASKED = "Asked here"
# In place of a number that runs of the form will still give.
_LATER = "not run yet"
# Of a table of claims.
_HEADINGS = ("claim", "the source's number", "ours", "verdict", "why")


def page(study: Study, found: dict[str, Any]) -> str:
    """Gives the page as Markdown.

    Args:
        study: the declaration.
        found: its results, see `results.results`.
    """
    form = study.forms[found["form"]]
    missing = "not measured" if all(run["done"] for run in found["runs"]) else _LATER
    parts = [
        f"# {study.title}",
        f"{study.question} The claims are those of {study.source}.",
        _counts(found),
        "## Method",
        _bullets([*study.method, _STRONG, form.told]),
        "## What was seen",
        _figure(study.name, found["figure"]),
        _table(found["table"], missing),
        *(f"{table['title']}:\n\n{_table(table, missing)}" for table in found.get("tables", ())),
        "## The claims",
        f"{RULE} {_doubts(found)}",
        _claims(study, found["claims"]),
        "## What it means",
        _bullets(_meaning(study, found)),
        "## What would change our mind",
        _bullets(study.doubts),
        *_details(study, found),
        "## Run it",
        _commands(study, found),
    ]
    return "\n\n".join(parts) + "\n"


def _details(study, found):
    told = [_bullets(study.details)] if study.details else []
    told += map(_curves, found.get("curves", []))
    return ["## Details", *told] if told else []


def _bullets(lines: Iterable[str]):
    return "\n".join(f"- {line}" for line in lines)


def _counted(claims):
    """How many of the claims hold, fail and are open."""
    verdicts = [claim["verdict"] for claim in claims]
    return {verdict: verdicts.count(verdict) for verdict in (HOLDS, FAILS, OPEN)}


def waiting(found: dict[str, Any]) -> int:
    """Gives how many of the open claims want runs, or more seeds of them."""
    reasons = [claim["measures"][-1]["reason"] for claim in found["claims"]]
    return sum(reason.endswith((" run", " run yet")) for reason in reasons)


def _want(count, going_on):
    """What open claims want: what is still to run, or more than this form runs."""
    want = "wants" if count == 1 else "want"
    return f"{want} runs" if going_on else f"{want} runs that only a longer form has"


def _counts(found):
    done, all_runs = sum(run["done"] for run in found["runs"]), len(found["runs"])
    theirs, asked = [], []
    for claim in found["claims"]:
        (asked if claim["says"].startswith(_ASKED) else theirs).append(claim)
    count, ours = map(_counted, (theirs, asked))
    told = (
        f"Of the source's {len(theirs)} claims {count[HOLDS]} hold, {count[FAILS]} fail and "
        f"{count[OPEN]} are open."
    )
    if asked:
        told += (
            f" Our own questions ({len(asked)}): {ours[HOLDS]} answered by yes, {ours[FAILS]} by "
            f"no, {ours[OPEN]} open."
        )
    later = waiting(found)
    wanting = f" {later} of the open ones {_want(later, done < all_runs)}." if later else ""
    made = f"Made from `{found['name']}.json` in the form `{found['form']}`"
    return f"**{told}**{wanting} {made}; {done} of its {all_runs} steps are done."


def _doubts(found):
    """What the audit says of the numbers that decide."""
    decide = [claim["measures"][-1]["found"] for claim in found["claims"]]
    doubted = sum(bool(one and one["doubtful"]) for one in decide)
    if doubted:
        return f"Here the audit does not believe the numbers of {doubted} of the claims."
    return "Here the audit believes every number that decides."


def _figure(name, figure):
    if not any(any(line["found"]) for line in figure["lines"]):
        return "Nothing that the figure shows has been run yet."
    told = (
        "Bands, bars and ranges are 95 % intervals over the seeds that have run and over images; "
        "0 of 100 images is shown as 0.0 to 3.8 %. Seeds and images stand over a table's columns, "
        "and in cells that have others. A claim about two networks takes the seeds that both have, "
        "so that it may differ from the difference of two cells. A network *reads* what it "
        "classifies correctly as it is, and *keeps* what it still does under attack."
    )
    return f"![{figure['title']}]({name}.svg)\n\n{told}"


def _table(table, missing):
    run = [row for row in table["rows"] if any(row["cells"])]
    later = [row["label"] for row in table["rows"] if not any(row["cells"])]
    shown = [("", [row["label"] for row in run])]
    columns = zip(*(row["cells"] for row in run), strict=True)
    for heading, cells in zip(table["headings"], columns, strict=False):
        if any(cells):
            shown.append(_column(heading, cells, missing))
        else:
            later.append(f"`{heading}`")
    headings, told = zip(*shown, strict=True)
    made = [_markdown(headings, zip(*told, strict=True))] if run else []
    made += [f"{missing.capitalize()}: {'; '.join(later)}."] if later else []
    made += [f"In a longer form alone: {'; '.join(table['longer'])}."] if "longer" in table else []
    return "\n\n".join(made)


def _column(heading, cells, missing=_LATER):
    """(Heading with the seeds and the images that most cells have, what the cells tell)."""
    samples = collections.Counter(_sample(found) for found in cells if found)
    usual = samples.most_common(1)[0][0]
    return f"{heading}<br>{', '.join(usual)}", [_cell(found, usual, missing) for found in cells]


def _sample(found):
    seeds = len(found["seeds"])
    return f"{seeds} seed{'s' * (seeds != 1)}", f"{found['images']:,} images"


def _cell(found, usual, missing):
    if found is None:
        return missing
    others = [told for told, most in zip(_sample(found), usual, strict=True) if told != most]
    doubt = "the audit doubts it" if found["doubtful"] else ""
    ends = f"{100 * max(0, found['low']):.1f} to {100 * min(1, found['high']):.1f}"
    told = "; ".join(filter(None, (ends, ", ".join(others), doubt)))
    return f"{100 * found['mean']:.1f} % ({told})"


def _curves(figure):
    rows = [
        [line["label"], *(f"{100 * one['mean']:.1f}" if one else "" for one in line["found"])]
        for line in figure["lines"]
        if any(line["found"])
    ]
    if not rows:
        return f"{figure['title']}: {_LATER}."
    headings = [figure["across"], *(f"{place:g}" for place in figure["places"])]
    return f"{figure['title']}:\n\n{_markdown(headings, rows)}"


def _claims(study, claims):
    """A table of claims, or one under each heading that they have."""
    groups = {claim.name: claim.group for claim in study.claims}
    parts = []
    for group, members in itertools.groupby(claims, lambda claim: groups[claim["name"]]):
        parts += [f"### {group}"] if group else []
        parts.append(_markdown(_HEADINGS, map(_judged, members)))
    return "\n\n".join(parts)


def _judged(claim):
    return [
        claim["says"],
        claim["number"],
        "<br>".join(map(_ours, claim["measures"])),
        f"**{claim['verdict']}**",
        claim["sentence"],
    ]


def short(measure: dict[str, Any]) -> str:
    """Gives what one measure of a claim found, with its interval, its seeds and its images."""
    found = measure["found"]
    if found is None:
        return _LATER
    digits = 2 if found["images"] >= _MANY else 1
    scale, unit, digits = (100, " points", digits) if measure["unit"] == "points" else (1, "", 3)
    # An interval over seeds alone does not know that shares end at 1.
    widest = 1.0 if measure["unit"] == "points" else math.inf
    ends = found["mean"], max(found["low"], -widest), min(found["high"], widest)
    mean, low, high = (f"{scale * end:+.{digits}f}" for end in ends)
    count = len(found["seeds"])
    images = f", {found['images']} images" if found["images"] > 1 else ""
    return f"{mean}{unit} ({low} to {high}; {count} seed{'s' * (count != 1)}{images})"


def bounded(measure: dict[str, Any]) -> str:
    """Gives the same with what was measured before it, and the bound after it."""
    if measure["found"] is None:
        return f"{measure['budget']}: {_LATER}"
    scale = 100 if measure["unit"] == "points" else 1
    return f"{measure['budget']}: {short(measure)}, bound {scale * measure['above']:+g}"


def _ours(measure):
    told = bounded(measure)
    return told if measure["found"] is None else f"{told}: {measure['verdict']}"


def _meaning(study, found):
    # What is open for want of runs means nothing yet.
    judged = {
        claim["name"]: claim["verdict"]
        for claim in found["claims"]
        if not claim["measures"][-1]["reason"]
    }
    told = [text for (name, verdict), text in study.meaning.items() if judged.get(name) == verdict]
    return told or ["Nothing yet: the runs that decide are still to come."]


def _commands(study, found):
    command = f"python -m robust_keras.studies {study.name} --data_dir=DIRECTORY"
    forms = "\n".join(
        f"- `{command}{'' if name == 'small' else f' --{name}'}`: {form.told} {form.hours}"
        for name, form in study.forms.items()
    )
    told = f"Every run, with its flags, is in `{found['name']}.json`, and can be made alone."
    return f"{forms}\n\n{told}"


def _markdown(headings, rows):
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
