"""--plugins: a user's own attack and section of the report, from their own files."""

import json
import pathlib

import keras
import pytest

from robust_keras import attacks, reporting
from robust_keras.errors import InputError
from robust_keras.programs import evaluate
from robust_keras.runs import plugins
from robust_keras.settings.config import EvaluateConfig

HERE = pathlib.Path(__file__).parent
SETTINGS = {"examples": 10, "epsilons": (0.1,), "batch_size": 10}


@pytest.fixture
def own(tmp_path):
    """Two files that end in what registers their classes."""
    attack = (HERE / "toy_attack.py").read_text(encoding="utf-8")
    section = (HERE / "toy_section.py").read_text(encoding="utf-8")
    files = tmp_path / "own_attack.py", tmp_path / "own_section.py"
    files[0].write_text(f"{attack}\n\nattacks.register(ToyAttack)\n", encoding="utf-8")
    files[1].write_text(f"{section}\n\nreporting.register(Brightness())\n", encoding="utf-8")
    yield tuple(str(file) for file in files)
    attacks.ATTACKS.pop("toy", None)
    if reporting.sections.registered("model"):
        reporting.unregister("brightness")


def test_the_command_knows_them(own, tmp_path, capsys):
    layers = [keras.Input((28, 28, 1)), keras.layers.Flatten(), keras.layers.Dense(10)]
    model = str(tmp_path / "model.keras")
    keras.Sequential(layers).save(model)
    where = {"output_dir": str(tmp_path / "report"), "plugins": own}
    searches = {"minimal_epsilon": True, "minimal_attack": "toy"}
    evaluate.main(
        EvaluateConfig(models=(model,), attacks=("toy",), **searches, **where, **SETTINGS)
    )
    report = json.loads((tmp_path / "report" / "report.json").read_text(encoding="utf-8"))
    (found,) = report["models"]
    assert [attack["name"] for attack in found["attacks"]] == ["toy"]
    assert found["attacks"][0]["settings"] == {"iterations": 3}
    assert found["minimal_epsilon"]["attack"] == "toy"
    assert found["brightness"]["images"] == round(10 * (1 - found["worst_case"]["accuracy"][0]))
    assert "brightness" in capsys.readouterr().out
    assert "Brightness" in (tmp_path / "report" / "report.html").read_text(encoding="utf-8")


def test_a_name_that_no_plugin_brings_is_refused(own):
    with pytest.raises(InputError, match=r"^--attacks: .*did you mean pgd"):
        EvaluateConfig(models=("m",), attacks=("pdg",))
    config = EvaluateConfig(models=("m",), attacks=("pdg",), plugins=own)
    with pytest.raises(InputError, match="did you mean pgd"):
        evaluate.main(config)


@pytest.mark.parametrize(
    ("setting", "needed"),
    [("transfer_attack", {"transfer": True}), ("minimal_attack", {"minimal_epsilon": True})],
)
def test_their_attacks_transfer_and_search(setting, needed):
    for wrong, files in (("unheard", ()), ("a b", ("own.py",))):
        with pytest.raises(InputError, match=f"^--{setting}: expected one of"):
            EvaluateConfig(models=("a", "b"), **needed, **{setting: wrong}, plugins=files)
    config = EvaluateConfig(models=("a", "b"), **needed, **{setting: "toy"}, plugins=("own.py",))
    assert getattr(config, setting) == "toy"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "a Python file that is there"),
        ("import robust_keras\n\n1 / 0\n", "ZeroDivisionError: division by zero in line 3"),
        ("\nx = = 1\n", "SyntaxError: .* in line 2"),
        ("raise SystemExit(0)\n", "SystemExit: 0 in line 1"),
        ("from robust_keras import attacks\nattacks.register(int)\n", "a subclass of .* in line 2"),
    ],
)
def test_a_file_that_cannot_be_run_is_one_line(tmp_path, content, message):
    path = tmp_path / "own.py"
    if content is not None:
        path.write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match=message) as error:
        plugins.load_plugins([str(path)])
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("name", ["loop.py", "n" * 300])
def test_a_path_that_leads_nowhere_is_one_line(tmp_path, name):
    (tmp_path / "loop.py").symlink_to(tmp_path / "loop.py")
    with pytest.raises(InputError, match="a Python file that is there"):
        plugins.load_plugins([str(tmp_path / name)])
