"""jumping_pgd: exact where two classes are linear, scale-free, counted; jumps find more."""

import numpy as np
import pytest
import tensorflow as tf
from linear_model import GREYS, Linear, answers, linear

from robust_keras import engine
from robust_keras.attacks import JumpingPGD, MarginPGD, ThreatModel

pytestmark = pytest.mark.usefixtures("graphs_as_written")


def evaluate(model, attack, norm="linf", epsilon=0.1, images=GREYS):
    threat_model, labels = ThreatModel(norm, (epsilon,)), np.argmax(model.logits(images), axis=1)
    settings = {"batch_size": 25, "seed": 0}
    return engine.evaluate(model, images, labels, [attack], threat_model, **settings)


@pytest.mark.parametrize("norm", ("linf", "l2"))
@pytest.mark.parametrize("scale", (1.0, 1e4))
def test_a_linear_model_falls_exactly_where_it_can(norm, scale):
    # With more classes a climb may lean to one that it cannot reach.
    model, epsilon = linear(2), {"linf": 0.05, "l2": 0.15}[norm]
    model.scale.assign(scale)
    margins = model.margins(GREYS, answers(model), epsilon, norm)
    clear = np.abs(margins) > 1e-4
    found = evaluate(model, JumpingPGD(jumps=1, queries=5), norm, epsilon).worst_case[0]
    np.testing.assert_array_equal(found[clear], margins[clear] > 0.0)


def test_what_it_takes_is_counted_and_no_more_than_it_declares():
    model, attack = linear(4), JumpingPGD(steps=5, jumps=2, queries=7, near=1.0)
    model.seen.assign(0)
    result = evaluate(model, attack, epsilon=1e-4).attacks[0]
    held = int(result.robust.sum())
    assert held == len(GREYS)
    assert result.gradient_evaluations == held * attack.gradient_evaluations == held * 3 * 6
    assert result.forward_evaluations == held * attack.forward_evaluations == held * (2 + 2 * 7)


def test_it_jumps_only_where_the_climb_came_near():
    model, epsilon = linear(2), 0.05
    held = model.margins(GREYS, answers(model), epsilon, "linf") / model.margins(
        GREYS, answers(model), 0.0, "linf"
    )
    for near in (0.0, 0.2):
        result = evaluate(model, JumpingPGD(steps=20, queries=7, near=near), epsilon=epsilon)
        result = result.attacks[0]
        jumping = int(((held > 0.0) & (held < near)).sum())
        assert result.forward_evaluations == 2 * len(GREYS) + 3 * 7 * jumping
    assert 0 < jumping < (held > 0.0).sum()


class Stairs(Linear):
    """Rounds the images before it looks at them, so that no climb leads anywhere."""

    def __init__(self):
        super().__init__(2, (8, 8, 1))
        smooth = self.logits

        def logits(images):
            steps = tf.round(images * 4.0) / 4.0
            return smooth(steps)

        spec = tf.TensorSpec((None, *self.image_shape), tf.float32)
        self.logits = tf.function(logits, [spec], autograph=False)


def test_jumps_find_what_climbs_cannot():
    model = Stairs()
    images = np.random.default_rng(3).uniform(0.3, 0.7, (30, 8, 8, 1)).astype("float32")
    climbs = evaluate(model, MarginPGD(), epsilon=0.15, images=images).worst_case.sum()
    jumps = evaluate(model, JumpingPGD(near=1.0), epsilon=0.15, images=images).worst_case.sum()
    assert jumps < climbs


@pytest.mark.parametrize(
    "settings",
    [{"steps": 0}, {"jumps": -1}, {"queries": 0}, {"share": 0.0}, {"share": 1.5}, {"near": 1.5}],
)
def test_bad_settings_are_refused(settings):
    with pytest.raises(ValueError, match=f"`{next(iter(settings))}`"):
        JumpingPGD(**settings)
