"""Both programs on a model with every defence of docs/training.md at once."""

import pathlib

import keras
import numpy as np
import pytest
import tensorflow as tf
from test_fit import images

from robust_keras.programs import evaluate, train
from robust_keras.reporting import Report
from robust_keras.settings.config import EvaluateConfig, TrainConfig

ROOT = pathlib.Path(__file__).parent.parent

SETTINGS = {
    "dataset": "data.npz",
    "model": "lenet5",
    "activation": "mrelu",
    "loss": "hybrid",
    "noise_training": True,
    "mean_training": True,
    "rejection_threshold": 0.2,
    "adversarial": "fast",
    "train_epsilon": 0.05,
    "nuclear_norm": 1e-4,
    "low_rank": 0.5,
    "final_sparsity": 0.3,
    "pruning_frequency": 2,
    "epochs": 4,
    "batch_size": 10,
    "output_dir": "run",
}


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    path = tmp_path_factory.mktemp("together")
    arrays = {}
    for name, seed in (("train", 0), ("test", 1)):
        split = images(80, seed)
        arrays[f"x_{name}"] = np.repeat(np.repeat(split.images, 3, axis=1), 3, axis=2)
        arrays[f"y_{name}"] = split.labels
    np.savez(path / "data.npz", **arrays)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(path)
        train.main(TrainConfig(**SETTINGS))
        evaluate.main(
            EvaluateConfig(
                models=("run/serving",),
                dataset="data.npz",
                examples=30,
                attacks=("fgsm", "pgd"),
                epsilons=(0.05, 0.2),
                attacker_temperature=2.0,
                output_dir="report",
            )
        )
    return path


def test_the_served_model_has_the_contract_of_one_with_a_rule(trained):
    signatures = tf.saved_model.load(str(trained / "run" / "serving" / "1")).signatures
    answers = signatures["serving_default"](images=tf.zeros((3, 18, 18, 1)))
    assert set(answers) == {"probabilities", "classes", "confidence", "valid", "rejected"}
    assert answers["rejected"].dtype == tf.bool and answers["rejected"].shape == (3,)
    assert answers["probabilities"].shape == (3, 4)
    rule = signatures["rejection_rule"]()
    assert (int(rule["nonsense_classes"]), float(rule["threshold"])) == (2, 0.2)
    model = keras.models.load_model(trained / "run" / "model.keras")
    assert any(layer.name == "conv1_vertical" for layer in model.layers)
    assert model.losses == []


def test_the_file_loads_where_only_the_layers_are_imported(trained, run_plain_code):
    code = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r});"
        "import layers, keras; keras.models.load_model('run/model.keras');"
        "known = tuple('robust_keras.' + n for n in ('layers', 'legacy_keras_guard', 'arguments'));"
        "ours = [name for name in sys.modules if name.startswith('robust_keras.')];"
        "assert not [name for name in ours if not name.startswith(known)], ours"
    )
    done = run_plain_code(code, cwd=trained)
    assert done.returncode == 0, done.output


def test_the_served_model_is_attacked_and_rejection_stands_beside(trained):
    report = Report.read(trained / "report" / "report.json")
    (model,) = report.models
    assert report.attacker_temperature == 2.0
    assert [attack.skipped for attack in model.attacks] == [None, None]
    assert (model.num_classes, report.dataset.num_classes) == (4, 2)
    assert model.rejection.nonsense_classes == 2
    assert model.rejection.accuracy[-1] <= model.rejection.clean_accuracy
