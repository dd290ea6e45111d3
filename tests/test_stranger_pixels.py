"""Models that take other pixels than those in [0, 1]."""

import keras
import numpy as np
import pytest
from stranger_network import (
    EXAMPLES,
    GENERATOR,
    IMAGES,
    LABELS,
    LOGITS,
    assert_same_model,
    dense,
    network,
)

from robust_keras import reporting, serving
from robust_keras.data import ImageDataset, ImageSplit
from robust_keras.errors import InputError
from robust_keras.reporting.html import render
from robust_keras.runs import compiling, evaluation, training_data
from robust_keras.serving import pixel_choice
from robust_keras.settings.config import EvaluateConfig, TrainConfig
from robust_keras.training.denoising import load_behind_denoiser

PIXELS = {
    "0..255": keras.layers.Rescaling(1 / 255.0),
    "-1..1": keras.layers.Rescaling(0.5, 0.5),
}


@pytest.mark.parametrize("pixels", PIXELS)
@pytest.mark.parametrize("form", ["keras", "saved_model"])
def test_other_pixels_are_found_and_said(pixels, form, tmp_path):
    model = network(before=PIXELS[pixels])
    if form == "keras":
        classifier = serving.from_keras(model, examples=EXAMPLES)
    else:
        model.export(tmp_path, verbose=False)
        classifier = serving.load(tmp_path, examples=EXAMPLES)
    assert classifier.pixels == pixels
    assert f"It takes pixels in {pixels}: 100.0% of 120 clean images right" in classifier.notes[0]
    assert_same_model(classifier)


def test_pixels_of_caffe_are_blue_first_and_without_means():
    means = np.float32([103.939, 116.779, 123.68])
    images = GENERATOR.uniform(size=(100, 4, 4, 3)).astype("float32")
    weights = GENERATOR.normal(size=(48, 3)).astype("float32")
    own = (images[..., ::-1] * 255 - means).reshape(-1, 48)
    labels = (own @ weights).argmax(axis=1)
    inputs = keras.Input((4, 4, 3))
    model = keras.Model(inputs, dense(inputs, weights, np.zeros(3, "float32")))
    classifier = serving.from_keras(model, examples=serving.Examples(images, labels, 3))
    assert classifier.pixels == "caffe"
    np.testing.assert_allclose(classifier.logits(images), own @ weights, rtol=1e-3, atol=1e-2)


NAMELESS = {  # what makes the pixels that a model takes into those in 0..1
    "mean 0 and variance 1": keras.layers.Rescaling(float(IMAGES.std()), float(IMAGES.mean())),
    "-0.5..0.5": keras.layers.Rescaling(1.0, 0.5),
    "0..255 with their mean off": keras.layers.Rescaling(1 / 255.0, float(IMAGES.mean())),
}


@pytest.mark.parametrize("pixels", NAMELESS)
def test_pixels_without_a_name_are_not_taken_for_others(pixels):
    classifier = serving.from_keras(network(before=NAMELESS[pixels]), examples=EXAMPLES)
    assert classifier.pixels == "0..1"
    (note,) = classifier.notes
    assert f"100.0% right with pixels {'of' if 'variance' in pixels else 'in'} {pixels}" in note
    assert "say --model_pixels=" in note and "Normalization" in note


def test_what_is_said_is_not_tried():
    told = serving.from_keras(network(before=PIXELS["0..255"]), examples=EXAMPLES, pixels="0..1")
    assert (told.pixels, told.notes) == ("0..1", ())
    plain = serving.from_keras(network(), examples=EXAMPLES, pixels="-1..1")
    np.testing.assert_allclose(plain.logits((IMAGES + 1) / 2), LOGITS, atol=1e-4)
    with pytest.raises(InputError, match=r"--model_pixels=caffe: expected auto or 0\.\.1 .*1 chan"):
        serving.from_keras(network(), examples=EXAMPLES, pixels="caffe")


def test_an_export_of_ours_takes_pixels_in_0_to_1_whatever_would_look_better(tmp_path):
    serving.export(network(before=PIXELS["0..255"]), tmp_path)
    assert serving.load(tmp_path, examples=EXAMPLES).pixels == "0..1"
    (tmp_path / "config.json").write_text('{"activation": "relu", "dataset": "x", "model": "fc5"}')
    network(before=PIXELS["0..255"]).save(tmp_path / "model.keras")
    assert serving.load(tmp_path / "model.keras", examples=EXAMPLES).pixels == "0..1"


@pytest.mark.parametrize("pixels", PIXELS)
def test_models_that_training_reads_are_tried_too_and_it_is_said(pixels, tmp_path, capsys):
    path, student = str(tmp_path / "stranger.keras"), network()
    network(before=PIXELS[pixels]).save(path)
    split, classes = ImageSplit(IMAGES, LABELS), LOGITS.shape[1]
    distilled = TrainConfig(output_dir="run", distillation_teacher=path)
    learnt = training_data.training_set(split, distilled, classes).labels
    np.testing.assert_allclose(learnt, keras.ops.softmax(LOGITS), atol=1e-4)
    settings = {"adversarial": "ensemble", "train_epsilon": 0.1, "source_models": (path,)}
    trained = compiling.adversarial_training(
        student, TrainConfig(output_dir="run", **settings), split
    )
    (source,) = trained._sources
    np.testing.assert_allclose(source(IMAGES), LOGITS, atol=1e-4)
    assert capsys.readouterr().err.count(f"{path}: It takes pixels in {pixels}: 100.0%") == 2
    dataset = ImageDataset("mine", split, split, tuple(map(str, range(classes))))
    with pytest.raises(InputError, match=f"channels last; received It takes pixels in {pixels}"):
        load_behind_denoiser(path, dataset)


CHOICES = {  # right answers of (0..1, another) on so many images -> whether the other is taken
    "no better": ((50, 50), False),
    "a little better, on few images": ((50, 58), False),
    "much better": ((50, 80), True),
    "better by luck": ((0, 5), False),
    "already good": ((97, 100), False),
}


@pytest.mark.parametrize("case", CHOICES)
def test_pixels_change_only_where_luck_is_out_of_the_question(case):
    (first, other), taken = CHOICES[case]
    total = 5 if case == "better by luck" else 100
    answers = {"0..1": np.arange(total) < first, "0..255": np.arange(total) < other}
    found = pixel_choice.choose_pixels(("0..1", "0..255"), answers.get)
    assert (found.pixels == "0..255") == taken
    assert bool(found.note) == (taken or case == "better by luck")


# The best name, right answers of 100 with it and with pixels without one -> whether it is taken.
WITNESSES = {
    "as good, of another size": ("0..255", 95, "small", 94, False),
    "falls behind": ("0..255", 95, "small", 60, True),
    "one image more": ("-1..1", 95, "small", 96, False),
    "as many": ("-1..1", 95, "small", 95, True),
    "one of bytes more": ("0..255", 95, "pixels in 0..255 with their mean off", 96, True),
    "many of bytes more": ("0..255", 70, "pixels in 0..255 with their mean off", 96, False),
}


@pytest.mark.parametrize("case", WITNESSES)
def test_a_better_reading_without_a_name_is_a_reason_to_change_nothing(case):
    best, right, nameless, others, taken = WITNESSES[case]
    shares = {"0..1": 20, best: right, nameless: others}
    answers = {name: np.arange(100) < share for name, share in shares.items()}
    found = pixel_choice.choose_pixels(("0..1", best), answers.get, (nameless,))
    assert (found.pixels == best) == taken


def test_small_pixels_win_where_large_ones_are_no_better():
    answers = {"0..1": 20, "0..255": 96, "-1..1": 95}
    answers = {name: np.arange(100) < share for name, share in answers.items()}
    assert pixel_choice.choose_pixels(tuple(answers), answers.get).pixels == "-1..1"


def test_the_number_of_images_that_differ_decides_not_the_gain_alone():
    # 30 of 100 images only the one gets right, 42 only the other: a fair coin does that.
    first, other = np.arange(100) < 50, (np.arange(100) >= 30) & (np.arange(100) < 92)
    answers = {"0..1": first, "0..255": other}
    assert pixel_choice.choose_pixels(("0..1", "0..255"), answers.get).pixels == "0..1"


@pytest.fixture(scope="module")
def reports(tmp_path_factory):
    """A model of [0, 1] and the same one of 0..255, attacked together."""
    path = tmp_path_factory.mktemp("readings")
    arrays = {"x_train": IMAGES, "y_train": LABELS, "x_test": IMAGES, "y_test": LABELS}
    np.savez(path / "data.npz", **arrays)
    network().save(path / "plain.keras")
    network(before=PIXELS["0..255"]).export(path / "bytes", verbose=False)
    config = EvaluateConfig(
        models=(str(path / "plain.keras"), str(path / "bytes")),
        dataset=str(path / "data.npz"),
        examples=40,
        attacks=("fgsm",),
        epsilons=(0.02,),
        transfer=True,
        transfer_attack="fgsm",
    )
    return evaluation.evaluate(config)[0]


def test_other_pixels_give_the_same_report(reports):
    plain, other = reports.models
    assert (plain.pixels, other.pixels) == ("0..1", "0..255")
    assert plain.notes == () and "It takes pixels in 0..255" in other.notes[0]
    assert plain.clean_accuracy == other.clean_accuracy == 1.0
    assert 0.0 < plain.worst_case.accuracy[0] < 1.0
    np.testing.assert_allclose(plain.worst_case.accuracy, other.worst_case.accuracy, atol=0.026)
    for source in reports.transfer.sources:
        for target in source.targets:
            np.testing.assert_allclose(target.accuracy, plain.worst_case.accuracy, atol=0.1)


def test_what_was_read_how_is_on_the_terminal_and_in_the_page(reports):
    assert "bytes: It takes pixels in 0..255: 100.0%" in reporting.summary_table(reports)
    assert "It takes pixels in 0..255" in render(reports)
    again = reporting.Report.from_json(reports.to_json())
    assert again.models[1].pixels == "0..255" and again.models[1].notes == reports.models[1].notes
