"""Between which numbers the Lipschitz constant of the logits lies."""

import math

import numpy as np

from robust_keras import layers
from robust_keras.bounds.network import steps
from robust_keras.errors import InputError
from robust_keras.findings import LayerGainReport, LipschitzReport
from robust_keras.inside.clever import clever
from robust_keras.inside.lipschitz_bound import LipschitzBound, lipschitz_bound
from robust_keras.inside.steep_pairs import steepest_found
from robust_keras.inside.subject import Subject


def lipschitz(subject: Subject) -> LipschitzReport:
    """A bound from above, what was found, and an estimate.

    Args:
        subject: whose model is asked; without its Keras model there is no bound from above.
    """
    bound, unknown = _bound(subject)
    told = {}
    if bound is not None:
        told = {
            "upper_bound": bound.l2,
            "upper_bound_linf": bound.linf if math.isfinite(bound.linf) else None,
            "layer_product": bound.layer_product,
            "proved_radius": _proved(subject, bound.l2),
            "layers": tuple(LayerGainReport(**_plain(layer)) for layer in bound.layers),
        }
    return LipschitzReport(
        norm="l2",
        empirical=steepest_found(subject),
        unknown=unknown,
        clever=clever(subject),
        **told,
    )


def _bound(subject: Subject) -> tuple[LipschitzBound | None, str | None]:
    """The bound, or why there is none."""
    if subject.model is None:
        return None, subject.obstacle
    try:
        last = steps(subject.model)[-1]
        ends = last.ends_in_softmax or type(last.layer) is layers.TemperatureSoftmax
        if subject.classifier.output_kind == "probabilities" and not ends:
            return None, f"layer '{last.layer.name}' makes its probabilities, by no softmax"
        bound = lipschitz_bound(subject.model)
    except InputError as error:
        return None, str(error)
    for layer in bound.layers:
        if not math.isfinite(layer.total):
            return None, f"layer '{layer.name}' ({layer.kind}) has no largest slope"
    return bound, None


def _plain(layer):
    return {name: getattr(layer, name) for name in ("name", "kind", "factor", "slope", "total")}


def _proved(subject, bound):
    logits = np.sort(subject.clean_logits, axis=1).astype(np.float64)
    right = np.argmax(subject.clean_logits, axis=1) == subject.labels
    leads = (logits[:, -1] - logits[:, -2])[right & np.isfinite(logits).all(axis=1)]
    return float(np.median(leads) / (math.sqrt(2.0) * bound)) if len(leads) and bound else None
