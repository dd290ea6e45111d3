"""Every flag, whatever it is given: a config or one line, and nothing else."""

import dataclasses
import json

import pytest

from robust_keras.errors import InputError
from robust_keras.programs import command_line
from robust_keras.settings.config import EvaluateConfig, TrainConfig
from robust_keras.suggestion import did_you_mean

NASTY = [
    "", " ", "0", "-0", "-1", "1e19", "1e30", "1e-300", "1e-400", "1e999", "nan", "inf", "-inf",
    "Infinity", "9" * 30, "9" * 5000, "0." + "3" * 5000, "1_000", "٣", "½", "0x10", "1e", "8/0",
    "1/1e-300", "/", "8/", "1/2/3", "None", "null", "true", "[]", ",", ",,", "0.1,0.1", "a,a", "8",
    "8/255", "255", ",".join(f"0.{i:04d}" for i in range(5000)), "2x", "x2", "0x2", "9999:99999",
    "\0", "a\nb", "\x1b[31m", "\udcff", "é", "..", "~", "x" * 100_000, "--epochs", "=", "==",
]  # fmt: skip
FIELDS = [
    pytest.param(cls, field, id=f"{cls.__name__}-{field.name}")
    for cls in (TrainConfig, EvaluateConfig)
    for field in dataclasses.fields(cls)
]
REQUIRED = {TrainConfig: {}, EvaluateConfig: {"models": ("model",)}}


def parse(config_class, *arguments):
    given = [f"--{name}={','.join(value)}" for name, value in REQUIRED[config_class].items()]
    return command_line.parse(config_class, "A program.", ["program", *given, *arguments])


def is_one_line(error):
    text = str(error)
    return "\n" not in text and text.isprintable() and len(text) < 1500 and ": expected " in text


@pytest.mark.parametrize("config_class, field", FIELDS)
def test_nasty_values_give_a_config_or_one_line(config_class, field, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    refused = 0
    for text in NASTY:
        try:
            made = parse(config_class, f"--{field.name}={text}")
        except InputError as error:
            refused += 1
            assert is_one_line(error), error
        else:
            assert config_class.from_json(made.to_json()) == made
            json.loads(made.to_json().encode("utf-8"))
    assert refused >= 5
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("config_class, field", FIELDS)
def test_nasty_values_from_python_give_a_config_or_one_line(config_class, field):
    for value in (None, -1, 10**5000, 1e300, float("nan"), (), ([],), (1, "a"), {}, b"", True, ""):
        with_it = REQUIRED[config_class] | {field.name: value}
        try:
            config_class(**with_it)
        except InputError as error:
            assert is_one_line(error), error


@pytest.mark.parametrize("config_class, field", FIELDS)
def test_numbers_have_limits(config_class, field):
    """No number is accepted that a float32 or a loop cannot take."""
    if type(field.metadata["parse"]).__name__ not in ("Whole", "Number"):
        return
    for text in ("1e19", "1e300", "9" * 30, "nan", "inf", "-1e19", "1_000", "٣", ""):
        with pytest.raises(InputError, match=f"^--{field.name}: expected "):
            parse(config_class, f"--{field.name}={text}")


@pytest.mark.parametrize(
    "config_class, flag",
    [
        (TrainConfig, "epochs=1" + "0" * 19),
        (TrainConfig, "replays=1" + "0" * 30),
        (TrainConfig, "serving_temperature=1e-300"),
        (TrainConfig, "learning_rate=1e-300"),
        (EvaluateConfig, "attacker_temperature=1e-300"),
        (EvaluateConfig, "epsilons=1e-300"),
        (EvaluateConfig, "examples=" + "9" * 5000),
    ],
)
def test_numbers_without_sense_are_refused(config_class, flag):
    with pytest.raises(InputError, match=f"^--{flag.partition('=')[0]}: expected "):
        parse(config_class, f"--{flag}")


def test_minus_zero_is_zero():
    assert str(parse(EvaluateConfig, "--epsilons=-0,0.1").epsilons) == "(0.0, 0.1)"
    assert str(parse(TrainConfig, "--weight_decay=-0").weight_decay) == "0.0"


def test_a_path_may_hold_commas_where_it_exists(tmp_path):
    for name in ("a,b", "c, d,e", "plain"):
        (tmp_path / name).mkdir()
    paths = tuple(f"{tmp_path}/{name}" for name in ("a,b", "plain", "missing", "c, d,e"))
    assert parse(EvaluateConfig, f"--models={','.join(paths)}").models == paths


def test_epsilons_depend_on_the_norm():
    made = parse(EvaluateConfig, "--norm=l2", "--epsilons=0.5,2,3", "--minimal_epsilon")
    assert (made.epsilons, made.largest_searched) == ((0.5, 2.0, 3.0), 3.0)
    with pytest.raises(InputError, match=r"--norm=linf \(l2 .*received 8 .*did you mean 8/255\?"):
        parse(EvaluateConfig, "--epsilons=0.1,8")
    with pytest.raises(InputError, match=r"--train_epsilon: .*received 8.0 .*did you mean 8/255"):
        parse(TrainConfig, "--adversarial=pgd", "--train_epsilon=8")


@pytest.mark.parametrize(
    "config_class, argument, meant",
    [
        (TrainConfig, "--epoch=3", "--epochs"),
        (TrainConfig, "--lr=0.1", "--low_rank or --learning_rate"),
        (TrainConfig, "--output-dir=x", "--output_dir"),
        (TrainConfig, "--noaugmnt", "--noaugment"),
        (TrainConfig, "--model=lenet", "lenet5"),
        (TrainConfig, "--optimizer=Adam", "adam"),
        (EvaluateConfig, "--eps=0.1", "--epsilons"),
        (EvaluateConfig, "--model=a", "--models or --model_pixels"),
        (EvaluateConfig, "--norm=Linf", "linf"),
        (EvaluateConfig, "--attacks=pgd,fgms", "fgsm"),
    ],
)
def test_refusals_say_what_was_meant(config_class, argument, meant):
    with pytest.raises(InputError) as caught:
        parse(config_class, argument)
    assert str(caught.value).endswith(f"(did you mean {meant}?)")


def test_nothing_is_meant_where_nothing_is_near():
    assert did_you_mean("xyzzy", ["epochs"]) == did_you_mean("", ["a"]) == ""
    assert did_you_mean("--", ["epochs"]) == did_you_mean(None, ["a"]) == ""


def test_zero_still_leaves_a_number_to_the_program():
    """What said so in flag files before a number could be left out."""
    unset = {
        field.name
        for config_class, field in (param.values for param in FIELDS)
        if type(field.metadata["parse"]).__name__ in ("Whole", "Number")
        and field.metadata["parse"].optional
        and getattr(parse(config_class, f"--{field.name}=0"), field.name) is None
    }
    assert unset >= {
        *("adversarial_steps", "replays", "trades_beta", "noise_magnitude", "nonsense_share"),
        *("kwta_ratio", "kwta_final_ratio", "minimal_largest"),
    }
