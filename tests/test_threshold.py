"""--fail_below: an exit code for a model that is not robust enough, or not to be believed."""

import dataclasses

import pytest
import report_samples as samples

from robust_keras import reporting
from robust_keras.errors import InputError
from robust_keras.programs import evaluate
from robust_keras.settings.config import EvaluateConfig
from robust_keras.settings.threshold import read_thresholds

MODEL = {"models": ("model",), "epsilons": (8 / 255, 0.1)}


def shortfalls(text, *models):
    return reporting.shortfalls(samples.report(*models), read_thresholds(text))


def test_a_model_above_the_threshold_passes():
    assert shortfalls(None) == shortfalls("0.684@0.1") == shortfalls("0.6@0.1,0@0.3") == []


def test_a_lower_worst_case_is_told():
    assert shortfalls("0.7@0.1,0.5@0.05,0.1@0.3") == [
        "quickstart: at most 68.4 % at epsilon 0.1, below 70.0 %",
        "quickstart: at most 0.4 % at epsilon 0.3, below 10.0 %",
    ]


def test_a_number_that_is_not_to_be_believed_is_never_high_enough():
    found = shortfalls("0.1@0.1", samples.sound_model(), samples.doubtful_model())
    assert found == [
        "temperature_50: its robust accuracy is not to be believed (finite gradients, logit scale)"
    ]
    nothing = samples.sound_model(
        clean_accuracy=0.0,
        attacks=(samples.attack("pgd", (0.0,) * 4),),
        worst_case=samples.worst_case((0.0,) * 4),
    )
    assert "nothing was measured" in shortfalls("0@0.1", nothing)[0]
    settled = shortfalls("0.1@0.1", samples.corrected_model())
    assert settled == [
        "temperature_50: its audit had to correct or settle what it doubted "
        "(finite gradients, logit scale)"
    ]
    worst = dataclasses.replace(
        samples.worst_case((0.3, 0.2, 0.1, 0.0)), before_audit=(0.4, 0.2, 0.1, 0.0)
    )
    lowered = shortfalls("0.1@0.1", samples.quotable_model(worst_case=worst))
    assert "more than five points" in lowered[0]


def test_the_program_leaves_with_3(capsys):
    report = samples.report()
    evaluate._compare(EvaluateConfig(**MODEL, fail_below="0.6@0.1"), report)
    with pytest.raises(SystemExit) as left:
        evaluate._compare(EvaluateConfig(**MODEL, fail_below="0.7@0.1"), report)
    assert left.value.code == 3
    assert "--fail_below: quickstart: at most 68.4 %" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["0.8@0.1", "0@0.1,1@8/255", "0.5@8/255"])
def test_thresholds_that_can_be_read(text):
    config = EvaluateConfig(**MODEL, fail_below=text)
    assert EvaluateConfig.from_json(config.to_json()) == config


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("0.8", "an accuracy in [0, 1] at an epsilon, such as 0.80@0.1"),
        ("80@0.1", "an accuracy in [0, 1] at an epsilon"),
        ("80%@0.1", "an accuracy in [0, 1] at an epsilon"),
        ("0.8@", "an accuracy in [0, 1] at an epsilon"),
        ("0.8@0.1@0.2", "an accuracy in [0, 1] at an epsilon"),
        ("", "an accuracy in [0, 1] at an epsilon"),
        ("0.8@0.2", "an epsilon of --epsilons (0.0313725, 0.1); received 0.2"),
    ],
)
def test_anything_else_is_one_line(text, reason):
    with pytest.raises(InputError) as error:
        EvaluateConfig(**MODEL, fail_below=text)
    assert str(error.value).startswith("--fail_below: expected ") and reason in str(error.value)
