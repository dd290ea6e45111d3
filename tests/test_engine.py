"""The engine: what counts as fooled, what is attacked, what is counted."""

import dataclasses
import typing

import keras
import numpy as np
import pytest
import tensorflow as tf
from digits import digits

from robust_keras import engine, serving
from robust_keras.attacks import ATTACKS, BIM, FGSM, MIM, PGD, ThreatModel, UniformNoise
from robust_keras.attacks.attack import Attack
from robust_keras.engine.fitting_batch import bounded_batch, fitting_batch, halved
from robust_keras.engine.journal import Unrecorded
from robust_keras.errors import InputError

pytestmark = pytest.mark.usefixtures("graphs_as_written")

# Fewer steps where the default would take long.
CHEAP = {name: {"steps": 15} for name in ("apgd_ce", "apgd_dlr")}
CHEAP["apgd_targeted"] = {"steps": 15, "targets": 3}
CHEAP["jsma"] = {"share": 0.05}
CHEAP["fab_targeted"] = {"steps": 15, "targets": 3}
CHEAP["autoattack"] = {"steps": 10, "targets": 2, "queries": 50}
CHEAP["quick"] = {"steps": 10, "targets": 2, "queries": 50}
CHEAP["nearest_pgd"] = {"steps": 10, "targets": 2, "again": 2}
CHEAP["cw"] = {"steps": 30, "searches": 3}
CHEAP["square"] = {"queries": 100}
CHEAP["spsa"] = {"queries": 250, "samples": 40}
CHEAP["es_pgd"] = {"queries": 250, "samples": 40}
CHEAP["hopskipjump"] = {"queries": 150, "directions": 20}
EPSILONS = (0.0, 0.03, 0.1, 0.2)


@pytest.fixture(scope="module")
def classifier():
    keras.utils.set_random_seed(0)
    network = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            keras.layers.Flatten(),
            keras.layers.Dense(64, activation="relu"),
            keras.layers.Dense(10),
        ]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile("adam", loss)
    images, labels = digits()
    network.fit(images[:3000], labels[:3000], batch_size=100, epochs=5, verbose=0)
    return serving.from_keras(network)


@pytest.fixture(scope="module")
def sample():
    return digits()[0][3000:3060], digits()[1][3000:3060]


@pytest.fixture(scope="module")
def everything(classifier, sample):
    model = ThreatModel("linf", EPSILONS)
    usable = {name: attack for name, attack in ATTACKS.items() if model.norm in attack.norms}
    attacks = [attack(**CHEAP.get(name, {})) for name, attack in usable.items()]
    return model, engine.evaluate(classifier, *sample, attacks, model, batch_size=32, seed=0)


def accuracies(result):
    return result.robust.mean(axis=1)


def test_accuracy_never_rises_with_epsilon_and_is_clean_at_zero(everything):
    model, found = everything
    for result in found.attacks:
        assert result.robust.shape == (len(model.epsilons), 60)
        np.testing.assert_array_equal(result.robust[0], found.clean_correct)
        assert not np.any(result.robust[1:] & ~result.robust[:-1])
        assert result.skipped is None and result.seconds > 0


def test_worst_case_is_per_image_over_all_attacks(everything):
    _, found = everything
    expected = np.logical_and.reduce([result.robust for result in found.attacks])
    np.testing.assert_array_equal(found.worst_case, expected)


def test_stronger_attacks_leave_less_of_an_undefended_model(everything):
    _, found = everything
    by_name = {result.name: accuracies(result) for result in found.attacks}
    assert found.clean_correct.mean() > 0.85
    assert np.all(by_name["pgd"] <= by_name["fgsm"] + 1e-9)
    assert np.all(by_name["fgsm"][1:] < by_name["uniform_noise"][1:])
    assert by_name["pgd"][-1] < 0.05 and by_name["uniform_noise"][1] > 0.8


def test_examples_are_real_and_spread_over_the_classes(everything, classifier, sample):
    model, found = everything
    images, labels = sample
    assert len(found.examples) == 10
    assert len({example.label for example in found.examples}) >= 8
    for example in found.examples:
        np.testing.assert_array_equal(example.image, images[example.index])
        assert example.label == labels[example.index] == example.clean_class
        assert example.adversarial.dtype == np.float32
        assert example.adversarial.min() >= 0 and example.adversarial.max() <= 1
        distance = model.distances(example.image[None], example.adversarial[None])[0]
        assert 0 < distance <= example.epsilon
        logits = np.asarray(classifier.logits(example.adversarial[None]))[0]
        assert np.argmax(logits) == example.adversarial_class != example.label
        softmax = np.exp(logits - logits.max()) / np.exp(logits - logits.max()).sum()
        assert example.adversarial_confidence == pytest.approx(softmax.max(), abs=1e-3)
        # The smallest epsilon at which any attack found something, and one that this attack found.
        row = model.epsilons.index(example.epsilon)
        assert found.worst_case[row - 1, example.index]
        named = next(result for result in found.attacks if result.name == example.attack)
        assert not named.robust[row, example.index]


class Hungry(PGD):
    """PGD on a device that has memory for seven images."""

    sizes: typing.ClassVar[list] = []

    def propose(self, classifier, images, labels, **settings):
        self.sizes.append(len(images))
        if len(images) > 7:
            raise tf.errors.ResourceExhaustedError(None, None, "OOM when allocating a tensor")
        return super().propose(classifier, images, labels, **settings)


def test_a_batch_that_does_not_fit_is_halved_and_changes_nothing(classifier, sample):
    model = ThreatModel("linf", (0.05,))
    plain, in_halves = (
        engine.evaluate(classifier, *sample, [attack(steps=3)], model, batch_size=60, seed=3)
        for attack in (PGD, Hungry)
    )
    refused = [size for size in Hungry.sizes if size > 7]
    assert len(refused) == 4 and Hungry.sizes[:4] == refused and Hungry.sizes[4] == 4
    np.testing.assert_array_equal(plain.worst_case, in_halves.worst_case)
    np.testing.assert_array_equal(plain.examples[0].adversarial, in_halves.examples[0].adversarial)


def test_the_fastest_batch_that_fits_is_found(classifier, sample):
    tried = []

    class Narrow:
        gradient_error = "none are needed here"

        def logits(self, images):
            tried.append(len(images))
            if len(images) > 64:
                raise tf.errors.ResourceExhaustedError(None, None, "OOM when allocating a tensor")
            return classifier.logits(images)

    # Passes of 16, 32 and 64 images; by an image, those of 32 are the fastest.
    clock = iter(np.cumsum([0.0, 16.0, 0.0, 16.0, 0.0, 34.0]))
    images = np.resize(sample[0], (200, *sample[0].shape[1:]))
    found = fitting_batch([Narrow()], images, Unrecorded(), clock.__next__)
    assert found == 32
    assert tried == [16, 16, 32, 32, 64, 64, 128]


def test_a_batch_that_may_end_the_process_is_made_smaller(sample):
    class Heavy:
        gradient_error = "none are needed here"
        kept = []

        def logits(self, images):
            self.kept.append(np.ones((len(images), 2**17)))  # 1 MiB an image
            return tf.zeros((len(images), 10))

    def size(free, images=300):
        images = np.resize(sample[0], (images, *sample[0].shape[1:]))
        model = Heavy()
        return bounded_batch([model], images, 1000, Unrecorded(), lambda: free * 2.0**20)

    assert size(free=1_400) == 500
    assert size(free=1) == 250
    assert size(free=100_000) == 1000
    tried = len(Heavy.kept)
    assert size(free=1, images=200) == 1000 and len(Heavy.kept) == tried


def test_not_even_one_image_fits():
    def run(size):
        raise tf.errors.ResourceExhaustedError(None, None, f"OOM of {size}")

    with pytest.raises(InputError, match="memory: expected enough for a pass of one image.*OOM of"):
        halved(run, 64)


def test_same_seed_same_result_whatever_the_batch_size(classifier, sample):
    model = ThreatModel("linf", (0.05, 0.1))
    attacks = [PGD(steps=5), UniformNoise(repeats=3)]

    def run(batch_size, seed):
        settings = {"batch_size": batch_size, "seed": seed}
        return engine.evaluate(classifier, *sample, attacks, model, **settings)

    first, again, other, third = run(25, 3), run(25, 3), run(60, 3), run(25, 4)
    np.testing.assert_array_equal(first.worst_case, again.worst_case)
    for one, two in zip(first.examples, again.examples, strict=True):
        np.testing.assert_array_equal(one.adversarial, two.adversarial)
    np.testing.assert_array_equal(first.worst_case, other.worst_case)
    same = [
        one.index == two.index for one, two in zip(first.examples, third.examples, strict=False)
    ]
    assert not all(same) or np.any(first.examples[0].adversarial != third.examples[0].adversarial)


def test_nothing_outside_the_chosen_images_changes_a_result(classifier, sample):
    # The random numbers of an image depend on its place and the seed alone.
    one, two = (engine.generators(0, "pgd", 0.1, 0, indices) for indices in ([5, 7], [7]))
    assert one[1].random() == two[0].random()
    kinds = [(0, "pgd", 0.1, 0), (1, "pgd", 0.1, 0), (0, "bim", 0.1, 0), (0, "pgd", 0.2, 0)]
    kinds.append((0, "pgd", 0.1, 1))
    assert len({engine.generators(*kind, [7])[0].random() for kind in kinds}) == len(kinds)


class Counting:
    """Brightness decides: class 1 above a threshold; counts the images it has seen."""

    image_shape, num_classes, gradient_error = (2, 2, 1), 2, None

    def __init__(self, threshold=0.5):
        self.seen = tf.Variable(0, dtype=tf.int64)

        def logits(images):
            self.seen.assign_add(tf.shape(images, tf.int64)[0])
            brightness = tf.reduce_mean(images, [1, 2, 3]) - threshold
            return 10.0 * tf.stack([-brightness, brightness], axis=1)

        self.logits = tf.function(logits)


GREYS = np.array([0.05, 0.3, 0.45, 0.55, 0.7, 0.95], "float32")
GREY_IMAGES = np.tile(GREYS[:, None, None, None], (1, 2, 2, 1))
GREY_LABELS = (GREYS > 0.5).astype(int)


@pytest.mark.parametrize("attack", [FGSM(), BIM(steps=4, step=0.5), PGD(steps=7, step=0.5), MIM()])
def test_every_pass_is_counted_and_only_survivors_are_attacked(attack):
    classifier = Counting()
    model = ThreatModel("linf", (0.1, 0.25, 0.6))
    settings = {"batch_size": 1, "seed": 0}
    found = engine.evaluate(classifier, GREY_IMAGES, GREY_LABELS, [attack], model, **settings)
    (result,) = found.attacks
    np.testing.assert_array_equal(result.robust.sum(axis=1), [4, 2, 0])
    attacked = 6 + 4 + 2
    assert result.forward_evaluations == attacked
    most = attacked * attack.gradient_evaluations
    # What falls on the way is spared the rest.
    early = attack.any_batch
    assert result.gradient_evaluations < most if early else result.gradient_evaluations == most
    passes = result.forward_evaluations + result.gradient_evaluations
    assert classifier.seen.numpy() == passes + 6, "and the clean pass"


def test_only_what_other_attacks_left_is_attacked_if_so_asked():
    classifier = Counting()
    model = ThreatModel("linf", (0.1, 0.6))
    left = np.array([[1, 1, 1, 1, 0, 0], [1, 0, 1, 1, 0, 1]], bool)
    settings = {"batch_size": 1, "seed": 0, "survivors": left}
    found = engine.evaluate(classifier, GREY_IMAGES, GREY_LABELS, [FGSM()], model, **settings)
    # 0.45 and 0.55 fall at once; of the other two in the first row one is in the second.
    np.testing.assert_array_equal(found.worst_case, [[1, 1, 0, 0, 0, 0], [0] * 6])
    assert found.attacks[0].gradient_evaluations == 4 + 1
    np.testing.assert_array_equal(found.attacks[0].robust, found.worst_case)


def test_noise_stops_at_the_first_draw_that_fools():
    classifier = Counting()
    model = ThreatModel("linf", (0.06,))
    noise = UniformNoise(repeats=50)
    found = engine.evaluate(
        classifier, GREY_IMAGES, GREY_LABELS, [noise], model, batch_size=1, seed=0
    )
    (result,) = found.attacks
    assert result.gradient_evaluations == 0
    assert result.forward_evaluations == classifier.seen.numpy() - 6
    survivors = int(result.robust.sum())
    assert 4 <= survivors and 50 * survivors <= result.forward_evaluations <= 50 * 6


def test_misclassified_images_are_errors_and_are_not_attacked():
    classifier = Counting()
    labels = GREY_LABELS.copy()
    labels[0] = 1
    model = ThreatModel("linf", (0.6,))
    found = engine.evaluate(classifier, GREY_IMAGES, labels, [FGSM()], model, batch_size=1, seed=0)
    assert not found.clean_correct[0] and not found.attacks[0].robust[:, 0].any()
    assert found.attacks[0].gradient_evaluations == 5
    assert all(example.index != 0 for example in found.examples)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Liar(Attack):
    """Returns whatever it was told to."""

    name: typing.ClassVar[str] = "liar"
    kind: typing.ClassVar[str] = "noise"
    value: float = 1.0

    def propose(self, classifier, images, labels, **_):
        return self.priced(np.full_like(images, self.value))


@pytest.mark.parametrize("value", [5.0, -7.0, 1e30])
def test_proposals_outside_the_ball_are_pulled_back(value):
    model = ThreatModel("linf", (0.1,))
    found = engine.evaluate(
        Counting(), GREY_IMAGES, GREY_LABELS, [Liar(value=value)], model, batch_size=4, seed=0
    )
    # Only the image within 0.1 of the threshold on the right side can truly be fooled.
    expected = [True, True, value < 0, value > 0, True, True]
    np.testing.assert_array_equal(found.worst_case[0], expected)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_proposals_that_are_no_images_do_not_count(value):
    model = ThreatModel("linf", (0.6,))
    found = engine.evaluate(
        Counting(), GREY_IMAGES, GREY_LABELS, [Liar(value=value)], model, batch_size=4, seed=0
    )
    assert found.worst_case.all() and not found.examples


def test_logits_that_are_not_finite_are_errors():
    classifier = Counting()
    inner = classifier.logits
    classifier.logits = tf.function(
        lambda images: tf.where(
            tf.reduce_max(images, [1, 2, 3])[:, None] > 0.9, np.nan, inner(images)
        )
    )
    model = ThreatModel("linf", (0.0, 0.3))
    found = engine.evaluate(
        classifier, GREY_IMAGES, GREY_LABELS, [Liar()], model, batch_size=4, seed=0
    )
    np.testing.assert_array_equal(found.clean_correct, [1, 1, 1, 1, 1, 0])
    # 0.7 + 0.3 is answered with NaN; 0.3 and 0.45 become bright enough for the other class.
    np.testing.assert_array_equal(found.worst_case[1], [1, 0, 0, 1, 0, 0])
    assert all(np.isfinite(example.adversarial_confidence) for example in found.examples)


def test_gradient_attacks_are_skipped_with_the_reason_where_there_is_no_gradient():
    classifier = Counting()
    classifier.gradient_error = "No gradient here."
    model = ThreatModel("linf", (0.6,))
    attacks = [FGSM(), PGD(), UniformNoise(repeats=40)]
    found = engine.evaluate(
        classifier, GREY_IMAGES, GREY_LABELS, attacks, model, batch_size=6, seed=0
    )
    skipped = {result.name: result.skipped for result in found.attacks}
    reason = "No gradient here."
    assert skipped == {"fgsm": reason, "pgd": reason, "uniform_noise": None}
    assert found.attacks[1].robust.all() and found.attacks[1].gradient_evaluations == 0
    assert not found.worst_case.all()


def test_progress_reaches_the_total_and_tells_the_running_accuracy():
    calls = []
    model = ThreatModel("linf", (0.1, 0.6))
    attacks = [FGSM(), UniformNoise(repeats=3)]
    settings = {"batch_size": 2, "seed": 0, "progress": lambda *call: calls.append(call)}
    found = engine.evaluate(Counting(), GREY_IMAGES, GREY_LABELS, attacks, model, **settings)
    for result in found.attacks:
        for row, epsilon in enumerate(model.epsilons):
            mine = [call for call in calls if call[:2] == (result.name, epsilon)]
            done, totals = [call[2] for call in mine], {call[3] for call in mine}
            assert done == sorted(done) and totals == {done[-1]}
            assert mine[-1][4] == result.robust[row].mean()


def test_more_restarts_and_steps_never_help_the_defender(classifier, sample):
    model = ThreatModel("linf", (0.05,))
    attacks = [PGD(steps=3, restarts=1), PGD(steps=3, restarts=4), PGD(steps=30, restarts=4)]
    found = engine.evaluate(classifier, *sample, attacks, model, batch_size=60, seed=0)
    one, four, long = (result.robust[0] for result in found.attacks)
    assert not np.any(four & ~one), "the first start is the same"
    assert long.sum() <= four.sum()


def test_the_whole_range_leaves_nothing_of_an_honest_model(classifier, sample):
    found = engine.evaluate(
        classifier, *sample, [PGD()], ThreatModel("linf", (1.0,)), batch_size=60, seed=0
    )
    assert not found.worst_case.any()


BAD = {
    "NaN": ({"images": GREY_IMAGES * np.nan}, "not finite"),
    "0 to 255": ({"images": GREY_IMAGES * 255}, "pixels in [12.75, 242.25]"),
    "uint8": ({"images": (GREY_IMAGES * 255).astype("uint8")}, "uint8"),
    "another shape": ({"images": np.zeros((6, 3, 3, 1))}, "shape (3, 3, 1)"),
    "one image": ({"images": GREY_IMAGES[0]}, "(2, 2, 1)"),
    "no image": ({"images": GREY_IMAGES[:0], "labels": GREY_LABELS[:0]}, "at least one image"),
    "too few labels": ({"labels": GREY_LABELS[:3]}, "6 whole numbers"),
    "one-hot labels": ({"labels": np.eye(2)[GREY_LABELS]}, "one an image"),
    "label 2": ({"labels": GREY_LABELS + 1}, "classes from 0 to 1; received 1 to 2"),
    "label -1": ({"labels": GREY_LABELS - 1}, "received -1 to 0"),
    "survivors": ({"survivors": np.ones((2, 6), bool)}, "survivors: expected bool (1, 6)"),
    "survivors of no kind": ({"survivors": np.ones((1, 6))}, "received float64 (1, 6)"),
    "batch size": ({"batch_size": 0}, "`batch_size`"),
    "seed": ({"seed": -1}, "`seed`"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_refused(case):
    settings, text = BAD[case]
    arguments = {
        "images": GREY_IMAGES,
        "labels": GREY_LABELS,
        "batch_size": 4,
        "seed": 0,
        **settings,
    }
    images, labels = arguments.pop("images"), arguments.pop("labels")
    with pytest.raises(ValueError) as caught:
        engine.evaluate(
            Counting(), images, labels, [FGSM()], ThreatModel("linf", (0.1,)), **arguments
        )
    assert text in str(caught.value)
    assert isinstance(caught.value, InputError) or case in ("batch size", "seed")


def test_float64_images_are_welcome():
    found = engine.evaluate(
        Counting(),
        GREY_IMAGES.astype("float64"),
        list(GREY_LABELS),
        [FGSM()],
        ThreatModel("linf", (0.6,)),
        batch_size=6,
        seed=0,
    )
    assert not found.worst_case.any()
