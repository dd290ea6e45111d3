"""What the report says in words: the verdict, the terminal's table, numbers."""

import dataclasses

import pytest
import report_samples as samples

from robust_keras import reporting
from robust_keras.reporting import wording
from robust_keras.reporting.advice import stronger_attack, stronger_command
from robust_keras.reporting.sections import attacker
from robust_keras.reporting.verdict import verdict


def said(model):
    threat_model = samples.threat_model(epsilons=model.worst_case.epsilons)
    report = samples.report(model, threat_model=threat_model)
    found = verdict(report, model)
    return found.level, " ".join(
        [found.headline, found.detail, found.warning, found.short, found.remedy, found.command]
        + [f"{title}: {text}" for title, text in found.reasons]
        + list(found.notes)
    ).replace(wording.NO_BREAK_SPACE, " ")


ONE_STEP = (samples.attack("fgsm", (0.9, 0.7, 0.3, 0.1), steps=1),)
NOISY = (0.97, 0.96, 0.95, 0.9)
NOISE = (samples.attack("uniform_noise", NOISY),)
LOST = (samples.attack("pgd", (0.972,) * 4, skipped="the gradient was lost"),)


def searched(queries):
    """One attack without gradients."""
    return (dataclasses.replace(NOISE[0], name="square", settings={"queries": queries}),)


def cut_short(left_out=(), **settings):
    """The attacks of the quotable model, its ensemble with other settings."""
    *others, ensemble = samples.quotable_model().attacks
    settings = {**ensemble.settings, "left_out": list(left_out), **settings}
    return (*others, dataclasses.replace(ensemble, settings=settings))


PGD = samples.attack("pgd", (0.8, 0.6, 0.1, 0.004))
WEAK = (
    samples.check("attack strength", "No attack took more than one step.", passed=False),
    samples.check("any", "Not checked: no.", passed=None),
    *samples.sound_model().audit[:3],
)
GUESSING = (samples.check("clean accuracy", "It cannot be told from guessing.", passed=False),)
UNFINISHED = (samples.check("converged attack", "More steps find more.", passed=False),)
FAILED = (samples.check("logit scale", "Dividing logits finds more.", passed=False),)
FOUND_NOTHING_MORE = (
    *samples.counter_attacks(),
    dataclasses.replace(samples.counter_attacks()[0], name="evolution strategy", broken=(0,) * 4),
)
LOWERED = dataclasses.replace(
    samples.worst_case((0.3, 0.2, 0.1, 0.0)), before_audit=(0.4, 0.2, 0.1, 0.0)
)
VERDICTS = {
    "ensemble": (
        samples.quotable_model(),
        "quotable",
        ["at most 0.2 % at epsilon 0.3", "survived all 6 attacks", "The audit made 4 checks"],
    ),
    "cut short": (
        samples.quotable_model(attacks=cut_short(left_out=["square"])),
        "preliminary",
        ["Only attacks along gradients"],
    ),
    "ensemble of few steps": (
        samples.quotable_model(attacks=cut_short(steps=20)),
        "preliminary",
        ["Only attacks along gradients"],
    ),
    "sound": (
        samples.sound_model(),
        "preliminary",
        ["Only attacks along gradients support this number", "no long search without gradients"]
        + ["gradient attacks only", "python evaluate.py --models=runs/quickstart/serving"]
        + ["--attacks=quick --output_dir=runs/quickstart/report-quick"]
        + ["at most 0.4 % at epsilon 0.3 (linf)", "4 of 1,000 images survived all 5 attacks"]
        + ["95 % interval 0.2 % to 1.0 %", "972 of 1,000 images correctly (97.2 %)", "not proof"],
    ),
    "nothing survives": (
        samples.sound_model(worst_case=samples.worst_case((0.5, 0.1, 0.0, 0.0))),
        "preliminary",
        ["Robust accuracy is 0.0 % at epsilon 0.3", "none can lower it"]
        + ["no stronger attack finds more there", "What would make it quotable"],
    ),
    "one step": (
        samples.sound_model(attacks=ONE_STEP, worst_case=samples.worst_case((0.9, 0.7, 0.3, 0.1))),
        "preliminary",
        ["Only weak attacks support this number", "fgsm: No attack that ran takes 10 or more steps"]
        + ["survived the one attack that ran"],
    ),
    "noise": (
        samples.sound_model(attacks=NOISE, worst_case=samples.worst_case((0.97, 0.96, 0.95, 0.9))),
        "preliminary",
        ["No attack that ran follows the model's gradients"],
    ),
    "a short search": (
        samples.sound_model(attacks=searched(999), worst_case=samples.worst_case(NOISY)),
        "preliminary",
        ["No attack that ran follows the model's gradients"],
    ),
    "a long search": (
        samples.sound_model(attacks=searched(1000), worst_case=samples.worst_case(NOISY)),
        "preliminary",
        ["survived the one attack that ran", "Only searches without gradients"],
    ),
    "gradients and a search": (
        samples.sound_model(
            attacks=(*samples.sound_model().attacks, *searched(1000)),
            worst_case=samples.worst_case((0.89, 0.68, 0.11, 0.004)),
        ),
        "preliminary",
        ["No strong ensemble", "no scale of the logits can blind"],
    ),
    "an ensemble of one's own": (
        samples.sound_model(
            attacks=(dataclasses.replace(PGD, name="apgd_targeted"), *searched(1000)),
            worst_case=samples.worst_case((0.8, 0.6, 0.1, 0.004)),
        ),
        "quotable",
        ["survived both attacks"],
    ),
    "corrected by the audit": (
        samples.quotable_model(
            worst_case=dataclasses.replace(
                samples.worst_case((0.7, 0.5, 0.1, 0.002)), before_audit=(0.88, 0.65, 0.1, 0.002)
            )
        ),
        "preliminary",
        ["The audit had to correct this number"],
    ),
    "not converged": (
        samples.sound_model(
            worst_case=dataclasses.replace(
                samples.worst_case((0.7, 0.5, 0.02, 0.002)), before_audit=(0.8, 0.6, 0.1, 0.004)
            ),
            audit=(*samples.sound_model().audit, *UNFINISHED),
        ),
        "preliminary",
        ["The audit had to correct this number", "attacks too weak; lowered by audit"]
        + ["The attacks had left 0.4 %", "--attacks=quick"],
    ),
    "doubted, attacked again and settled": (
        samples.corrected_model(),
        "preliminary",
        ["at most 0.7", "The audit had to correct this number", "survived both attacks and the"]
        + ["The attacks had left 97.6", "finite gradients and logit scale", "Next to nothing"],
    ),
    "doubted, and another kind found nothing": (
        samples.corrected_model(counter_attacks=FOUND_NOTHING_MORE),
        "preliminary",
        ["A last attack of another kind found nothing more."],
    ),
    "lowered though no check failed": (
        samples.quotable_model(worst_case=LOWERED),
        "preliminary",
        ["The audit had to correct this number", "attacks too weak; lowered by audit"],
    ),
    "doubted, but every image fell or is proved": (
        samples.doubtful_model(settled=("finite gradients", "logit scale")),
        "preliminary",
        ["every image is proved or fell"],
    ),
    "doubted and not settled": (
        samples.corrected_model(settled=("logit scale",)),
        "unreliable",
        ["This number should not be believed", "finite gradients: 97.2 %"],
    ),
    "doubted, but every image fell": (
        samples.doubtful_model(
            attacks=(samples.attack("pgd", (0.0,) * 4),),
            worst_case=samples.worst_case((0.0,) * 4),
            settled=("finite gradients", "logit scale"),
        ),
        "preliminary",
        ["Robust accuracy is 0.0", "It doubted: finite gradients and logit scale"]
        + ["every image fell", "0 of 1,000 images survived"],
    ),
    "weak, and the audit knows": (
        samples.sound_model(
            attacks=ONE_STEP, worst_case=samples.worst_case((0.9, 0.7, 0.3, 0.1)), audit=WEAK
        ),
        "preliminary",
        ["Only weak attacks support this number", "The audit made 4 checks", "found fault in 1"]
        + ["1 check could not be made"],
    ),
    "not above guessing": (
        samples.quotable_model(audit=(*GUESSING, *samples.sound_model().audit)),
        "unreliable",
        ["No robustness was measured.", "There was no robustness to measure", "clean accuracy"],
    ),
    "epsilon 0": (
        samples.quotable_model(
            attacks=(samples.attack("pgd", (0.972,)),),
            worst_case=samples.worst_case((0.972,), (0.0,)),
        ),
        "unreliable",
        ["No robustness was measured.", "The largest epsilon is 0"],
    ),
    "nothing was checked": (
        samples.quotable_model(audit=(samples.check("any", "Not checked: no.", passed=None),)),
        "unreliable",
        ["No check for masked gradients was made"],
    ),
    "every image falls at once": (
        samples.sound_model(
            clean_accuracy=0.0,
            attacks=(samples.attack("pgd", (0.0,) * 4),),
            worst_case=samples.worst_case((0.0,) * 4),
        ),
        "unreliable",
        ["No robustness was measured.", "There was no robustness to measure"]
        + ["0 of 1,000 images correctly (0.0 %)", "Not one image is classified correctly"],
    ),
    "masked": (
        samples.doubtful_model(),
        "unreliable",
        ["This number should not be believed", "finite gradients: 97.2 %", "survived both attacks"],
    ),
    "weak and failed": (
        samples.sound_model(
            attacks=ONE_STEP, worst_case=samples.worst_case((0.9, 0.7, 0.3, 0.1)), audit=FAILED
        ),
        "unreliable",
        ["logit scale: Dividing logits finds more.", "10 or more steps"],
    ),
    "not audited": (
        samples.sound_model(audit=()),
        "unreliable",
        ["should not be believed", "No check for masked gradients was made"],
    ),
    "some skipped": (
        samples.gradient_free_model(),
        "unreliable",
        ["pgd and mim did not run: the gradient of IdentityN was lost"],
    ),
    "all skipped": (
        samples.sound_model(
            attacks=LOST, worst_case=samples.worst_case((0.972,) * 4), audit=FAILED
        ),
        "unreliable",
        ["Robust accuracy is unknown", "No attack could be run", "pgd: the gradient was lost"]
        + ["Audit, logit scale: Dividing logits finds more."],
    ),
}


@pytest.mark.parametrize("case", VERDICTS)
def test_verdict(case):
    model, level, phrases = VERDICTS[case]
    found, text = said(model)
    assert found == level == model.verdict
    assert model.reliable == (
        level != "unreliable" and not model.failed and "had to correct" not in text
    )
    for phrase in phrases:
        assert phrase in text


def test_no_number_is_given_where_no_attack_ran():
    text = said(VERDICTS["all skipped"][0])[1]
    assert "survived" not in text and "at most" not in text


def test_summary_table():
    one_step = samples.sound_model(
        path="one_step", attacks=ONE_STEP, worst_case=samples.worst_case((0.9, 0.7, 0.3, 0.1))
    )
    lost = samples.sound_model(
        path="lost", attacks=LOST, worst_case=samples.worst_case((0.972,) * 4)
    )
    report = samples.report(samples.sound_model(), samples.doubtful_model(), lost, one_step)
    lines = reporting.summary_table(report).splitlines()
    assert len(lines) == 4 + 4 + 2 + 1 + 5 and all(line.isascii() for line in lines)
    assert lines[0].startswith("mnist5k test, 1,000 images") and len(lines[0]) < 80
    assert lines[2].split() == ["model", "clean", "0.05", "0.1", "0.2", "0.3", "verdict"]
    assert lines[4].split("  ")[0] == "quickstart" and lines[4].endswith("0.4 %  preliminary")
    assert lines[5].endswith("97.6 %  unreliable")
    assert lines[6].endswith("unknown  unknown  unreliable")
    assert lines[9].startswith("Which is better cannot be tested")
    assert lines[11] == "quickstart: preliminary: gradient attacks only"
    assert lines[12] == "temperature_50: unreliable: finite gradients, logit scale"
    assert lines[13] == "lost: unreliable: no attack ran"
    assert lines[14] == "one_step: preliminary: weak attacks only"
    assert lines[15].startswith("to quote it: python evaluate.py --models=runs/quickstart/serving ")
    assert len({line.index("%") for line in lines[4:8]}) == 1
    narrow = reporting.summary_table(report, width=50).splitlines()
    assert narrow[:9] == lines[:9] and lines[15] in narrow
    assert all(len(line) <= 50 for line in narrow[9:] if line != lines[15])
    assert " ".join(" ".join(narrow).split()) == " ".join(" ".join(lines).split())


def test_models_of_one_name_are_told_apart_by_path():
    models = [samples.sound_model(path=f"{run}/quickstart/serving") for run in "ab"]
    assert wording.display_names(models) == ["a/quickstart/serving", "b/quickstart/serving"]
    assert wording.display_names(models[:1]) == ["quickstart"]


@pytest.mark.parametrize(
    ("fraction", "text"),
    [
        (0.0, "0.0 %"),
        (1.0, "100.0 %"),
        (0.1234, "12.3 %"),
        (0.0004, "0.04 %"),
        (0.9999, "99.99 %"),
        (1 / 60000, "0.002 %"),
    ],
)
def test_percent_never_rounds_to_none_or_all(fraction, text):
    assert wording.percent(fraction).replace(wording.NO_BREAK_SPACE, " ") == text


@pytest.mark.parametrize(
    ("value", "short", "full"),
    [
        (0.1, "0.1", "0.1"),
        (8 / 255, "8/255", "8/255 (0.03137)"),
        (0.2, "0.2", "0.2 (51/255)"),
        (0.3, "0.3", "0.3"),
        (0.0, "0", "0"),
        (1.0, "1", "1 (255/255)"),
        (0.0123456, "0.01235", "0.01235"),
        (2.5, "2.5", "2.5"),
    ],
)
def test_epsilon_is_written_as_given(value, short, full):
    assert wording.epsilon(value) == short
    assert wording.epsilon_in_full(value) == full


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.1234, "0.12 s"), (8.04, "8.0 s"), (96.7, "1 min 37 s"), (150.0, "2 min 30 s")],
)
def test_seconds(value, text):
    assert wording.seconds(value).replace(wording.NO_BREAK_SPACE, " ") == text


@pytest.mark.parametrize(
    ("total", "images", "text"),
    [(0, 7, "0"), (160_000, 1000, "160"), (37, 2, "18.5"), (1234567, 10, "123,457")],
)
def test_per_image(total, images, text):
    assert wording.per_image(total, images) == text


def test_long_names_lose_their_middle():
    assert wording.shortened("a" * 10, 10) == "a" * 10
    assert wording.shortened("abcdefghij", 5) == "ab…ij"
    assert wording.shortened("a\nb\tc", 9) == "a b c"


def test_characters_that_deceive_are_spelled_out():
    assert wording.visible("a\u202eb\x1b\udcff\ufffe") == r"a\u202eb\x1b\udcff\ufffe"


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"step_size": 0.01, "steps": 40}, "step size 0.01; steps 40"),
        ({"random_start": True}, "random start yes"),
        ({"a": None, "b": [1, 2.5]}, "a none; b [1, 2.5]"),
        ({"long": list(range(20))}, "long [0, 1, 2, 3, 4, 5, 6, 7, and 12 more]"),
        ({"inner": {"x": 1}}, "inner (x 1)"),
        ({}, ""),
    ],
)  # fmt: skip
def test_settings_on_one_line(settings, text):
    assert wording.settings(settings) == text


@pytest.mark.parametrize(
    ("command", "stronger"),
    [
        ("python evaluate.py --models=m", "--models=m --attacks=quick"),
        ("python evaluate.py --attacks pgd,mim --models 'a b'", "--models 'a b' --attacks=quick"),
        ("robust-keras-evaluate --output_dir=x/ --models=m", "--output_dir=x-quick"),
        ("", ""),
        ("it's", ""),
    ],
)
def test_the_stronger_command_is_the_same_but_for_the_attack(command, stronger):
    found = stronger_command(samples.report(command=command), "quick")
    assert stronger in found and bool(found) == bool(stronger) and "pgd" not in found


def test_no_attack_is_advised_twice():
    def advised(*attacks):
        return stronger_attack(samples.quotable_model(attacks=attacks))

    *others, quick = samples.quotable_model().attacks
    complete = dataclasses.replace(quick, name="autoattack")
    assert advised(*others) == "quick"
    assert advised(*others, quick) == "autoattack"
    assert advised(*others, complete) == "" == advised(*cut_short(left_out=["square"]))
    assert stronger_command(samples.report(command="python evaluate.py"), "") == ""


def test_the_page_says_who_the_attacker_was():
    names = dict(attacker.threat_facts(samples.report()))
    assert names["Knowledge"] == "everything about the model (white box)"
    searches = samples.sound_model(attacks=searched(1000), worst_case=samples.worst_case(NOISY))
    names = dict(attacker.threat_facts(samples.report(searches)))
    assert names["Knowledge"].startswith("the model's answers only (black box)")
    both = samples.report(samples.doubtful_model(), searches)
    assert dict(attacker.threat_facts(both))["Knowledge"].endswith("of quickstart its answers only")


@pytest.mark.parametrize(
    ("model", "said"),
    [
        (samples.sound_model(), "nothing was tried: not other norms, larger epsilons, rotations"),
        (samples.unusual_model(), "only unusual inputs (noisy, nonsense, fooling_gradient and"),
        (
            samples.sound_model(minimal_epsilon=samples.minimal_epsilon(largest=0.5)),
            "only larger epsilons, up to 0.5, in the search for the smallest were tried: not other "
            "norms, rotations",
        ),
        (samples.sound_model(minimal_epsilon=samples.minimal_epsilon()), "nothing was tried"),
    ],
)
def test_the_page_says_what_was_tried_outside_the_threat_model(model, said):
    assert attacker.outside(samples.report(model)).startswith(said)
