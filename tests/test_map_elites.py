"""Evolution by numbers and by pixels: operators, elites, what is counted."""

import dataclasses

import numpy as np
import pytest
import small_classifier

from robust_keras.unusual import CPPNEncoding, DirectEncoding, MapElites
from robust_keras.unusual.fooling_image import from_bytes
from robust_keras.unusual.real_numbers import polynomial_mutation, simulated_binary_crossover

BOUNDS = {"low": 0.0, "high": 1.0}


def generator(seed=0):
    return np.random.default_rng(seed)


def test_mutation_moves_the_wanted_share_by_the_published_law():
    values = np.full(100_000, 0.5)
    moved = polynomial_mutation(values, generator(), rate=0.1, index=15.0, **BOUNDS) - values
    changed = moved[moved != 0]
    assert len(changed) / len(values) == pytest.approx(0.1, abs=0.005)
    assert np.median(changed) == pytest.approx(0.0, abs=0.003)
    # P(|d| > t) = (1 - t)^(index + 1)
    for size in (0.02, 0.1, 0.3):
        assert (np.abs(changed) > size).mean() == pytest.approx((1 - size) ** 16, abs=0.015)
    still = polynomial_mutation(values, generator(), rate=0.0, index=15.0, **BOUNDS)
    np.testing.assert_array_equal(still, values)


def test_mutation_stays_inside():
    values = np.concatenate([np.zeros(5000), np.ones(5000)]).astype("float32")
    moved = polynomial_mutation(values, generator(), rate=1.0, index=1.0, **BOUNDS)
    assert moved.dtype == np.float32 and moved.min() >= 0.0 and moved.max() <= 1.0
    assert moved[:5000].max() > 0.3 and moved[5000:].min() < 0.7


def test_crossover_keeps_the_middle_and_spreads_by_the_published_law():
    mothers, fathers = np.full((1, 100_000), 0.45), np.full((1, 100_000), 0.55)
    settings = {"rate": 1.0, "index": 10.0} | BOUNDS
    first, second = simulated_binary_crossover(mothers, fathers, generator(), **settings)
    np.testing.assert_allclose(first + second, 1.0, atol=1e-6)
    spread = np.abs(first - second) / 0.1
    assert (spread < 1).mean() == pytest.approx(0.5, abs=0.01)
    # P(b < t) = t^(index + 1) / 2 below 1, P(b > t) = t^-(index + 1) / 2 above.
    assert (spread < 0.9).mean() == pytest.approx(0.9**11 / 2, abs=0.01)
    assert (spread > 1.1).mean() == pytest.approx(1.1**-11 / 2, abs=0.01)
    assert ((first < second).mean()) == pytest.approx(0.5, abs=0.01)


def test_pairs_that_are_not_crossed_are_copied():
    mothers, fathers = generator(1).random((400, 6)), generator(2).random((400, 6))
    settings = {"rate": 0.5, "index": 10.0} | BOUNDS
    first, second = simulated_binary_crossover(mothers, fathers, generator(), **settings)
    copied = (first == mothers).all(axis=1)
    np.testing.assert_array_equal(copied, (second == fathers).all(axis=1))
    assert 0.4 < copied.mean() < 0.6
    assert min(first.min(), second.min()) >= 0 and max(first.max(), second.max()) <= 1


def test_the_mutation_rate_halves_after_every_so_many_generations():
    encoding = DirectEncoding(mutation_rate=0.4, halving=10, crossover_rate=0.0)
    parents = np.full((50, 8, 8, 1), 0.5, np.float32)
    shares = [
        (encoding.offspring(parents, parents, generation, generator()) != 0.5).mean()
        for generation in (9, 10, 25)
    ]
    assert shares == pytest.approx([0.4, 0.2, 0.1], abs=0.02)


class Sums:
    """A subject whose confidence in class k is that of the pixels of row k, the last one's none."""

    image_shape, classes = (3, 2, 1), 3

    def __init__(self):
        self.forward_evaluations, self.seen = 0, []

    def generator(self, name):
        return generator(len(name))

    def logarithms(self, images, rows):
        self.forward_evaluations += len(images)
        self.seen.append(images)
        values = images.mean(axis=(2, 3)) - 1.0
        values[::2, 2] = np.nan
        return np.concatenate([values, np.zeros((len(images), 1))], axis=1).astype("float32")


@pytest.mark.parametrize("encoding", [DirectEncoding(), CPPNEncoding()])
def test_every_class_keeps_the_best_that_was_ever_seen(encoding):
    subject = Sums()
    settings = MapElites(encoding=encoding, generations=30, initial=20, children=10)
    genomes = settings.evolve(subject)
    seen = np.concatenate(subject.seen)
    assert subject.forward_evaluations == len(seen) == 20 + 30 * 10
    first, last = (part.mean(axis=(2, 3)).max(axis=0) - 1.0 for part in (seen[:20], seen))
    images = encoding.images(genomes, subject.image_shape)
    reached = from_bytes(np.rint(images * 255).astype(np.uint8)).mean(axis=(2, 3)) - 1.0
    kept = np.diag(reached)
    np.testing.assert_allclose(kept[:2], last[:2], atol=1e-6)
    assert (kept[:2] >= first[:2] - 1e-6).all()
    assert np.isfinite(kept).all()


def test_children_may_win_classes_that_they_were_not_bred_for():
    subject = Sums()
    settings = MapElites(encoding=DirectEncoding(), generations=40, initial=1, children=20)
    genomes = settings.evolve(subject)
    # All classes began with the one genome there was.
    assert len({genome.tobytes() for genome in genomes}) == 3


@pytest.fixture(scope="module", params=["direct", "cppn"])
def found(request):
    encoding = {"direct": DirectEncoding, "cppn": CPPNEncoding}[request.param]()
    settings = MapElites(encoding=encoding, generations=60)
    return settings, settings.run(small_classifier.subject(batch_size=200))


def test_an_undefended_network_is_fooled(found):
    settings, result = found
    assert result.name == settings.encoding.name and result.generations == 60
    assert result.forward_evaluations == 200 + 60 * 200 + 10
    confidences = [image.confidence for image in result.images]
    assert np.mean(np.array(confidences) > 0.99) >= 0.8 and min(confidences) > 0.5
    assert result.settings["generations"] == 60 and "mutation_index" in result.settings


def test_the_same_seed_finds_the_same_images_and_another_does_not(found):
    settings, _ = found
    short = dataclasses.replace(settings, generations=2)
    one, two, other, small = (
        [image.image.tobytes() for image in short.run(subject).images]
        for subject in (
            small_classifier.subject(),
            small_classifier.subject(),
            small_classifier.subject(seed=1),
            small_classifier.subject(batch_size=64),
        )
    )
    assert one == two == small and one != other


@pytest.mark.parametrize("wrong", [{"generations": -1}, {"initial": 0}, {"children": 1}])
def test_settings_out_of_range_are_refused(wrong):
    (name,) = wrong
    with pytest.raises(ValueError, match=f"`{name}` must be .*Received: {name}="):
        MapElites(encoding=DirectEncoding(), **wrong)
    with pytest.raises(ValueError, match="`children` must be even"):
        MapElites(encoding=DirectEncoding(), children=3)
    with pytest.raises(ValueError, match="`mutation_rate` must be"):
        DirectEncoding(mutation_rate=1.5)
