"""Networks that paint: their structure under mutation, and their pictures one node at a time."""

import colorsys
import math

import numpy as np
import pytest

from robust_keras.unusual import CPPNEncoding, networks, painting
from robust_keras.unusual.networks import INPUTS, Networks

SCALAR = {
    0: math.sin,
    1: lambda s: 2.0 / (1.0 + math.exp(-s)) - 1.0,
    2: lambda s: math.exp(-s * s),
    3: lambda s: min(max(s, -3.0), 3.0) / 3.0,
}


def population(count=60, channels=1, generations=12, seed=0):
    """Genomes after some generations without selection."""
    encoding, generator = CPPNEncoding(hidden=6), np.random.default_rng(seed)
    made = encoding.random((5, 4, channels), count, generator)
    half = count // 2
    for generation in range(generations):
        pair = made.take(slice(0, half)), made.take(slice(half, count))
        made = encoding.offspring(*pair, generation, generator)
    return made


POPULATION = population()


def hidden(made):
    return made.alive & (made.places > 0.0) & (made.places < 1.0)


def painted(network, height, width, channels):
    """One network, pixel by pixel and node by node."""
    order = sorted(np.flatnonzero(network.alive), key=lambda node: (network.places[node], node))
    image = np.zeros((height, width, channels))
    for row, y in enumerate(np.linspace(-1, 1, height)):
        for column, x in enumerate(np.linspace(-1, 1, width)):
            values = dict(enumerate((x, y, math.hypot(x, y), 1.0)))
            for node in order[INPUTS:]:
                total = sum(
                    network.weights[source, node] * values[source]
                    for source in values
                    if network.linked[source, node]
                )
                values[node] = SCALAR[network.functions[node]](total)
            outputs = [min(abs(values[INPUTS + channel]), 1.0) for channel in range(channels)]
            image[row, column] = colorsys.hsv_to_rgb(*outputs) if channels == 3 else outputs
    return image


@pytest.mark.parametrize("channels", [1, 2, 3])
def test_pictures_are_those_of_a_plain_loop(channels):
    made = population(count=12, channels=channels)
    assert len(set(hidden(made).sum(axis=1).tolist())) > 2
    images = painting.paint(made, (5, 4, channels))
    assert images.dtype == np.float32 and images.shape == (12, 5, 4, channels)
    for index in range(12):
        expected = painted(made.take(index), 5, 4, channels)
        np.testing.assert_allclose(images[index], expected, atol=2e-4)


def test_pictures_do_not_depend_on_how_many_are_painted_at_once(monkeypatch):
    images = painting.paint(POPULATION, (5, 4, 1))
    monkeypatch.setattr(painting, "_LARGEST", 1)
    np.testing.assert_allclose(painting.paint(POPULATION, (5, 4, 1)), images, atol=1e-6)
    assert images.min() >= 0.0 and images.max() <= 1.0 and images.std() > 0.1


def check_sound(made: Networks):
    """Nothing leads into an input, out of an output, from or to what is unused, or backwards."""
    rows, source, target = np.nonzero(made.linked)
    assert made.alive[rows, source].all() and made.alive[rows, target].all()
    assert (made.places[rows, source] < made.places[rows, target]).all()
    assert (target >= INPUTS).all() and (made.places[rows, source] < 1.0).all()
    assert made.alive[:, : INPUTS + 1].all()
    assert np.abs(made.weights[made.linked]).max() <= 10.0
    assert set(np.unique(made.functions)) <= set(SCALAR)


def test_mutation_keeps_networks_sound():
    check_sound(POPULATION)
    assert hidden(POPULATION).sum(axis=1).max() == 6
    assert set(np.unique(POPULATION.functions[POPULATION.alive])) == set(SCALAR)


def test_a_new_genome_links_every_input_to_every_output():
    made = CPPNEncoding(hidden=6).random((5, 4, 3), 50, np.random.default_rng(0))
    check_sound(made)
    assert (made.linked.sum(axis=(1, 2)) == INPUTS * 3).all() and not hidden(made).any()
    assert 4.0 < np.abs(made.weights[made.linked]).mean() < 6.0


def changes(function, *arguments):
    made = function(POPULATION, 1.0, *arguments, np.random.default_rng(1))
    check_sound(made)
    links = made.linked.sum(axis=(1, 2)) - POPULATION.linked.sum(axis=(1, 2))
    nodes = made.alive.sum(axis=1) - POPULATION.alive.sum(axis=1)
    return made, links, nodes


def test_links_come_go_and_move():
    free = networks._free(POPULATION).any(axis=(1, 2))
    linked = POPULATION.linked.any(axis=(1, 2))
    _, links, nodes = changes(networks.add_link, 10.0)
    np.testing.assert_array_equal(links, free.astype(int))
    assert not nodes.any()
    _, links, nodes = changes(networks.delete_link)
    np.testing.assert_array_equal(links, -linked.astype(int))
    made, links, nodes = changes(networks.change_link)
    assert not links.any() and not nodes.any() and free.any()
    moved = (made.linked != POPULATION.linked).sum(axis=(1, 2))
    np.testing.assert_array_equal(moved, 2 * (free & linked))
    row = int(np.flatnonzero(free & linked)[0])
    old = POPULATION.weights[row][POPULATION.linked[row] & ~made.linked[row]]
    np.testing.assert_array_equal(
        made.weights[row][made.linked[row] & ~POPULATION.linked[row]], old
    )


def test_nodes_are_put_into_links_and_taken_away_with_theirs():
    room = ~POPULATION.alive.all(axis=1) & POPULATION.linked.any(axis=(1, 2))
    made, links, nodes = changes(networks.add_node, 4)
    np.testing.assert_array_equal(nodes, room.astype(int))
    np.testing.assert_array_equal(links, room.astype(int))
    row = int(np.flatnonzero(room)[0])
    node = int(np.flatnonzero(made.alive[row] & ~POPULATION.alive[row])[0])
    (source,) = np.flatnonzero(made.linked[row, :, node])
    (target,) = np.flatnonzero(made.linked[row, node])
    assert POPULATION.linked[row, source, target] and not made.linked[row, source, target]
    assert made.weights[row, source, node] == 1.0
    assert made.weights[row, node, target] == POPULATION.weights[row, source, target]
    made, links, nodes = changes(networks.delete_node)
    np.testing.assert_array_equal(nodes, -hidden(POPULATION).any(axis=1).astype(int))
    assert (links <= 0).all()


def test_rates_are_shares_of_the_networks():
    many = CPPNEncoding().random((5, 4, 1), 4000, np.random.default_rng(0))
    made = networks.delete_link(many, 0.3, np.random.default_rng(1))
    assert (made.linked.sum(axis=(1, 2)) < INPUTS).mean() == pytest.approx(0.3, abs=0.03)


def test_taking_and_replacing_leave_the_others_alone():
    others = population(count=2, seed=5)
    made = POPULATION.replace(np.array([3, 1]), others)
    np.testing.assert_array_equal(made.take(1).weights, others.take(1).weights)
    np.testing.assert_array_equal(made.take(3).linked, others.take(0).linked)
    kept = [row for row in range(len(POPULATION)) if row not in (1, 3)]
    np.testing.assert_array_equal(made.weights[kept], POPULATION.weights[kept])


@pytest.mark.parametrize(
    "wrong", [{"add_link": 1.5}, {"delete_node": -0.1}, {"weight_limit": 0}, {"hidden": 0}]
)
def test_settings_out_of_range_are_refused(wrong):
    (name,) = wrong
    with pytest.raises(ValueError, match=f"`{name}` must be .*Received: {name}="):
        CPPNEncoding(**wrong)
