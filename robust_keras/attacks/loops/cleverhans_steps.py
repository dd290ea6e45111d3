"""The steps of CleverHans 4.0.0, with its defects fenced off.

The only module that imports cleverhans. What it guards against, each shown by a test:

* `sanity_checks=True` crashes once clip bounds are given: always off;
* BIM and MadryEtAl cannot be called without those checks: both are PGD here;
* gradients under 1e-6 in length are not normalised in l2 (nor tiny ones in MIM): every example's
  gradient is rescaled to a largest component of 1 on its way back, which leaves signs and
  directions as they are;
* `compute_gradient` retraces for every new Python function and every size of a batch: it is
  replaced by a `WatchedGradient`, traced once;
* the random start comes from TensorFlow's global generator: it is drawn elsewhere and handed in;
* without labels it attacks its own prediction, also where that is wrong: labels are always given.

CleverHans' own modules stay as they are: what is replaced, is replaced in copies of its functions.
Their parameters do not suffice. The functions ask their module for `compute_gradient`, which keeps
every `model_fn` and its graph for each size of a batch, and hands out no logits: to see which
points fool the model would take a forward pass more a step. And `projected_gradient_descent` takes
no point to go on from, which batches that shrink on the way need.
"""

import types
from collections.abc import Callable

import cleverhans.tf2.attacks.fast_gradient_method as fgm_module
import cleverhans.tf2.attacks.momentum_iterative_method as mim_module
import cleverhans.tf2.attacks.projected_gradient_descent as pgd_module
import numpy as np
import tensorflow as tf

from robust_keras.attacks.threat_model import ThreatModel

_ORDERS = {"linf": np.inf, "l2": 2}


def one_step(
    gradient: Callable,
    images: tf.Tensor,
    labels: tf.Tensor,
    *,
    threat_model: ThreatModel,
    epsilon: float,
    targeted: bool = False,
) -> tf.Tensor:
    """FGSM: one step of length epsilon up the loss, or down that of the targets.

    Args:
        gradient: `WatchedGradient`.
        images: float32 tensor (batch, height, width, channels).
        labels: int32 tensor (batch,).
        threat_model: `ThreatModel`.
        epsilon: length of the step.
        targeted: whether the labels are classes to get to.

    Returns:
        Tensor of the images' shape.
    """
    return _fast_gradient_method(gradient)(
        None,
        images,
        float(epsilon),
        _ORDERS[threat_model.norm],
        y=labels,
        targeted=targeted,
        **_bounds(threat_model),
    )


def projected_steps(
    gradient: Callable,
    images: tf.Tensor,
    points: tf.Tensor,
    labels: tf.Tensor,
    *,
    threat_model: ThreatModel,
    epsilon: float,
    step: float,
    steps: int,
) -> tf.Tensor:
    """PGD: steps from the points, each projected into the ball around the images.

    Args:
        gradient: `WatchedGradient`.
        images: float32 tensor (batch, height, width, channels), the centres of the balls.
        points: float32 tensor of the images' shape.
        labels: int32 tensor (batch,).
        threat_model: `ThreatModel`.
        epsilon: radius.
        step: length of a step, <= epsilon.
        steps: how many.

    Returns:
        The new points.
    """
    descend = _replaced(
        pgd_module.projected_gradient_descent,
        fast_gradient_method=_fast_gradient_method(gradient),
        random_lp_vector=lambda *args, **kwargs: points - images,
    )
    return descend(
        None,
        images,
        float(epsilon),
        step,
        steps,
        _ORDERS[threat_model.norm],
        y=labels,
        rand_init=True,
        **_bounds(threat_model),
    )


def momentum_steps(
    gradient: Callable,
    images: tf.Tensor,
    labels: tf.Tensor,
    *,
    threat_model: ThreatModel,
    epsilon: float,
    step: float,
    steps: int,
    decay: float,
) -> tf.Tensor:
    """MIM: steps along a decaying sum of normalised gradients, from the images.

    Args:
        gradient: `WatchedGradient`.
        images: float32 tensor (batch, height, width, channels), the centres of the balls.
        labels: int32 tensor (batch,).
        threat_model: `ThreatModel`.
        epsilon: radius.
        step: length of a step.
        steps: how many.
        decay: weight of the past.

    Returns:
        The new points.
    """
    descend = _replaced(mim_module.momentum_iterative_method, compute_gradient=gradient)
    return descend(
        None,
        images,
        float(epsilon),
        step,
        steps,
        _ORDERS[threat_model.norm],
        y=labels,
        decay_factor=decay,
        **_bounds(threat_model),
    )


def _fast_gradient_method(gradient):
    return _replaced(fgm_module.fast_gradient_method, compute_gradient=gradient)


def _bounds(threat_model):
    low, high = threat_model.bounds
    return {"clip_min": low, "clip_max": high, "sanity_checks": False}


def _replaced(function, **names):
    """A copy of a function that finds other things under the names of its module."""
    names = {**function.__globals__, **names}
    return types.FunctionType(function.__code__, names, argdefs=function.__defaults__)
