"""What users get wrong: one line saying what was expected, exit code 2, nothing written."""

import pathlib
import re
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

from robust_keras import serving
from robust_keras.programs import command_line, evaluate, train

ROOT = pathlib.Path(__file__).parent.parent

TINY = ("--dataset=good.npz", "--batch_size=4", "--validation_fraction=0")
STUDENT = (*TINY, "--model=fc5")
ENSEMBLE = (*STUDENT, "--adversarial=ensemble", "--train_epsilon=0.3")
DENOISER = ("--dataset=good.npz", "--batch_size=4", "--denoiser", "--denoiser_epsilon=0.3")
# Name -> (arguments of train.py, what the line must say). Paths are those of the fixture `world`.
TRAIN = {
    "unknown flag": (["--epoch=3"], "--epoch: expected a flag that --help lists; received --epoch"),
    "not a flag": (["epochs=3"], "flags only, as --name=value; received epochs=3"),
    "flag without value": (["--epochs"], "--epochs: expected a value; received none"),
    "missing flagfile": (
        ["--flagfile=none.cfg"],
        "--flagfile: expected a text file that can be read",
    ),
    "unknown model": (["--model=lenet"], "--model: expected one of fc5, lenet5.*received lenet"),
    "unknown activation": (["--activation=kav"], "--activation: expected one of relu"),
    "unknown data set": (["--dataset=mnits"], "expected mnist5k.*received mnits"),
    "missing .npz": (["--dataset=none.npz"], "an .npz file that exists.*received none.npz"),
    "address of a data set": (
        ["--dataset=https://host/digits.npz"],
        r"a path on this machine \(download first.*received https://host/digits.npz",
    ),
    "bucket": (["--output_dir=gs://bucket/run"], "path on this machine.*received gs://bucket/run"),
    "foreign .npz": (["--dataset=text.npz"], "a readable .npz file"),
    ".npz without labels": (["--dataset=no_labels.npz"], "none named y_train, y_test"),
    "images without height": (["--dataset=flat.npz"], r"\(n, height, width, channels\)"),
    "NaN pixels": (["--dataset=nan.npz"], "finite pixels.*received 1 NaN or infinite pixels"),
    "pixels in 0..255": (["--dataset=bytes.npz"], r"pixels in \[0, 1\] \(divide by 255\?\)"),
    "label out of range": (["--dataset=label.npz"], "labels in 0..1; received 0..7"),
    "negative label": (["--dataset=negative.npz"], "labels in 0..*; received -1..1"),
    "one class": (["--dataset=one_class.npz"], "at least 2 classes"),
    "images too small": (["--dataset=good.npz", "--model=alexnet"], "alexnet: expected"),
    "batch too large": (["--dataset=good.npz", "--model=fc5", "--batch_size=99"], "--batch_size"),
    "epochs not a number": (["--epochs=many"], "a whole number from 1 to 1000000; received many"),
    "no epochs": (["--epochs=0"], "a whole number from 1 to 1000000; received 0"),
    "half an epoch": (["--epochs=0.5"], "a whole number from 1 to 1000000; received 0.5"),
    "empty batch": (["--batch_size=0"], "--batch_size: expected a whole number"),
    "negative seed": (["--seed=-1"], "--seed: expected a whole number from 0"),
    "learning rate 0": (["--learning_rate=0"], "--learning_rate: expected a number from"),
    "learning rate nan": (["--learning_rate=nan"], "--learning_rate: expected a number from"),
    "kernel scale": (["--kernel_scale=0"], "--kernel_scale: expected a number from"),
    "temperature 0": (["--temperature=0"], "--temperature: expected a number from"),
    "serving temperature": (["--serving_temperature=-1"], "--serving_temperature: expected"),
    "sparsity 1": (["--final_sparsity=1"], "at least 0 and below 1; received 1.0"),
    "sparsity in percent": (["--final_sparsity=80"], "at least 0 and below 1; received 80.0"),
    "sparsity that falls": (
        ["--final_sparsity=0.5", "--initial_sparsity=0.8"],
        "--initial_sparsity: expected at most --final_sparsity=0.5; received 0.8",
    ),
    "sparsity that never comes": (["--initial_sparsity=0.3"], "0 without --final_sparsity"),
    "pruning that ends first": (["--pruning_begin=0.8"], "--pruning_end: expected more than"),
    "pruning frequency": (["--pruning_frequency=0"], "--pruning_frequency: expected a whole"),
    "pruning layers": (["--pruning_layers=dense,bias"], "--pruning_layers: expected one or more"),
    "pruning schedule": (["--pruning_schedule=linear"], "one of polynomial, constant"),
    "block not a pair": (["--pruning_block=2"], "--pruning_block: expected two whole numbers"),
    "block of nothing": (["--pruning_block=0x2"], "from 1 to 1024, such as 2x4; received 0x2"),
    "blocks of nothing pruned": (["--pruning_block=2x2"], "nothing while --final_sparsity is 0"),
    "blocks of convolutions": (
        ["--pruning_block=2x2", "--final_sparsity=0.5"],
        "--pruning_layers: expected dense with --pruning_block; received dense,conv",
    ),
    "pattern not a pair": (["--pruning_m_by_n=2x4"], "such as 2:4; received 2x4"),
    "all of them zero": (["--pruning_m_by_n=4:4"], "m:n with m below n; received 4:4"),
    "pattern and sparsity": (
        ["--pruning_m_by_n=2:4", "--final_sparsity=0.5"],
        "--final_sparsity: expected 0 with --pruning_m_by_n=2:4",
    ),
    "pattern and blocks": (
        ["--pruning_m_by_n=2:4", "--pruning_block=2x2"],
        "--pruning_block: expected nothing with --pruning_m_by_n=2:4; received 2x2",
    ),
    "layer too small for 2:4": (
        [*TINY, "--model=cifar_quick", "--pruning_m_by_n=2:4"],
        r"layers large enough for 2:4 \(--pruning_skip=\w+ leaves the others dense\); received",
    ),
    "layer that is not there": (
        [*TINY, "--model=fc5", "--final_sparsity=0.5", "--pruning_skip=stem"],
        "--pruning_skip: expected names of layers such as .*; received stem",
    ),
    "winners of ReLU": (
        ["--kwta_ratio=0.3"],
        "--kwta_ratio: expected nothing without --activation=kwta",
    ),
    "winners above 1": (["--activation=kwta", "--kwta_ratio=2"], "--kwta_ratio: expected a number"),
    "ratio that rises": (
        ["--activation=kwta", "--kwta_ratio=0.1", "--kwta_final_ratio=0.3"],
        "--kwta_final_ratio: expected at most --kwta_ratio=0.1; received 0.3",
    ),
    "fall that ends first": (["--kwta_begin=0.9"], "--kwta_end: expected more than --kwta_begin"),
    "average that stays": (["--ema_momentum=1"], "--ema_momentum: expected a number of at least 0"),
    "layer log": (["--layer_log=yes"], "--layer_log: expected one of auto, always, never"),
    "range test of pruning": (
        ["--learning_rate_range_test", "--final_sparsity=0.5"],
        "--final_sparsity: expected nothing with --learning_rate_range_test; received 0.5",
    ),
    "range test of a pattern": (
        ["--learning_rate_range_test", "--pruning_m_by_n=2:4"],
        "--pruning_m_by_n: expected nothing with --learning_rate_range_test; received 2:4",
    ),
    "range test of few steps": (
        ["--dataset=good.npz", "--model=fc5", "--batch_size=4", "--learning_rate_range_test"],
        "--batch_size: expected at most 1, for 10 steps; received 4",
    ),
    "denoiser with a penalty": (
        [*DENOISER, "--classifier=good.keras", "--nuclear_norm=0.1"],
        "--nuclear_norm: expected 0 with --denoiser, whose classifier is trained already",
    ),
    "denoiser of nothing": (
        ["--denoiser", "--denoiser_epsilon=0.3"],
        "--classifier: expected a .keras file with --denoiser; received none",
    ),
    "denoiser of a SavedModel": (
        ["--denoiser", "--denoiser_epsilon=0.3", "--classifier=vector_model"],
        "--classifier: expected a .keras file with --denoiser; received vector_model",
    ),
    "denoiser without epsilon": (
        ["--denoiser", "--classifier=good.keras"],
        "--denoiser_epsilon: expected a number above 0 with --denoiser; received 0",
    ),
    "adversarial denoiser": (
        [*DENOISER, "--classifier=good.keras", "--adversarial=fast", "--train_epsilon=0.3"],
        "--adversarial: expected none with --denoiser, whose classifier is trained already",
    ),
    "pruned denoiser": (
        [*DENOISER, "--classifier=good.keras", "--pruning_m_by_n=2:4"],
        "--pruning_m_by_n: expected nothing with --denoiser, .*; received 2:4",
    ),
    "classifier without denoiser": (["--classifier=good.keras"], "nothing without --denoiser"),
    "missing classifier": ([*DENOISER, "--classifier=none.keras"], "nothing of that name"),
    "damaged classifier": ([*DENOISER, "--classifier=damaged.keras"], "that Keras can load"),
    "ill-shaped classifier": (
        ["--denoiser", "--denoiser_epsilon=0.3", "--classifier=good.keras"],
        r"good.keras: expected a model of \(28, 28, 1\) images, as in the data set",
    ),
    "optimizer": (["--optimizer=adamw"], "--optimizer: expected one of adam, sgd"),
    "precision": (["--precision=float16"], "--precision: expected one of float32"),
    "strategy": (["--distribute=tpu"], "--distribute: expected one of none, mirrored, multi"),
    "validation fraction": (["--validation_fraction=1"], "--validation_fraction: expected"),
    "augment": (["--augment=maybe"], "--augment: expected true or false; received maybe"),
    "method": (
        ["--adversarial=ensembles"],
        "one of none, pgd, free, fast, n_fgsm, half_fgsm, trades",
    ),
    "epsilon in bytes": (["--adversarial=pgd", "--train_epsilon=8"], "--train_epsilon: expected"),
    "epsilon forgotten": (["--adversarial=fast"], "a number above 0 with --adversarial=fast"),
    "epsilon without method": (["--train_epsilon=8/255"], "0 while --adversarial is none"),
    "steps of fast": (
        ["--adversarial=fast", "--train_epsilon=0.3", "--adversarial_steps=7"],
        r"--adversarial_steps: expected nothing with .*fast \(it belongs to pgd, trades, ibp\)",
    ),
    "replays of pgd": (
        ["--adversarial=pgd", "--train_epsilon=0.3", "--replays=4"],
        "--replays: expected nothing with --adversarial=pgd",
    ),
    "one replay": (
        ["--adversarial=free", "--train_epsilon=0.3", "--replays=1"],
        "--replays: expected a whole number from 2 to 1000; received 1",
    ),
    "free on replicas": (
        ["--adversarial=free", "--train_epsilon=0.3", "--distribute=mirrored"],
        "--distribute: expected none with --adversarial=free; received mirrored",
    ),
    "free on workers": (
        ["--adversarial=free", "--train_epsilon=0.3", "--distribute=multi_worker"],
        "--distribute: expected none with --adversarial=free; received multi_worker",
    ),
    "ensemble on workers": (
        [*ENSEMBLE, "--source_models=good.keras", "--distribute=multi_worker"],
        "--distribute: expected none with --adversarial=ensemble; received multi_worker",
    ),
    "denoiser on workers": (
        [*DENOISER, "--classifier=good.keras", "--distribute=multi_worker"],
        "--distribute: expected none with --denoiser; received multi_worker",
    ),
    "range test on workers": (
        ["--learning_rate_range_test", "--distribute=multi_worker"],
        "--distribute: expected none or mirrored with --learning_rate_range_test; received multi_w",
    ),
    "never adversarial": (
        ["--adversarial=fast", "--train_epsilon=0.3", "--warm_up_epochs=3", "--epochs=3"],
        "--warm_up_epochs: expected fewer, with --epsilon_ramp_epochs, than --epochs=3",
    ),
    "ensemble without sources": (
        ["--adversarial=ensemble", "--train_epsilon=0.3"],
        "--source_models: expected at least one path with --adversarial=ensemble; received nothing",
    ),
    "sources of pgd": (
        ["--adversarial=pgd", "--train_epsilon=0.3", "--source_models=good.keras"],
        r"--source_models: expected nothing with --adversarial=pgd \(it belongs to ensemble\)",
    ),
    "sources without method": (["--source_models=good.keras"], "nothing while --adversarial is"),
    "ensemble on replicas": (
        [*ENSEMBLE, "--source_models=good.keras", "--distribute=mirrored"],
        "--distribute: expected none with --adversarial=ensemble; received mirrored",
    ),
    "ensemble's attack alone": (["--ensemble_attack=fgsm"], "step_ll while --adversarial is none"),
    "missing source": ([*ENSEMBLE, "--source_models=good.keras,none"], "nothing of that name"),
    "foreign source": ([*ENSEMBLE, "--source_models=text.npz"], "received another kind of file"),
    "ill-shaped source": (
        ["--adversarial=ensemble", "--train_epsilon=0.3", "--source_models=good.keras"],
        r"good.keras: expected a model of \(28, 28, 1\) images, as in the data set",
    ),
    "loss": (["--loss=mse"], "--loss: expected one of cross_entropy, hybrid"),
    "hybrid of softmax": (["--loss=hybrid"], "--activation: expected rbf or mrelu with --loss="),
    "hybrid at a temperature": (
        ["--loss=hybrid", "--activation=rbf", "--temperature=20"],
        "--temperature: expected 1 with --loss=hybrid",
    ),
    "hybrid with smoothing": (
        ["--loss=hybrid", "--activation=rbf", "--label_smoothing=0.1"],
        "--label_smoothing: expected 0 with --loss=hybrid",
    ),
    "hybrid of nothing": (
        ["--loss=hybrid", "--activation=rbf", "--hybrid_relative=0", "--hybrid_absolute=0"],
        "--hybrid_relative: expected a number above 0",
    ),
    "hybrid without hybrid": (["--hybrid_others=1/9"], "expected 0 without --loss=hybrid"),
    "hybrid power": (["--hybrid_power=0.5"], "--hybrid_power: expected a number from 1 to 100"),
    "label smoothing": (["--label_smoothing=1"], "--label_smoothing: expected a number of at"),
    "smoothing of soft labels": (
        ["--distillation_teacher=good.keras", "--label_smoothing=0.1"],
        "--label_smoothing: expected 0 with --distillation_teacher",
    ),
    "hybrid of soft labels": (
        ["--distillation_teacher=good.keras", "--loss=hybrid", "--activation=rbf"],
        "--distillation_teacher: expected none with --loss=hybrid",
    ),
    "missing teacher": (
        [*STUDENT, "--distillation_teacher=none.keras"],
        "--distillation_teacher: none.keras: expected.*received nothing of that name",
    ),
    "foreign teacher": (
        [*STUDENT, "--distillation_teacher=damaged.keras"],
        "--distillation_teacher: damaged.keras: expected a .keras file that Keras can load",
    ),
    "teacher of other classes": (
        [*STUDENT, "--distillation_teacher=good.keras", "--dataset=three.npz"],
        "--distillation_teacher: good.keras: expected a teacher of .* 3 classes; .* and 2 classes",
    ),
    "teacher of other images": (
        ["--model=fc5", "--distillation_teacher=good.keras"],
        r"--distillation_teacher: good.keras: expected a model of \(28, 28, 1\) images",
    ),
    "teacher without nonsense": (
        [*STUDENT, "--distillation_teacher=good.keras", "--mean_training"],
        "--distillation_teacher: good.keras: expected a teacher of .* 4 classes",
    ),
    "noise that is off": (["--noise_magnitude=0.5"], "expected nothing without --noise_training"),
    "noise in bytes": (["--noise_training", "--noise_magnitude=127"], "--noise_magnitude: exp"),
    "draw of no noise": (["--noise_draw=once"], "expected published without --noise_training"),
    "nonsense that is off": (["--nonsense_share=0.1"], "expected nothing without --mean_training"),
    "threshold 1": (["--rejection_threshold=1"], "--rejection_threshold: expected a number"),
    "nuclear norm": (["--nuclear_norm=-1"], "--nuclear_norm: expected 0, or a number from"),
    "half a rank": (["--low_rank=2.5"], "--low_rank: expected a whole number, or a share below 1"),
    "rank below 0": (["--low_rank=-1"], "--low_rank: expected 0, or a number from"),
    "rank of no convolution": (
        ["--low_rank=0.5", "--model=fc5"],
        "--low_rank: expected 0 for a model without convolutions.*received fc5",
    ),
    "constraint without rank": (
        ["--low_rank_method=constraint"],
        "--low_rank_method: expected layers without --low_rank",
    ),
    "zeros that are filled": (
        ["--low_rank=2", "--low_rank_method=constraint", "--final_sparsity=0.5"],
        "--final_sparsity: expected 0 with --low_rank_method=constraint",
    ),
    "clip norm": (["--clip_norm=-1"], "--clip_norm: expected 0, or a number from"),
    "weight decay": (["--weight_decay=-1"], "--weight_decay: expected 0, or a number from"),
    "directory is a file": (["--output_dir=text.npz"], "a directory; received text.npz"),
    "directory in a file": (["--output_dir=text.npz/run"], "but text.npz is a file"),
    "finished run": (["--output_dir=finished"], "an unfinished run; received finished, a finished"),
    "other files": (["--output_dir=other"], "which holds other files"),
    "other settings": (["--output_dir=begun", "--epochs=9"], "the same settings.*--epochs=5"),
    "unreadable run": (["--output_dir=damaged"], "a run with a readable config.json"),
}
EVALUATE = {
    "no cluster": (
        ["--models=good.keras", "--distribute=multi_worker"],
        "TF_CONFIG: expected a cluster and a task, .* received none",
    ),
    "no model": ([], "--models: expected at least one path"),
    "empty model": (["--models="], "--models: expected at least one path"),
    "model twice": (["--models=good.keras,good.keras"], "each once"),
    "missing model": (["--models=none"], "received nothing of that name"),
    "empty directory": (["--models=empty"], "received an empty directory"),
    "directory of other things": (["--models=other"], "a SavedModel directory.*with notes.txt"),
    "text file": (["--models=text.npz"], "received another kind of file"),
    "damaged .keras": (["--models=damaged.keras"], "a .keras file that Keras can load"),
    "damaged SavedModel": (["--models=damaged_model"], "damaged_model: expected"),
    "signature without image": (["--models=vector_model"], "vector_model.*expected.*image"),
    "signature of text": (["--models=text_model"], "text_model.*expected.*received"),
    "signature without classes": (["--models=map_model"], "map_model.*expected.*received"),
    "other image shape": (
        ["--models=good.keras", "--dataset=mnist5k"],
        r"a model of \(28, 28, 1\)",
    ),
    "other class count": (["--models=good.keras", "--dataset=three.npz"], "a model of 3 classes"),
    "second model is missing": (["--models=good.keras,none"], "received nothing of that name"),
    "model of nearly that name": (["--models=god.keras"], r"\(did you mean good.keras\?\)"),
    "directory of a run": (["--models=finished"], r"\(did you mean finished/serving\?\)"),
    "nonsense that is not there": (
        ["--models=good.keras", "--dataset=good.npz", "--unusual=nonsense", "--nonsense=nmist"],
        r"--nonsense: expected .*did you mean mnist\?",
    ),
    "epsilon below 0": (["--models=good.keras", "--epsilons=-0.1"], r"numbers in \[0, 1\]"),
    "epsilon above 1": (
        ["--models=good.keras", "--epsilons=0.1,8"],
        r"in \[0, 1\].*received 8 .*did you mean 8/255",
    ),
    "epsilon nan": (["--models=good.keras", "--epsilons=nan"], r"numbers in \[0, 1\]"),
    "epsilon by zero": (["--models=good.keras", "--epsilons=8/0"], r"numbers in \[0, 1\]"),
    "epsilon twice": (["--models=good.keras", "--epsilons=0.1,0.1"], "different numbers"),
    "no epsilon": (["--models=good.keras", "--epsilons="], r"numbers in \[0, 1\]"),
    "attacker's temperature": (
        ["--models=good.keras", "--attacker_temperature=0"],
        "--attacker_temperature: expected a number from 0.001 to 1e.06 or removed; received 0",
    ),
    "attacker's other word": (
        ["--models=good.keras", "--attacker_temperature=unknown"],
        "--attacker_temperature: expected a number from .* or removed; received unknown",
    ),
    "passes": (["--models=good.keras", "--expectation_samples=0"], "--expectation_samples: exp"),
    "transfer from one to itself": (
        ["--models=good.keras", "--transfer"],
        "--transfer: expected two or more --models, or --substitute; received one model",
    ),
    "substitute alone": (
        ["--models=good.keras", "--substitute"],
        "--substitute: expected false without --transfer; received true",
    ),
    "cascade to transfer": (
        ["--models=good.keras", "--transfer", "--substitute", "--transfer_attack=autoattack"],
        "--transfer_attack: expected one that is no cascade; received autoattack",
    ),
    "smallest epsilon in another norm": (
        ["--models=good.keras", "--minimal_epsilon", "--minimal_attack=cw"],
        "--minimal_attack: expected an attack for --norm=linf; received cw",
    ),
    "transfer in another norm": (
        ["--models=good.keras", "--substitute", "--transfer", "--transfer_attack=cw"],
        "--transfer_attack: expected an attack for --norm=linf; received cw",
    ),
    "transfer attack alone": (
        ["--models=good.keras", "--transfer_attack=mim"],
        "--transfer_attack: expected pgd without --transfer; received mim",
    ),
    "unknown attack": (["--models=good.keras", "--attacks=pgd,pdg"], "received pgd,pdg"),
    "attack twice": (["--models=good.keras", "--attacks=pgd,pgd"], "each once"),
    "norm": (["--models=good.keras", "--norm=l1"], "--norm: expected one of linf, l2"),
    "split": (["--models=good.keras", "--split=validation"], "--split: expected one of"),
    "no examples": (["--models=good.keras", "--examples=0"], "--examples: expected"),
    "batch of nothing": (["--models=good.keras", "--batch_size=-5"], "--batch_size: expected"),
    "unknown unusual input": (
        ["--models=good.keras", "--unusual=noise"],
        "--unusual: expected one or more of none, noisy, .*; received noise",
    ),
    "unusual and none": (
        ["--models=good.keras", "--unusual=none,noisy"],
        "--unusual: expected none alone; received none,noisy",
    ),
    "fooling without steps": (["--models=good.keras", "--fooling_steps=0"], "--fooling_steps: exp"),
    "fooling decay": (["--models=good.keras", "--fooling_decay=1"], "--fooling_decay: expected"),
    "NaN in test images": (["--models=good.keras", "--dataset=nan.npz"], "finite pixels"),
    "test pixels in 0..255": (["--models=good.keras", "--dataset=bytes.npz"], "divide by 255"),
    "test label": (["--models=good.keras", "--dataset=label.npz"], "labels in 0..1"),
    "finished report": (["--models=good.keras", "--output_dir=reported"], "holds report.json"),
    "report into a file": (["--models=good.keras", "--output_dir=text.npz"], "a directory"),
    "report among others": (["--models=good.keras", "--output_dir=other"], "holds notes.txt"),
}
CASES = [
    *[pytest.param(train, *case, id=f"train-{name}") for name, case in TRAIN.items()],
    *[pytest.param(evaluate, *case, id=f"evaluate-{name}") for name, case in EVALUATE.items()],
]


def arrays(classes=2, **changes):
    made = {
        "x_train": np.zeros((12, 8, 8, 1), np.float32),
        "y_train": np.arange(12) % classes,
        "x_test": np.zeros((6, 8, 8, 1), np.float32),
        "y_test": np.arange(6) % classes,
    }
    return {name: a for name, a in {**made, **changes}.items() if a is not None}


def save_function(path, spec, function):
    module = tf.Module()
    module.run = tf.function(function, input_signature=[spec])
    tf.saved_model.save(module, str(path), signatures={"serving_default": module.run})


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """A directory with everything that the cases name."""
    path = tmp_path_factory.mktemp("world")
    nan, label, negative = np.zeros((6, 8, 8, 1), np.float32), np.arange(6) % 2, np.arange(6) % 2
    nan[0, 0, 0, 0], label[3], negative[3] = np.nan, 7, -1
    for name, made in {
        "good": arrays(),
        "three": arrays(classes=3),
        "one_class": arrays(classes=1),
        "no_labels": arrays(y_train=None, y_test=None),
        "flat": arrays(x_train=np.zeros((12, 64), np.float32)),
        "nan": arrays(x_test=nan),
        "bytes": arrays(x_test=np.full((6, 8, 8, 1), 255.0, np.float32)),
        "label": arrays(y_test=label),
        "negative": arrays(y_test=negative),
    }.items():
        np.savez(path / f"{name}.npz", **made)
    (path / "text.npz").write_text("not an archive")
    model = keras.Sequential(
        [keras.Input((8, 8, 1)), keras.layers.Flatten(), keras.layers.Dense(2)]
    )
    model.save(path / "good.keras")
    (path / "damaged.keras").write_bytes((path / "good.keras").read_bytes()[:500])
    serving.export(model, path / "finished" / "serving")
    for name, file in {
        "other": "notes.txt",
        "reported": "report.json",
        "damaged": "config.json",
        "damaged_model": "saved_model.pb",
    }.items():
        (path / name).mkdir()
        (path / name / file).write_text("{not what it should be")
    (path / "empty").mkdir()
    (path / "begun").mkdir()
    begun = train.TrainConfig(output_dir="begun")
    (path / "begun" / "config.json").write_text(begun.to_json())
    images = tf.TensorSpec((None, 8, 8, 1), tf.float32)
    save_function(path / "vector_model", tf.TensorSpec((None, 60), tf.float32), lambda x: {"y": x})
    save_function(path / "text_model", tf.TensorSpec((None,), tf.string), lambda x: {"y": x})
    save_function(path / "map_model", images, lambda x: {"y": x * 2.0})
    return path


def tree(path):
    return {
        item.relative_to(path): item.read_bytes() if item.is_file() else None
        for item in sorted(path.rglob("*"))
    }


def run(program, arguments, monkeypatch):
    """The program's exit code, run in this process as `python program arguments` would."""
    name = pathlib.Path(program.__file__).name
    monkeypatch.setattr(sys, "argv", [name, *arguments])
    configs = {"train.py": train.TrainConfig, "evaluate.py": evaluate.EvaluateConfig}
    with pytest.raises(SystemExit) as stopped:
        command_line.run(program.main, configs[name], program.__doc__)
    return stopped.value.code


def test_there_are_at_least_forty_cases():
    assert len(CASES) >= 40


@pytest.mark.parametrize(("program", "arguments", "text"), CASES)
def test_bad_input(world, monkeypatch, capfd, program, arguments, text):
    monkeypatch.chdir(world)
    if program is evaluate and not any(a.startswith("--dataset") for a in arguments):
        arguments = [*arguments, "--dataset=good.npz"]
    before = tree(world)
    assert run(program, arguments, monkeypatch) == 2
    out, err = capfd.readouterr()
    (line,) = err.splitlines()
    assert line.startswith("error: ")
    assert "expected" in line
    assert "received" in line
    assert re.search(text, line), line
    assert out == ""
    assert tree(world) == before


def test_the_line_is_all_that_stderr_holds_in_a_process_of_its_own(world):
    done = subprocess.run(
        [sys.executable, ROOT / "evaluate.py", "--models=other"],
        cwd=world,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1, done.stderr
