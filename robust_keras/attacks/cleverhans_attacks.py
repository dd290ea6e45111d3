"""FGSM, Step-LL, BIM, PGD and MIM as CleverHans 4.0.0 computes them, with its defects fenced off.

The only module that imports cleverhans. What it guards against, each shown by a test:

* pixels outside the bounds and impossible epsilons are accepted in silence: checked here;
* `sanity_checks=True` crashes once clip bounds are given: always off;
* BIM and MadryEtAl cannot be called without those checks: both are PGD here;
* gradients under 1e-6 in length are not normalised in l2 (nor tiny ones in MIM): every example's
  gradient is rescaled to a largest component of 1 on its way back, which leaves signs and
  directions as they are;
* `compute_gradient` retraces for every new Python function: one function a classifier is kept;
* the random start comes from TensorFlow's global generator: it is drawn here and handed in;
* without labels it attacks its own prediction, also where that is wrong: labels are always given;
* `eps_iter > eps` is an assertion: steps are fractions of epsilon in (0, 1].
"""

import contextlib
import dataclasses
import functools
import threading
import typing
import weakref

import cleverhans.tf2.attacks.fast_gradient_method as fgm_module
import cleverhans.tf2.attacks.momentum_iterative_method as mim_module
import cleverhans.tf2.attacks.projected_gradient_descent as pgd_module
import numpy as np
import tensorflow as tf

from robust_keras.attacks.attack import Attack, Proposal, require, require_number, require_whole
from robust_keras.attacks.losses import cross_entropy, margin, unit_gradient
from robust_keras.attacks.noise import uniform_in_ball

_ORDERS = {"linf": np.inf, "l2": 2}
_model_functions = weakref.WeakKeyDictionary()


LOSSES = {"cross_entropy": cross_entropy, "margin": margin}


def model_function(classifier):
    """The function of a classifier that CleverHans differentiates, always the same object."""
    if classifier not in _model_functions:
        logits = classifier.logits
        _model_functions[classifier] = lambda images: logits(unit_gradient(images))
    return _model_functions[classifier]


@dataclasses.dataclass(frozen=True, kw_only=True)
class _CleverHansAttack(Attack):
    """The part that they share: checked inputs in, a numpy array out."""

    def perturb(self, classifier, images, labels, *, threat_model, epsilon, generators):
        """Moves the images up the loss; see `Attack.perturb`."""
        images = np.asarray(images)
        threat_model.check_images(images)
        threat_model.check_epsilon(epsilon)
        arguments = {
            "eps": float(epsilon),
            "norm": _ORDERS[threat_model.norm],
            "clip_min": threat_model.bounds[0],
            "clip_max": threat_model.bounds[1],
            "y": tf.constant(labels, tf.int32),
            "sanity_checks": False,
        }
        ball = generators, images.shape[1:], epsilon, threat_model.norm
        draw = functools.partial(uniform_in_ball, *ball)
        inputs = tf.constant(images, tf.float32)
        return self._run(model_function(classifier), inputs, arguments, draw).numpy()


@dataclasses.dataclass(frozen=True, kw_only=True)
class FGSM(_CleverHansAttack):
    """Fast gradient sign method: one step of length epsilon.

    Formula: linf: `x + epsilon sign(g)`; l2: `x + epsilon g / norm(g)`; g the gradient of the
    cross-entropy of the label.

    Reference: Goodfellow et al., "Explaining and Harnessing Adversarial Examples", 2015,
    arXiv 1412.6572.
    """

    name: typing.ClassVar[str] = "fgsm"
    kind: typing.ClassVar[str] = "one_step"

    @property
    def gradient_evaluations(self):
        """One."""
        return 1

    def _run(self, function, images, arguments, draw):
        return fgm_module.fast_gradient_method(function, images, **arguments, loss_fn=cross_entropy)


@dataclasses.dataclass(frozen=True, kw_only=True)
class StepLL(_CleverHansAttack):
    """One step towards the class that the model thinks least likely.

    Formula: linf: `x - epsilon sign(g)`; l2: `x - epsilon g / norm(g)`; g the gradient of the
    cross-entropy of the least likely class. A label that is the least likely one already has its
    image left as it is.

    Reference: Kurakin et al., "Adversarial Machine Learning at Scale", 2017, arXiv 1611.01236.
    """

    name: typing.ClassVar[str] = "step_ll"
    kind: typing.ClassVar[str] = "one_step"

    @property
    def gradient_evaluations(self):
        """One."""
        return 1

    def propose(self, classifier, images, labels, **settings):
        """`perturb` with its price: one forward pass tells the least likely class."""
        logits = classifier.logits(tf.constant(images, tf.float32))
        least = np.argmin(logits, axis=1)
        moved = super().perturb(classifier, images, least, **settings)
        # Away from the least likely class would be towards the label.
        stuck = (least == np.asarray(labels))[:, None, None, None]
        ones = np.ones(len(images), int)
        return Proposal(np.where(stuck, images, moved), ones, ones)

    def perturb(self, classifier, images, labels, **settings):
        """Moves the images down the loss; see `Attack.perturb`."""
        return self.propose(classifier, images, labels, **settings).images

    def _run(self, function, images, arguments, draw):
        arguments = arguments | {"targeted": True}
        return fgm_module.fast_gradient_method(function, images, **arguments, loss_fn=cross_entropy)


@dataclasses.dataclass(frozen=True, kw_only=True)
class BIM(_CleverHansAttack):
    """Basic iterative method: FGSM in small steps from the image itself, projected after each.

    Args:
        steps: number of steps, >= 1.
        step: length of a step in units of epsilon, in (0, 1].

    Reference: Kurakin et al., "Adversarial Examples in the Physical World", 2017, arXiv 1607.02533.
    """

    name: typing.ClassVar[str] = "bim"
    kind: typing.ClassVar[str] = "iterative"

    steps: int = 20
    step: float = 0.1

    def __post_init__(self):
        _check_steps(self)

    @property
    def gradient_evaluations(self):
        """One a step."""
        return self.steps

    def _run(self, function, images, arguments, draw):
        return _descend(function, images, arguments, self, cross_entropy, start=None)


@dataclasses.dataclass(frozen=True, kw_only=True)
class PGD(_CleverHansAttack):
    """Projected gradient descent: BIM from a random point of the ball, with restarts.

    The default step is a tenth of epsilon. Madry's for MNIST (0.01 at epsilon 0.3) is a thirtieth,
    so
    40 steps cannot cross the ball: on a network trained against FGSM it left up to 11 points
    more than steps of a tenth did.

    Args:
        steps: number of steps, >= 1.
        step: length of a step in units of epsilon, in (0, 1].
        restarts: independent starts, >= 1; an image falls if one of them fools the model.
        loss: "cross_entropy", or "margin" (largest other logit minus the label's), which is free of
            the logits' scale.

    Reference: Madry et al., "Towards Deep Learning Models Resistant to Adversarial Attacks", 2018,
    arXiv 1706.06083.

    Example:
        >>> PGD(steps=10, restarts=2).settings()
        {'steps': 10, 'step': 0.1, 'restarts': 2, 'loss': 'cross_entropy'}
    """

    name: typing.ClassVar[str] = "pgd"
    kind: typing.ClassVar[str] = "iterative"

    steps: int = 40
    step: float = 0.1
    restarts: int = 1
    loss: str = "cross_entropy"

    def __post_init__(self):
        _check_steps(self)
        require_whole("restarts", self.restarts)
        require(self.loss in LOSSES, "loss", f"one of {', '.join(LOSSES)}", self.loss)

    @property
    def rounds(self):
        """The number of restarts."""
        return self.restarts

    @property
    def gradient_evaluations(self):
        """One a step."""
        return self.steps

    def _run(self, function, images, arguments, draw):
        return _descend(function, images, arguments, self, LOSSES[self.loss], start=draw())


@dataclasses.dataclass(frozen=True, kw_only=True)
class MIM(_CleverHansAttack):
    """Momentum iterative method: steps along a decaying sum of normalised gradients.

    Formula: `m <- decay m + g / mean|g|`, then a step along sign(m) (linf) or m / norm(m) (l2).

    Args:
        steps: number of steps, >= 1.
        step: length of a step in units of epsilon, in (0, 1].
        decay: weight of the past, >= 0.

    Reference: Dong et al., "Boosting Adversarial Attacks with Momentum", 2018, arXiv 1710.06081.
    """

    name: typing.ClassVar[str] = "mim"
    kind: typing.ClassVar[str] = "iterative"

    steps: int = 10
    step: float = 0.1
    decay: float = 1.0

    def __post_init__(self):
        _check_steps(self)
        require_number("decay", self.decay, maximum=1e6)

    @property
    def gradient_evaluations(self):
        """One a step."""
        return self.steps

    def _run(self, function, images, arguments, draw):
        return mim_module.momentum_iterative_method(
            function,
            images,
            **arguments,
            eps_iter=self.step * arguments["eps"],
            nb_iter=self.steps,
            decay_factor=self.decay,
        )


def _check_steps(attack):
    require_whole("steps", attack.steps)
    require_number("step", attack.step, maximum=1.0, above=True)


def _descend(function, images, arguments, attack, loss, start):
    """CleverHans' PGD, from the images themselves or from the images plus `start`."""
    with contextlib.nullcontext() if start is None else _random_start(start):
        return pgd_module.projected_gradient_descent(
            function,
            images,
            **arguments,
            eps_iter=attack.step * arguments["eps"],
            nb_iter=attack.steps,
            loss_fn=loss,
            rand_init=start is not None,
        )


_draw_start = pgd_module.random_lp_vector
_starts = threading.local()


@contextlib.contextmanager
def _random_start(start):
    """Lets CleverHans' PGD start from the given change, in this thread, instead of drawing one."""
    _starts.change = start
    try:
        yield
    finally:
        del _starts.change


def _given_start(*args, **settings):
    if hasattr(_starts, "change"):
        return tf.constant(_starts.change)
    return _draw_start(*args, **settings)


# For good, as replicas attack in threads of their own, each with its own starts.
pgd_module.random_lp_vector = _given_start
