"""--inside: what goes on in a network, each number against one that was found another way."""

import dataclasses
import io
import json
import types

import keras
import numpy as np
import pytest
import tensorflow as tf
from small_classifier import digits, network

import robust_keras
from robust_keras import layers, serving
from robust_keras.engine.journal import Journal
from robust_keras.errors import InputError
from robust_keras.inside import activations, lipschitz, pictures, weights
from robust_keras.inside import calibration as calibrations
from robust_keras.inside.convolution import Convolution
from robust_keras.inside.lipschitz_bound import lipschitz_bound
from robust_keras.inside.steepest import FUNCTIONS, steepest
from robust_keras.inside.subject import Subject
from robust_keras.progress import RunProgress
from robust_keras.reporting import html, output
from robust_keras.runs import inside_view
from robust_keras.settings.config import EvaluateConfig


def subject(model, /, **changed):
    images, labels = (values[::100] for values in digits())
    given = {
        "classifier": serving.from_keras(model),
        "model": model,
        "obstacle": None,
        "images": images,
        "labels": labels,
        "fooling": {3: 1.0 - images[3]},
        "batch_size": 25,
        "seed": 0,
    }
    return Subject(**(given | changed))


@pytest.fixture(scope="module")
def looked_into(tmp_path_factory):
    images, labels = (values[::250] for values in digits())
    found = robust_keras.evaluate(
        network(), images, labels, attacks="pgd", epsilons=(0.1,), inside=True, progress=False
    )
    directory = tmp_path_factory.mktemp("inside") / "report"
    found.save(directory)
    return found, directory


def test_the_report_holds_and_shows_all_of_it(looked_into):
    found, directory = looked_into
    report = json.loads((directory / "report.json").read_text())["models"][0]
    page = (directory / "report.html").read_text(encoding="utf-8")
    assert 0.0 < report["calibration"]["expected_calibration_error"] < 1.0
    assert report["calibration"]["attacked_error"] > 0.3
    assert "Is it as often right as it is sure?" in page
    assert list((directory / "figures").glob("*calibration.png"))
    assert "expected calibration error" in found.summary()
    assert 0.0 < report["lipschitz"]["empirical"] <= report["lipschitz"]["upper_bound"]
    assert list((directory / "figures").glob("*lipschitz.png"))
    assert all(layer["distance"] > 0.0 for layer in report["activations"])
    assert "What moves inside under attack?" in page
    assert "How much can a small change do?" in page and "(l2, proved)" in found.summary()
    # Named by how many there were before, in whichever test of the process made the network.
    weighted = {layer.name for layer in network().layers if layer.weights}
    assert {layer["name"] for layer in report["layers"]} >= weighted
    assert list((directory / "figures").glob("*spectra.png"))
    assert report["pictures"]["saliency"] and "What does it look like inside?" in page
    assert list((directory / "figures").glob("*surface.png"))
    read = robust_keras.reporting.Report.read(directory / "report.json").models[0]
    assert read.calibration == found.models[0].calibration
    assert read.pictures == found.models[0].pictures


def test_models_are_told_side_by_side(looked_into):
    (one,) = looked_into[0].models
    two = dataclasses.replace(one, path="other", name="other")
    report = dataclasses.replace(looked_into[0].report, models=(one, two))
    page = html.render(report)
    assert "What moves inside, model by model" in page
    for measure in ("Calibration error", "Lipschitz constant (l2)", "Mean rank (99 %)"):
        assert measure in page
    drawn = {
        f"{prefix}{end}": section.caption(report, model, name, end)
        for prefix, section, model, name in output.placed_sections(report)
        for end, _ in section.figures(report, model, name)
    }
    assert {"moved", "filters", "02-other-surface"} <= set(drawn)
    for name, caption in drawn.items():
        # Alone it says of which model on which images, but for what weights alone tell.
        about = "spectra" in name or "of in-memory" in caption
        assert about and caption.endswith(".") and "None" not in caption, (name, caption)
        assert "other" in caption or "other" not in name, (name, caption)


def test_ranks_and_norms_are_numpys_and_a_graph_tells_the_same(tmp_path):
    k = keras.layers
    first = k.Conv2D(3, 3, padding="same", strides=2, name="first")
    model = keras.Sequential(
        [keras.Input((6, 6, 2)), first, k.ReLU(name="bend"), k.Flatten(), k.Dense(4, name="last")]
    )
    draw = np.random.default_rng(0)
    low = draw.normal(size=(27, 2)) @ draw.normal(size=(2, 4))
    low[:, 0] = 0.0
    first.set_weights([draw.normal(size=(3, 3, 2, 3)), np.zeros(3)])
    model.get_layer("last").set_weights([low, np.zeros(4)])
    images = draw.random((8, 6, 6, 2), np.float32)
    given = {"images": images, "labels": np.zeros(8, int), "fooling": {}}
    found = {each.name: each for each in weights.layers(subject(model, **given))}
    kernel = np.asarray(first.kernel).reshape(-1, 3)
    assert found["first"].rank == np.linalg.matrix_rank(kernel) == 3
    assert found["first"].nuclear_norm == pytest.approx(np.linalg.norm(kernel, "nuc"), rel=1e-5)
    values = np.linalg.svd(kernel, compute_uv=False)
    np.testing.assert_allclose(found["first"].singular_values, values, rtol=1e-5)
    last = found["last"]
    assert (last.rank, last.energy_rank, last.full_rank, last.sparsity) == (2, 2, 4, 0.25)
    assert last.spectral_norm == pytest.approx(np.linalg.norm(low, 2), rel=1e-5)
    assert sum(last.histogram) == low.size and found["bend"].largest_slope == 1.0
    model.export(tmp_path / "stranger", verbose=False)
    classifier = serving.load(tmp_path / "stranger")
    graph = weights.layers(subject(model, model=None, classifier=classifier, **given))
    assert [layer.kind for layer in graph] == ["Conv2D", "MatMul"]
    for own, other in zip((found["first"], last), graph, strict=True):
        assert other.name.endswith(own.name) and other.rank == own.rank
        for name in ("spectral_norm", "nuclear_norm", "sparsity", "near_zero"):
            assert getattr(other, name) == pytest.approx(getattr(own, name), rel=1e-5)


def test_what_is_found_and_estimated_of_a_line_is_exact():
    draw = np.random.default_rng(0)
    weight = draw.normal(size=(16, 3))
    model = keras.Sequential(
        [keras.Input((4, 4, 1)), keras.layers.Flatten(), keras.layers.Dense(3)]
    )
    model.layers[1].set_weights([weight, 0.1 * np.ones(3)])
    images = draw.uniform(0.3, 0.7, (2, 4, 4, 1)).astype(np.float32)
    answers = np.argmax(model(images).numpy(), axis=1)
    asked = subject(model, images=images, labels=answers, fooling={0: images[1]})
    found = lipschitz.lipschitz(asked)
    assert found.upper_bound == pytest.approx(np.linalg.norm(weight, 2), rel=1e-5)
    assert 0.999 * found.upper_bound <= found.empirical <= found.upper_bound
    logits = np.sort(model(images[:1]).numpy()[0])
    order = np.argsort(model(images[:1]).numpy()[0])
    slope = np.linalg.norm(weight[:, order[-1]] - weight[:, order[-2]])
    one = lipschitz.lipschitz(subject(model, images=images[:1], labels=answers[:1], fooling={}))
    assert one.clever.median == pytest.approx((logits[-1] - logits[-2]) / slope, rel=1e-3)
    lead = (logits[-1] - logits[-2]) / np.sqrt(2) / found.upper_bound
    assert one.proved_radius == pytest.approx(lead, rel=1e-3) and one.clever.median > lead
    stranger = subject(model, model=None, obstacle="no model", images=images, labels=answers)
    unknown = lipschitz.lipschitz(dataclasses.replace(stranger, fooling={}))
    assert unknown.upper_bound is None and unknown.unknown == "no model" and unknown.empirical


def test_activations_of_layers_and_of_a_graph_are_the_same(tmp_path):
    k = keras.layers
    first = k.Conv2D(3, 3, activation="relu", name="first")
    model = keras.Sequential(
        [keras.Input((6, 6, 2)), first, k.Flatten(), k.Dense(4), k.Activation("tanh"), k.Dense(3)]
    )
    draw = np.random.default_rng(0)
    images = draw.random((8, 6, 6, 2), np.float32)
    moved = {number: 1.0 - images[number] for number in (1, 4, 6)}
    given = {"images": images, "labels": np.zeros(8, int), "fooling": moved}
    relu, tanh = activations.activations(subject(model, **given))
    fell = np.maximum(np.asarray(first(images[list(moved)])), 0.0).ravel()
    other = np.maximum(np.asarray(first(np.stack(list(moved.values())))), 0.0).ravel()
    assert (relu.kind, tanh.kind, relu.images) == ("relu", "tanh", 3)
    assert relu.clean.zeros == relu.clean.saturated == pytest.approx(np.mean(fell == 0.0))
    assert tanh.clean.zeros == 0.0 and sum(relu.clean.histogram) == fell.size
    places = np.sort(np.concatenate([fell, other]))
    shares = [np.searchsorted(np.sort(v), places, "right") / v.size for v in (fell, other)]
    assert relu.distance == pytest.approx(np.abs(shares[0] - shares[1]).max())
    model.export(tmp_path / "stranger", verbose=False)
    classifier = serving.load(tmp_path / "stranger")
    graph = activations.activations(subject(model, model=None, classifier=classifier, **given))
    for own, found in zip((relu, tanh), graph, strict=True):
        assert found.distance == pytest.approx(own.distance, abs=1e-6)
        assert found.clean.zeros == own.clean.zeros and found.clean.saturated is None
    alone = activations.activations(subject(model, **(given | {"fooling": {}, "foreign": images})))
    assert alone[0].nonsense == alone[0].clean and alone[0].nonsense_distance == 0.0
    assert alone[0].attacked is None and alone[0].distance is None and alone[0].images == 8


def test_what_is_done_is_read_again_from_the_journal(tmp_path, monkeypatch):
    model = serving.from_keras(network())
    images, labels = (values[::250] for values in digits())
    table = types.SimpleNamespace(adversarial={1: 1.0 - images[1]})
    given = model, images, labels, types.SimpleNamespace(per_image=table)
    config = EvaluateConfig(models=("a",), inside=True, epsilons=(0.1,))
    views = {name: inside_view.VIEWS[name] for name in ("layers", "activations", "calibration")}
    monkeypatch.setattr(inside_view, "VIEWS", views)
    journal = Journal(tmp_path / "journal", (tmp_path / "journal").mkdir)
    quiet = RunProgress(io.StringIO())
    quiet.time_left = None
    first = inside_view.inside_view(*given, config, journal, quiet)
    monkeypatch.setattr(inside_view, "VIEWS", dict.fromkeys(views, None))
    assert inside_view.inside_view(*given, config, journal, quiet) == first
    with pytest.raises(TypeError):
        table.adversarial = {}
        inside_view.inside_view(*given, config, journal, quiet)
    assert inside_view.inside_view(*given, dataclasses.replace(config, inside=False), 0, 0) == {}


def test_calibration_by_hand():
    # Two images of confidence 0.6 of which one is right, two of 0.9 that are both right.
    shares = np.array([[0.6, 0.4], [0.4, 0.6], [0.1, 0.9], [0.1, 0.9]])
    found = calibrations.reliability(shares.max(1), np.log(shares), np.array([0, 0, 1, 1]))
    held = [(b.images, b.accuracy, round(b.confidence, 3)) for b in found if b.images]
    assert held == [(2, 0.5, 0.6), (2, 1.0, 0.9)] and len(found) == calibrations.BINS
    assert calibrations.error(found) == pytest.approx((0.1 + 0.1) / 2)
    report = calibrations.calibration(subject(network()))
    own = next(row for row in report.temperatures if row.temperature == 1.0)
    assert own.clean == pytest.approx(report.expected_calibration_error, abs=1e-6)
    assert own.attacked != own.clean
    assert sum(b.images for b in report.bins) == sum(b.images for b in report.attacked_bins)


CASES = (
    {"size": (6, 6)},
    {"size": (7, 6), "strides": (2, 2), "padding": "SAME"},
    {"size": (9, 9), "dilations": (2, 2), "padding": "SAME"},
    {"size": (5, 5), "padding": ((2, 1), (0, 3))},
    {"size": (3, 3)},
)


@pytest.mark.parametrize("case", CASES)
def test_a_convolution_has_the_norm_of_its_dense_matrix(case):
    kernel = np.random.default_rng(0).normal(size=(3, 3, 2, 4))
    operator = Convolution(kernel, **case)
    rows = np.eye(2 * np.prod(case["size"])).reshape(-1, *case["size"], 2)
    matrix = operator(tf.constant(rows)).numpy().reshape(len(rows), -1)
    norm = np.linalg.norm(matrix, 2)
    assert operator.norm() == pytest.approx(norm, rel=1e-6)
    assert norm * (1 - 1e-9) <= operator.norm_bound() <= 1.3 * norm
    assert np.abs(matrix).sum(0).max() <= operator.largest_sum() + 1e-9
    if "padding" not in case or case["padding"] == "SAME":
        own = keras.layers.Conv2D(
            4,
            3,
            strides=case.get("strides", 1),
            padding=case.get("padding", "valid").lower(),
            dilation_rate=case.get("dilations", 1),
            use_bias=False,
        )
        own(rows.astype("float32"))
        own.set_weights([kernel])
        found = np.asarray(own(rows.astype("float32"))).reshape(len(rows), -1)
        np.testing.assert_allclose(found, matrix, atol=1e-4)


def test_no_activation_is_steeper_than_told():
    # What the tests before it drew is no part of it.
    keras.utils.set_random_seed(0)
    points = tf.constant(np.linspace(-12.0, 12.0, 4001))
    for name, slope in FUNCTIONS.items():
        if name != "softmax":
            with tf.GradientTape() as tape:
                tape.watch(points)
                values = keras.activations.get(name)(points)
            assert 0.98 * slope <= np.abs(tape.gradient(values, points)).max() <= slope + 1e-9
    inputs = np.linspace(-8.0, 8.0, 2001, dtype=np.float32)[:, None].repeat(2, 1)
    for settings in (
        {},
        {"trainable_dictionary": True},
        {"kernel": "relu"},
        {"kernel": "softplus"},
    ):
        layer = layers.KernelActivation(initializer="random_normal", **settings)
        values = np.asarray(layer(inputs), np.float64)
        measured = np.abs(np.diff(values, axis=0) / np.diff(inputs[:, :1].astype(float), axis=0))
        assert measured.max() * 0.99 <= steepest(layer) <= 1.02 * measured.max()
    layer = layers.KernelActivation(initializer="random_normal", paired=True)
    grid = np.stack(np.meshgrid(inputs[::40, 0], inputs[::40, 0]), -1).reshape(-1, 2)
    found = tf.constant(grid)
    with tf.GradientTape() as tape:
        tape.watch(found)
        values = layer(found)
    lengths = np.linalg.norm(tape.gradient(values, found), axis=1)
    assert lengths.max() <= steepest(layer) <= 2.0 * lengths.max()


def random_network(number):
    """A small network of some of all kinds of layers that are known, its weights at random."""
    draw = np.random.default_rng(number)
    k = keras.layers
    activations = (
        *(k.ReLU, k.ELU, k.PReLU, layers.KernelActivation, layers.SmoothReLU),
        *(layers.ParametricSoftplus, layers.SymmetricActivation, k.LeakyReLU),
        *(lambda n=name: k.Activation(n) for name in ("tanh", "silu", "gelu", "mish", "selu")),
    )
    pools = (
        *(k.MaxPooling2D, k.UpSampling2D, k.ZeroPadding2D, lambda: k.AveragePooling2D(2)),
        *(lambda: k.MaxPooling2D(3, 2, "same"), lambda: k.AveragePooling2D(3, 2, "same")),
    )
    kernels = (
        lambda: k.Conv2D(4, 3, strides=int(draw.integers(1, 3)), padding="same"),
        lambda: k.Conv2D(4, 3, dilation_rate=2, padding="same", activation="tanh"),
        lambda: k.Conv2D(4, 2, padding="same", groups=2),
        lambda: k.DepthwiseConv2D(3, padding="same", depth_multiplier=2),
        lambda: k.SeparableConv2D(4, 3, padding="same"),
        lambda: k.Conv2DTranspose(4, 3, strides=2, padding="same"),
    )
    image = keras.Input((9, 8, 2))
    x = k.Rescaling(2.0, -1.0)(image)
    x = kernels[number % len(kernels)]()(x)
    if draw.random() < 0.7:
        x = k.BatchNormalization()(x)
    x = activations[number % len(activations)]()(x)
    joined = (k.Add, k.Average, k.Maximum, k.Concatenate, k.Subtract)
    if number % 2:
        branch = k.Conv2D(x.shape[-1], 3, padding="same")(x)
        x = joined[draw.integers(len(joined))]()([x, branch])
    x = pools[draw.integers(len(pools))]()(x)
    x = (k.Flatten, k.GlobalAveragePooling2D, k.GlobalMaxPooling2D)[draw.integers(3)]()(x)
    x = k.Dense(3)(x)
    if draw.random() < 0.2:
        x = k.Multiply()([x, x])  # As in the RBF unit at the end of a symmetric network.
    model = keras.Model(image, x)
    for weight in model.weights:
        spread = 0.5 + 0.2 * draw.random(weight.shape)
        signed = draw.normal(0.0, 0.6, weight.shape)
        weight.assign(spread if "variance" in weight.path or "root" in weight.path else signed)
    return model


def test_the_bound_is_never_below_what_is_found_in_50_random_networks():
    gaps = []
    for number in range(50):
        model = random_network(number)
        bound = lipschitz_bound(model)
        draw = np.random.default_rng(number)
        first = draw.random((64, 9, 8, 2), np.float32)
        near = first + draw.normal(0.0, 0.02, first.shape).astype(np.float32)
        second = np.clip(np.where(np.arange(64)[:, None, None, None] < 32, near, 1 - first), 0, 1)
        change = (model(first).numpy() - model(second).numpy()).astype(np.float64)
        moved = (first - second).reshape(64, -1).astype(np.float64)
        ratio = np.linalg.norm(change, axis=1) / np.linalg.norm(moved, axis=1)
        assert ratio.max() <= bound.l2, model.get_config()
        assert np.all(np.abs(change).max(1) <= bound.linf * np.abs(moved).max(1))
        gaps.append(bound.l2 / max(ratio.max(), 1e-9))
    assert np.isfinite(gaps).all()


def test_a_bound_is_exact_where_it_can_be_and_names_what_it_does_not_know():
    k = keras.layers
    model = keras.Sequential(
        [keras.Input((4,)), k.Dense(3, use_bias=False), k.BatchNormalization()]
    )
    weight = np.random.default_rng(0).normal(size=(4, 3))
    scale = np.array([0.1, 5.0, -1.0])
    model.layers[0].set_weights([weight])
    model.layers[1].gamma.assign(scale * np.sqrt(1.0 + 1e-3))
    bound = lipschitz_bound(model)
    assert bound.l2 == pytest.approx(np.linalg.norm(weight * scale, 2), rel=1e-5)
    assert bound.layer_product == pytest.approx(np.linalg.norm(weight, 2), rel=1e-5)
    winners = keras.Sequential([keras.Input((4,)), layers.KWinnersTakeAll(ratio=0.5), k.Dense(2)])
    assert lipschitz_bound(winners).l2 == np.inf
    unknown = keras.Sequential([keras.Input((4,)), k.LayerNormalization(name="odd"), k.Dense(2)])
    with pytest.raises(InputError, match="layer 'odd': expected a layer whose Lipschitz"):
        lipschitz_bound(unknown)


def test_pictures_show_what_is_in_the_model():
    k, draw = keras.layers, np.random.default_rng(0)
    kaf = layers.KernelActivation(boundary=2.0, name="kaf")
    first, second = k.Conv2D(3, 3, name="first"), k.Conv2D(2, 1, name="second")
    model = keras.Sequential(
        [keras.Input((6, 6, 1)), first, kaf, second, k.Flatten(), k.Dense(2, name="last")]
    )
    images = draw.random((20, 6, 6, 1), np.float32)
    labels = np.argmax(model(images), axis=1)
    found = pictures.pictures(subject(model, images=images, labels=labels, fooling={}))
    kernel = np.asarray(first.kernel)
    for number, shown in enumerate(found.filters.arrays):
        own = kernel[..., number]
        np.testing.assert_allclose(shown, 127.5 + 127.5 * own / np.abs(own).max(), atol=0.51)
    # Noise like the images, so that nothing tells them apart; and one value a channel and place.
    assert found.features.overlap > 0.7 and sum(found.features.single[0].images) == 20 * 16
    assert np.sum(found.features.pairs[0].nonsense) == 20 * 16
    (curves,) = found.curves
    inputs = np.asarray(first(images))
    assert curves.outside == pytest.approx(np.mean(np.abs(inputs) > 2.0), abs=1e-6)
    at = np.asarray(kaf(np.full((1, 3), curves.points[20], np.float32)))[0]
    np.testing.assert_allclose([curve[20] for curve in curves.curves], at, atol=1e-3)
    plane = found.surfaces[0]
    middle, label = len(plane.losses) // 2, labels[0]
    assert plane.answers[middle][middle] == label == plane.label
    losses = np.array(plane.losses)
    assert losses[middle, middle + 1] > losses[middle, middle] > losses[middle, middle - 1]
    with tf.GradientTape() as tape:
        inputs = tf.Variable(images[:1])
        logits = model(inputs)[0]
        lead = logits[label] - logits[1 - label]
    gradient = np.abs(tape.gradient(lead, inputs)[0])
    _, saliency = found.saliency[0].arrays
    np.testing.assert_allclose(saliency, 255 * gradient / gradient.max(), atol=0.51)
