"""What Peconi (2020) claims of the networks that he published, and what decides about it."""

import contextlib

import numpy as np

from robust_keras.studies import answers
from robust_keras.studies.kernel_measures import (
    ATTACKED,
    CLEAN,
    SEEN,
    TOO_WIDE,
    against,
    pgd,
    robust,
    sentences,
    tells,
    theirs,
    worst,
)
from robust_keras.studies.kernel_networks import LABELS, OTHERWISE
from robust_keras.studies.known import NotRunError
from robust_keras.studies.published_networks import NAMES
from robust_keras.studies.study import Claim, Measure, alone


def _label(name):
    return LABELS[name] + (", in single precision" if name in OTHERWISE else "")


def _published(name, higher, lower, asked=""):
    one, other = _label(higher), _label(lower)
    return Claim(
        name,
        f"{asked}The published ResNet-20 with {one} keeps more than that with {other}",
        against(higher, lower),
        robust(higher, lower),
        **sentences(f"The published {one}", f"the published {other}"),
        seeds=1,
    )


def _keeps(name):
    """The thesis' own number of a published network."""
    return Claim(
        f"keeps_{name}",
        f"{SEEN}: the published {LABELS[name]} keeps what the thesis tells, to two points",
        f"{ATTACKED[name]} %",
        tuple(
            Measure(f"{budget} at 8/255; no two points less", _kept(name, ask), above=-0.02)
            for budget, ask in (("PGD-50", pgd), ("`quick` and audit", worst))
        ),
        holds="It keeps what is told there.",
        fails="It keeps at least two points less than is told there.",
        open=TOO_WIDE,
        seeds=1,
    )


def _kept(name, ask):
    return lambda of: ask(of, name) - theirs(name)


def _clean(name, higher, lower, says, asked=""):
    return Claim(
        f"clean_{name}",
        f"{asked}Published ResNet-20: {says}",
        f"{CLEAN[higher]} % against {CLEAN[lower]} %",
        alone("clean, 10,000 images; more", _read_more(higher, lower)),
        holds=f"The published {_label(higher)} reads more than the published {_label(lower)}.",
        fails=f"The published {_label(higher)} reads no more than the published {_label(lower)}.",
        open=TOO_WIDE,
        seeds=1,
    )


def _read_more(higher, lower):
    return lambda of: (
        answers.array(of.made("clean")[higher]) - answers.array(of.made("clean")[lower])
    )


def _logarithm(budget, name):
    """That of a bound: beyond a hundred it proves nothing of pictures and logits of usual size."""
    return Measure(budget, lambda of: of.made("lipschitz")[name], above=2.0, unit="")


def _rebuilt(name, networks, fails):
    labels = ", ".join(LABELS[network] for network in networks)
    return Claim(
        name,
        f"Asked here: rebuilt with our layers {labels} are the published networks",
        "nothing to compare",
        alone(
            "minus the largest difference of a probability on 100 images; below 0.01",
            lambda of: -_largest(of, networks),
            above=-0.01,
            unit="",
        ),
        holds="What differs is rounding: theirs compute in half precision.",
        fails=fails,
        open="They are nearly the same networks.",
        seeds=1,
    )


def _carried(name):
    return Claim(
        f"carried_{name}",
        f"Asked here: what fools the rebuilt {LABELS[name]} fools the published file",
        "nothing to compare",
        alone(
            "changed images of which the file is wrong, of those that it reads unchanged; more "
            "than 95 %",
            lambda of: answers.array(of.made("carried_back")[name]),
            above=0.95,
        ),
        holds="Nearly all that fools the rebuilt network fools the published file.",
        fails="The published file withstands some of them: rebuilt, it is another network.",
        open="It is fooled by about 95 % of them.",
        seeds=1,
    )


PUBLISHED = (
    _rebuilt(
        "rebuilt",
        [name for name in NAMES if name not in OTHERWISE],
        "They answer otherwise than the published files.",
    ),
    _rebuilt(
        "rebuilt_fitted",
        OTHERWISE,
        "Their coefficients are large and cancel: in half precision, as published, they answer "
        "otherwise than in single precision.",
    ),
    *map(_carried, ("relu", "kaf")),
    _published("kaf_relu", "kaf", "relu"),
    _published("silu_relu", "swish", "relu"),
    _published("silu_kaf", "swish", "kaf"),
    *(
        _published(f"{name}_relu", name, "relu")
        for name in ("elu", "kafelu", "kafrelu", "kafswish")
    ),
    _published("kafelu_elu", "kafelu", "elu"),
    _published("silu_kafsilu", "swish", "kafswish"),
    _published("silu_kafelu", "swish", "kafelu", f"{SEEN}: "),
    _published("silu_elu", "swish", "elu", f"{SEEN}: "),
    *map(_keeps, ("relu", "kaf", "swish")),
    Claim(
        "mode",
        "Asked here: gradients in training mode, as the thesis' program took them, hide something",
        "not told",
        alone(
            "PGD-50 on the published ReLU file: left by gradients in training mode, less by those "
            "of the network as it answers; more",
            lambda of: (
                answers.array(of.made("own_gradients")["training"])
                - answers.array(of.made("own_gradients")["inference"])
            ),
        ),
        holds="Such gradients leave more.",
        fails="Such gradients leave no more.",
        open="So few images do not tell.",
        seeds=1,
    ),
    tells("pgd_tells", "relu", "Asked here: ", f"{ATTACKED['relu']} %"),
    tells("pgd_tells_kaf", "kaf", f"{SEEN}: ", f"{ATTACKED['kaf']} %"),
    tells("pgd_tells_silu", "swish", f"{SEEN}: ", f"{ATTACKED['swish']} %"),
    Claim(
        "autoattack",
        "Asked here: `autoattack` finds no five points more on the published ReLU and KAF",
        "not measured there",
        alone(
            "what `autoattack` and the audit leave below `quick` and the audit, mean of both on "
            "the same 50 images; within five points",
            lambda of: np.mean([_further(of, name) for name in ("relu", "kaf")], axis=0),
            above=-0.05,
        ),
        holds="It finds no five points more.",
        fails="It finds more than five points that `quick` missed.",
        open="So few images do not tell five points.",
        seeds=1,
    ),
    Claim(
        "lipschitz",
        "Bounds by products of the layers' Lipschitz constants are of no use for KAF",
        "no number",
        (
            _logarithm("decimal logarithm of the bound, ReLU; above a hundred", "relu"),
            _logarithm("the same, KAF; above a hundred", "kaf"),
            Measure(
                "the same, KAF beyond ReLU; a thousandfold",
                lambda of: of.made("lipschitz")["kaf"] - of.made("lipschitz")["relu"],
                above=3.0,
                unit="",
            ),
        ),
        holds="The bound is more than a thousand times that of the ReLU network, which is of no "
        "use either.",
        fails="The bound is less than a thousand times that of the ReLU network.",
        open="It is about a thousand times that of the ReLU network.",
        seeds=1,
    ),
    _clean(
        "kafrelu",
        "kafrelu",
        "relu",
        "KAF raises clean accuracy (from ReLU, the best, in single precision)",
    ),
    _clean("kaf", "kaf", "relu", "KAF raises clean accuracy"),
    _clean("elu", "relu", "elu", "ELU lowers clean accuracy"),
    _clean("silu", "swish", "relu", "SiLU raises clean accuracy", f"{SEEN}: "),
    _clean("kafelu", "kafelu", "elu", "KAF from ELU, in single precision, reads more than ELU"),
    _clean(
        "kafsilu", "kafswish", "swish", "KAF from SiLU, in single precision, reads more than SiLU"
    ),
)


def _further(of, name):
    """What `autoattack` leaves less what `quick` leaves of the same images."""
    found = worst(of, f"{name}_autoattack")
    return found - worst(of, name)[: len(found)]


def _largest(of, networks):
    """The largest difference of those that have been rebuilt so far."""
    found = []
    for name in networks:
        with contextlib.suppress(NotRunError):
            found.append(of.made(f"rebuilt_{name}")["largest"])
    if not found:
        raise NotRunError(f"rebuilt_{networks[0]}")
    return max(found)
