"""The sentence that a comparison comes to: which model is better, by how much, and how sure."""

import dataclasses

from robust_keras.findings import PairReport, Report
from robust_keras.reporting import wording
from robust_keras.reporting.verdict import verdict


@dataclasses.dataclass(frozen=True)
class Conclusion:
    """What to tell of several models before any number.

    Args:
        sentence: which is better, by how much, and whether the images suffice to say so.
        reservations: what the sentence leaves out or rests on, a sentence each.
    """

    sentence: str
    reservations: tuple[str, ...]

    @property
    def text(self) -> str:
        """All of it in one line."""
        return " ".join((self.sentence, *self.reservations))


def conclusion(report: Report) -> Conclusion | None:
    """Gives what the comparison of a report's models comes to; None for a single model."""
    if len(report.models) < 2:
        return None
    found, names = report.comparison, _names(report)
    if found is None:
        sentence = (
            "Which is better cannot be tested: this report does not hold what happened to each "
            "image."
        )
        return Conclusion(sentence, tuple(_left_out(report, names)))
    ranked = [names[path] for path in found.ranked]
    if not ranked:
        sentence = "No model can be called better: not one of these numbers is to be believed."
    elif len(ranked) == 1:
        sentence = (
            f"No model can be called better: only the number of {ranked[0]} is to be believed."
        )
    else:
        sentence = _ranking(report, found, names)
    reservations = (*_left_out(report, names), *_preliminary(report, found, names))
    return Conclusion(sentence, reservations)


def _names(report):
    paths = (model.path for model in report.models)
    return dict(zip(paths, wording.terminal_names(report), strict=True))


def _ranking(report, found, names):
    epsilon = report.threat_model.epsilons[-1]
    accuracy = {model.path: model.worst_case.accuracy[-1] for model in report.models}
    best, *others = found.ranked
    at = f"at epsilon {wording.epsilon(epsilon)}"
    if not accuracy[best]:
        none = f"No model is more robust {at}: not one image holds out with any of them."
        return none + _smaller(report, found, names)
    images = wording.plural(report.dataset.examples, "image")
    near = found.near(epsilon)
    rival = near[0] if near else others[0]
    pair = found.pair(best, rival, epsilon)
    equal = sum(accuracy[other] == accuracy[rival] for other in others) - 1
    behind = names[rival] + (f" and {equal} more" if equal and not near else "")
    numbers = (
        f"{names[best]} keeps {wording.percent(accuracy[best])} of the images, "
        f"{behind} {wording.percent(accuracy[rival])}"
    )
    if near:
        return (
            f"The {images} do not suffice to say whether {names[best]} or "
            f"{' or '.join(names[other] for other in near)} is more robust {at}: {numbers}, a "
            f"difference of {_points(pair)}, {_p_value(pair)}." + _smaller(report, found, names)
        )
    how = f"more robust than {behind}"
    if len(others) > 1:
        how = f"the most robust of {len(found.ranked)} models, ahead of {behind},"
    proof = _proof(report, best, accuracy[rival])
    return (
        f"{names[best]} is {how} {at}: {numbers}, a lead of {_points(pair)}. The {images} "
        f"suffice to say so for these attacks ({_p_value(pair)}).{proof}"
    )


def _points(pair: PairReport) -> str:
    low, high = (f"{100.0 * value:.1f}" for value in pair.interval)
    interval = f"95{wording.NO_BREAK_SPACE}% interval {low} to {high}"
    return f"{100.0 * pair.difference:.1f} points ({interval})"


def _p_value(pair):
    p = pair.corrected_p_value
    return "p below 0.001" if p < 0.001 else f"p = {p:.2g}"


def _proof(report, best, other):
    """Whether no attack could turn the order round."""
    certified = next(model.certified for model in report.models if model.path == best)
    if certified is None or certified.accuracy[-1] <= other:
        return ""
    return " On these images that is proved, whatever attack will be thought of."


def _smaller(report, found, names):
    """What a smaller epsilon decides, the largest that does; each of them is one more test."""
    epsilons = report.threat_model.epsilons
    accuracy = {model.path: model.worst_case.accuracy for model in report.models}
    for place, epsilon in reversed(list(enumerate(epsilons[:-1]))):
        ahead = sorted(found.ranked, key=lambda path: -accuracy[path][place])
        pair = found.pair(*ahead[:2], epsilon)
        if pair.decided and pair.corrected_p_value * len(epsilons) < 0.05:
            return (
                f" At epsilon {wording.epsilon(epsilon)} {names[pair.first]} is ahead of "
                f"{names[pair.second]} by {_points(pair)}, which they suffice to say."
            )
    return ""


def _left_out(report, names):
    for model in report.models:
        if model.verdict == "unreliable":
            why = _why(verdict(report, model).reasons)
            yield f"{names[model.path]} is not ranked: its number is not to be believed. {why}"


def _why(reasons):
    """The first reason in its own words, and how many more there are."""
    title, text = reasons[0]
    more = f" ({wording.plural(len(reasons) - 1, 'more reason')})" if len(reasons) > 1 else ""
    return wording.visible(f"{title[:1].upper()}{title[1:]}: {text}{more}")


def _preliminary(report, found, names):
    """What a stronger attack may change; where all doubt is about others, never the best's lead."""
    told = {
        model.path: f"{names[model.path]}: {verdict(report, model).short}"
        for model in report.models
        if model.path in found.ranked and model.verdict == "preliminary"
    }
    if not told:
        return
    doubts = "; ".join(told.values())
    if found.ranked[0] not in told and not found.near(report.threat_model.epsilons[-1]):
        whose = "the number that is" if len(told) == 1 else "the numbers that are"
        lead = f"widen the lead of {names[found.ranked[0]]}"
        yield f"A stronger attack may lower {whose} preliminary ({doubts}), and so {lead}."
        return
    which = "all numbers" if len(told) == len(found.ranked) else "some numbers"
    yield f"A stronger attack may change this: {which} are preliminary ({doubts})."
