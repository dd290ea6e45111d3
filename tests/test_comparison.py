"""A comparison concludes: tests and intervals of pairs, the sentence, and what it leaves out."""

import dataclasses
import json
import re

import numpy as np
import pytest
import report_samples as samples
import scipy.stats

from robust_keras import proportions, reporting
from robust_keras.findings import comparison
from robust_keras.reporting import html, plain_words
from robust_keras.reporting.conclusion import conclusion
from robust_keras.runs.training_settings import settings_note, training_settings
from robust_keras.serving import export_notes
from robust_keras.settings.config import TrainConfig


@pytest.mark.parametrize("counts", [(0, 0), (1, 9), (5, 5), (0, 40), (300, 380)])
def test_the_test_of_pairs_is_the_exact_binomial_one(counts):
    expected = scipy.stats.binomtest(counts[0], max(sum(counts), 1)).pvalue if sum(counts) else 1.0
    assert proportions.sign_test(*counts) == pytest.approx(expected, abs=1e-9)
    assert proportions.sign_test(*counts) == proportions.sign_test(*counts[::-1])


def test_the_interval_covers_the_true_difference_as_often_as_it_says():
    random = np.random.default_rng(0)
    # Images that fool the first tend to fool the second: shares of both, one, the other, none.
    shares, covered = (0.5, 0.2, 0.08, 0.22), 0
    for counts in random.multinomial(100, shares, size=2000).tolist():
        low, high = proportions.paired_difference(*counts)
        assert -1.0 <= low <= (counts[1] - counts[2]) / 100 <= high <= 1.0
        covered += low <= 0.12 <= high
    assert 0.93 <= covered / 2000 <= 0.97
    swapped = proportions.paired_difference(50, 8, 20, 22)
    assert swapped == pytest.approx(
        [-v for v in proportions.paired_difference(50, 20, 8, 22)][::-1]
    )


def report(*accuracies, **changes):
    """Models at one epsilon each with so many of 1,000 images left, not the same ones."""
    models = []
    for number, accuracy in enumerate(accuracies):
        worst = samples.worst_case((0.9, 0.8, 0.7, accuracy))
        attacks = tuple(
            dataclasses.replace(attack, accuracy=worst.accuracy)
            for attack in samples.quotable_model().attacks[-1:]
        )
        values = {"path": f"runs/m{number}", "attacks": attacks, "worst_case": worst} | changes
        models.append(samples.with_outcomes(samples.quotable_model(**values), seed=number))
    return samples.report(*models)


def test_one_sentence_says_which_is_better_by_how_much_and_how_sure():
    said = conclusion(report(0.3, 0.5)).text.replace("\xa0", " ")
    assert said.startswith(
        "m1 is more robust than m0 at epsilon 0.3: m1 keeps 50.0 % of the images, m0 30.0 %, "
    )
    assert "a lead of 20.0 points (95 % interval 1" in said and said.endswith(
        "suffice to say so for these attacks (p below 0.001)."
    )
    assert said in reporting.summary_table(report(0.3, 0.5))


def test_of_many_the_best_must_be_ahead_of_each_and_every_call_is_paid_for():
    clear, close = (
        conclusion(report(*values)).text for values in ((0.3, 0.5, 0.1), (0.3, 0.5, 0.49, 0.1))
    )
    assert clear.startswith(
        "m1 is the most robust of 3 models, ahead of m0, at epsilon 0.3: m1 keeps 50.0"
    )
    equal = conclusion(report(0.1, 0.5, 0.1, 0.1)).text
    assert "ahead of m0 and 2 more, at epsilon 0.3: m1 keeps 50.0" in equal
    assert re.search(r", m0 and 2 more 10\.0.%, a lead of 40\.0 points", equal)
    assert "do not suffice to say whether m1 or m2 is more robust at epsilon 0.3" in close
    assert re.search(r"a difference of 1\.0 points \(95.% interval .*\), p = \d", close)
    two, three = (report(0.5, 0.45), report(0.5, 0.45, 0.1))
    pairs = [r.comparison.pair("runs/m0", "runs/m1", 0.3) for r in (two, three)]
    assert pairs[0].p_value == pairs[1].p_value == pairs[0].corrected_p_value
    assert pairs[1].corrected_p_value == pytest.approx(3 * pairs[1].p_value)
    widths = [high - low for low, high in (pair.interval for pair in pairs)]
    assert widths[1] > widths[0] * 1.1


def test_nothing_is_ranked_that_is_not_to_be_believed():
    doubtful = samples.with_outcomes(samples.doubtful_model())
    three = samples.report(*report(0.3, 0.5).models, doubtful)
    said = conclusion(three).text
    assert said.startswith("m1 is more robust than m0")
    why = "temperature_50 is not ranked: its number is not to be believed. Finite gradients: 97.2 %"
    assert why in said and "attacks had no direction. (1 more reason)" in said
    assert three.comparison.left_out == (doubtful.path,)
    two = samples.report(report(0.3).models[0], doubtful)
    assert conclusion(two).sentence.startswith("No model can be called better: only")
    preliminary = samples.with_outcomes(samples.sound_model())
    weak = samples.report(*report(0.3).models, preliminary)
    said = conclusion(weak).text
    assert "may lower the number that is preliminary (quickstart: grad" in said
    assert said.endswith("and so widen the lead of m0.")
    near = conclusion(samples.report(*report(0.004).models, preliminary)).text
    assert "may change this: some numbers are preliminary (quickstart: grad" in near


def test_where_nothing_holds_out_a_smaller_epsilon_may_decide():
    shares = {"a": (0.5, 0.1, 0, 0), "b": (0.9, 0.6, 0, 0), "c": (0.9, 0.3, 0, 0)}
    models = [
        samples.with_outcomes(
            samples.quotable_model(
                path=path,
                attacks=(dataclasses.replace(samples.attack("pgd", worst), strength="strong"),),
                worst_case=samples.worst_case(worst),
            ),
            seed=seed,
        )
        for seed, (path, worst) in enumerate(shares.items())
    ]
    said = conclusion(samples.report(*models)).sentence
    assert said.startswith("No model is more robust at epsilon 0.3: not one image holds out")
    assert "At epsilon 0.1 b is ahead of c by 30.0 points" in said, "not of the first in the row"


def test_the_comparison_is_in_the_data_and_comes_out_again():
    text = report(0.3, 0.5).to_json()
    found = json.loads(text)["comparison"]
    assert found["ranked"] == ["runs/m1", "runs/m0"] and len(found["pairs"]) == 4
    last = found["pairs"][-1]
    assert last["epsilon"] == 0.3 and last["decided"] and last["difference"] == pytest.approx(0.2)
    assert reporting.Report.from_json(text).comparison == report(0.3, 0.5).comparison
    damaged = json.loads(text)
    damaged["models"][0]["outcomes"] = damaged["models"][1]["outcomes"]
    with pytest.raises(ValueError, match="`outcomes` must be those of the worst case"):
        reporting.Report.from_json(json.dumps(damaged))


def test_an_old_report_says_that_it_cannot_tell():
    old = samples.report(samples.quotable_model(), samples.sound_model())
    assert old.comparison is None
    assert "does not hold what happened to each image" in conclusion(old).sentence


def test_pairs_that_differ_nowhere_are_undecided():
    robust = np.ones((1, 50), bool)
    found = comparison.compare({"a": robust, "b": robust}, (), (0.1,)).pairs[0]
    assert found.p_value == 1.0 and not found.decided and found.interval[0] <= 0.0


def test_how_a_model_was_trained_is_read_beside_it_and_nowhere_else(tmp_path):
    export = tmp_path / "run" / "serving" / "1"
    export.mkdir(parents=True)
    assert training_settings(export) is None and training_settings("in memory") is None
    config = dataclasses.asdict(TrainConfig(adversarial="fast", train_epsilon=0.2, epochs=8))
    file = tmp_path / "run" / "config.json"
    file.write_text(json.dumps(config | {"robust_keras": {"program": "train"}}))
    found = training_settings(export)
    assert found["adversarial"] == "fast" and found["train_epsilon"] == 0.2
    assert found["activation"] == "relu" and "pruning" not in found
    model = dataclasses.replace(samples.sound_model(), training=found)
    assert "adversarial fast" in html.render(samples.report(model, samples.doubtful_model()))
    file.write_text(json.dumps(config | {"robust_keras": {"program": "evaluate"}}))
    assert training_settings(export) is None
    # Elsewhere the export tells it itself, but no path.
    kaf = TrainConfig(dataset="/mine/x.npz", activation="kaf_elu", kaf_boundary=3.0, plugins=("p",))
    note = settings_note(kaf)
    export_notes.write(export, note)
    found = training_settings(export)
    assert (found["kaf_boundary"], found["dataset"]) == (3.0, "x.npz") and "plugins" not in found
    for broken in ({"kaf_boundary": -1.0}, {"kaf_boundary": "x"}, {"nobody": 1}, {"dataset": []}):
        export_notes.write(export, {"training.json": note["training.json"] | broken})
        assert training_settings(export) is None


def test_who_knows_none_of_the_words_is_told_as_well():
    models = [samples.quotable_model(), samples.doubtful_model()]
    text = plain_words.of_models(samples.report(*models), ["a", "b"])
    assert (
        "Recognised unaltered, and then altered, at most: a 972 and 2. " in text
        and "counted for b is worth not" in text
    )
    assert "least" not in text
    corrected = samples.report(models[0], samples.corrected_model())
    assert " Trust what was counted for b least:" in plain_words.of_models(corrected, ["a", "b"])
    told = samples.report(*models)
    for model, end in zip(models, ("at most 2.", "would find more."), strict=True):
        said = plain_words.of_model(told, model)
        assert said.startswith("Shown 1,000 images, the model recognises 9") and said.endswith(end)
        terms = ("epsilon", "accuracy", "attack", "adversarial", "robust", "gradient", "class")
        assert not [term for term in terms if term in (said + text).lower()]
    clear, close = (
        plain_words.of_models(report(*values), ["x", "y", "z"][: len(values)])
        for values in ((0.3, 0.5, 0.1), (0.3, 0.5, 0.49))
    )
    assert clear.endswith(" y does best, and other images would hardly change that.")
    assert " Which of y and z does best these images are too few to tell" in close
    half = [plain_words.half_falls(told, model) for model in models]
    assert half == [
        "Half of the images fall within epsilon 0.2, not yet at 0.1.",
        "Fewer than half of the images fell, up to epsilon 0.3.",
    ]
