"""What the report says in words: the verdict, the terminal's table, numbers."""

import dataclasses

import pytest
import report_samples as samples

from robust_keras import reporting
from robust_keras.reporting import facts, wording
from robust_keras.reporting.verdict import verdict


def said(model):
    report = samples.report(model)
    found = verdict(report, model)
    return found.level, " ".join(
        [found.headline, found.detail, found.warning]
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


FAILED = (samples.check("logit scale", "Dividing logits finds more.", passed=False),)
VERDICTS = {
    "sound": (
        samples.sound_model(),
        "reliable",
        ["at most 0.4 % at epsilon 0.3 (linf)", "4 of 1,000 images survived all 5 attacks"]
        + ["95 % interval 0.2 % to 1.0 %", "972 of 1,000 images correctly (97.2 %)", "not proof"],
    ),
    "nothing survives": (
        samples.sound_model(worst_case=samples.worst_case((0.5, 0.1, 0.0, 0.0))),
        "reliable",
        ["Robust accuracy is 0.0 % at epsilon 0.3"],
    ),
    "one step": (
        samples.sound_model(attacks=ONE_STEP, worst_case=samples.worst_case((0.9, 0.7, 0.3, 0.1))),
        "weak",
        ["Only weak attacks were tried", "fgsm: No attack that ran takes 10 or more steps"]
        + ["survived the one attack that ran"],
    ),
    "noise": (
        samples.sound_model(attacks=NOISE, worst_case=samples.worst_case((0.97, 0.96, 0.95, 0.9))),
        "weak",
        ["No attack that ran follows the model's gradients"],
    ),
    "a short search": (
        samples.sound_model(attacks=searched(999), worst_case=samples.worst_case(NOISY)),
        "weak",
        ["No attack that ran follows the model's gradients"],
    ),
    "a long search": (
        samples.sound_model(attacks=searched(1000), worst_case=samples.worst_case(NOISY)),
        "reliable",
        ["survived the one attack that ran"],
    ),
    "every image falls at once": (
        samples.sound_model(
            clean_accuracy=0.0,
            attacks=(samples.attack("pgd", (0.0,) * 4),),
            worst_case=samples.worst_case((0.0,) * 4),
        ),
        "reliable",
        ["Robust accuracy is 0.0 % at epsilon 0.3", "0 of 1,000 images correctly (0.0 %)"],
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
        "unknown",
        ["Robust accuracy is unknown", "No attack could be run", "pgd: the gradient was lost"]
        + ["Audit, logit scale: Dividing logits finds more."],
    ),
}


@pytest.mark.parametrize("case", VERDICTS)
def test_verdict(case):
    model, level, phrases = VERDICTS[case]
    found, text = said(model)
    assert found == level
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
    assert lines[0].startswith("mnist5k test, 1,000 images")
    assert lines[2].split() == ["model", "clean", "0.05", "0.1", "0.2", "0.3", "reliable"]
    assert lines[4].split("  ")[0] == "quickstart" and lines[4].endswith("0.4 %  yes")
    assert lines[5].endswith("no: finite gradients, logit scale")
    assert lines[6].endswith("unknown  unknown  no: no attack ran")
    assert lines[7].endswith("weak attacks only")
    assert all(line.isascii() for line in lines)
    assert len({line.index("%") for line in lines[4:]}) == 1


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
    ("value", "text"), [(0.1234, "0.12 s"), (12.34, "12.3 s"), (119.6, "120 s"), (150.0, "2.5 min")]
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
    assert wording.visible("a\u202eb\x1b\udcff") == r"a\u202eb\x1b\udcff"


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
    assert facts.setting_text(settings) == text
