"""Somebody else's adversarial images: what counts, what is refused, and what is told."""

import types

import numpy as np
import pytest
from linear_model import GREYS, Linear, answers

import robust_keras
from robust_keras import engine
from robust_keras.attacks import ThreatModel, UniformNoise
from robust_keras.errors import InputError
from robust_keras.runs.adversarial_images import given_examples
from robust_keras.settings.config import EvaluateConfig

pytestmark = pytest.mark.usefixtures("graphs_as_written")

EPSILONS = (0.05, 0.2)
MODEL = Linear(4)
LABELS = answers(MODEL)


def crossing(index, epsilon):
    """The image moved by epsilon a pixel towards the class whose boundary is then nearest."""
    weights, label = MODEL.weights, LABELS[index]
    best = None
    for other in set(range(4)) - {label}:
        direction = np.sign(weights[:, other] - weights[:, label]).reshape(3, 4, 1)
        image = GREYS[index] + epsilon * direction
        logits = np.array(MODEL.logits(image[None]))[0]
        if best is None or logits[other] - logits[label] > best[0]:
            best = logits[other] - logits[label], image
    return best[1]


def given(tmp_path, index, images, norm="linf", **arrays):
    path = str(tmp_path / "theirs.npz")
    np.savez(path, index=np.array(index), images=np.array(images, np.float32), **arrays)
    config = EvaluateConfig(models=("a",), adversarial_images=path)
    return given_examples(config, GREYS, ThreatModel(norm, EPSILONS))


def evaluated(attacks, **settings):
    threat_model = ThreatModel("linf", EPSILONS)
    return engine.evaluate(
        MODEL, GREYS, LABELS, attacks, threat_model, batch_size=16, seed=0, **settings
    )


@pytest.mark.parametrize("sweep", ["every", "bisection"])
def test_what_fools_counts_from_its_own_epsilon_on_and_the_rest_is_refused(tmp_path, sweep):
    far, wild = crossing(6, 0.3), crossing(7, 0.2)
    wild[0, 0, 0] = np.nan
    outside = GREYS[8].copy()
    outside[0, 0, 0] = -0.1
    rows = [(place, crossing(place, 0.05)) for place in range(3)]
    rows += [(place, crossing(place, 0.2)) for place in range(3, 6)]
    rows += [(6, far), (7, wild), (8, outside), (60, GREYS[0])]
    # Of several the first that fools counts, and one that fools nobody changes nothing.
    rows += [(9, GREYS[9]), (9, crossing(9, 0.2 + 4e-6)), (10, GREYS[10])]
    attacks, (told,) = given(tmp_path, *zip(*rows, strict=True))
    assert attacks[0].settings() == {"given": 13, "refused": 3, "elsewhere": 1}
    assert "13 examples of 8 images; 3 refused: further than 0.2 (linf)" in told
    found = evaluated(attacks, sweep=sweep)
    fooled = {
        place: np.argmax(MODEL.logits(image[None])) != LABELS[place]
        for place, image in rows
        if place in (0, 1, 2, 3, 4, 5, 9)
    }
    assert sum(fooled.values()) >= 3, "the images do not test much"
    expected = np.ones((2, 60), bool)
    for place, fell in fooled.items():
        expected[0 if place < 3 else 1 :, place] = not fell
    np.testing.assert_array_equal(found.worst_case, expected)
    fell = np.flatnonzero(~expected[-1])
    assert {found.per_image.attack[place] for place in fell} == {"adversarial_images"}
    assert np.all(found.per_image.distance[fell] <= 0.2)
    assert found.attacks[0].gradient_evaluations == 0


def test_they_lower_what_our_attacks_left(tmp_path):
    rows = [(place, crossing(place, 0.2)) for place in range(60)]
    attacks, _ = given(tmp_path, *zip(*rows, strict=True))
    alone, both = evaluated([UniformNoise()]), evaluated([UniformNoise(), *attacks])
    assert both.worst_case[-1].sum() < alone.worst_case[-1].sum()
    survivors = evaluated([UniformNoise(), *attacks], survivors_only=True)
    np.testing.assert_array_equal(survivors.worst_case, both.worst_case)


def test_a_report_tells_of_them(tmp_path):
    path = tmp_path / "theirs.npz"
    changed = np.stack([crossing(place, 0.2) for place in range(60)])
    # Bytes, and the name that a file of our own has.
    np.savez(path, indices=np.arange(60), images=np.rint(changed * 255).astype(np.uint8))
    result = robust_keras.evaluate(
        {"linear": MODEL.logits},
        GREYS,
        LABELS,
        num_classes=4,
        attacks="uniform_noise",
        epsilons=(0.21,),
        adversarial_images=str(path),
        progress=False,
    )
    (model,) = result.models
    row = model.attacks[-1]
    assert (row.name, row.kind, row.settings["given"]) == ("adversarial_images", "given", 60)
    assert model.worst_case.before_audit == row.accuracy < model.attacks[0].accuracy
    assert "60 examples of 60 images" in result.summary()


BAD = {
    "no file": lambda path: None,
    "damaged": lambda path: path.write_bytes(b"PK\x03\x04 and no more"),
    "no index": lambda path: np.savez(path, images=GREYS),
    "another shape": lambda path: np.savez(path, index=np.arange(60), images=GREYS[:, :2]),
    "another number": lambda path: np.savez(path, index=np.arange(59), images=GREYS),
    "nothing": lambda path: np.savez(path, index=np.arange(0), images=GREYS[:0]),
    "objects": lambda path: np.savez(path, index=np.arange(60).astype(object), images=GREYS),
    "no places": lambda path: np.savez(path, index=np.arange(60) / 2, images=GREYS),
    "below zero": lambda path: np.savez(path, index=np.arange(60) - 1, images=GREYS),
    "other pixels": lambda path: np.savez(path, index=np.arange(60), images=GREYS * 255),
    "whole numbers": lambda path: np.savez(path, index=np.arange(60), images=GREYS.astype(int)),
}


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_be_read_is_one_line(tmp_path, name):
    path = tmp_path / "theirs.npz"
    BAD[name](path)
    config = types.SimpleNamespace(adversarial_images=str(path))
    with pytest.raises(InputError, match=r"^--adversarial_images: expected [^\n]*$"):
        given_examples(config, GREYS, ThreatModel("linf", EPSILONS))
