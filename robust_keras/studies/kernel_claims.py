"""What Peconi (2020) claims of kernel activations, and what decides about it."""

import contextlib

import numpy as np

from robust_keras.studies import answers
from robust_keras.studies.kernel_networks import LABELS, OWN_LABELS, paired
from robust_keras.studies.known import NotRunError
from robust_keras.studies.published_networks import NAMES
from robust_keras.studies.study import Claim, Measure, Value, alone

_EPSILON = 8 / 255


def _pgd(of, run):
    return of.robust(run, "pgd50", _EPSILON)


def _worst(of, run):
    return of.worst(run, _EPSILON)


def _robust(higher, lower):
    return (
        Measure("PGD-50 at 8/255; more", paired(higher, lower, _pgd)),
        Measure("`quick` and audit at 8/255; more", paired(higher, lower, _worst)),
    )


def _sentences(one, other):
    return {
        "holds": f"{one} keeps more than {other}.",
        "fails": f"{one} keeps no more than {other}.",
        "open": f"{one} and {other} are too near each other to tell.",
    }


# The thesis' accuracies in percent, under PGD-50: of its networks, and of its trainings of ours.
_THEIRS = {
    **{"relu": 50.2, "kaf": 52.2, "swish": 53.9, "elu": 51.7},
    **{"kafelu": 52.8, "kafrelu": 51.4, "kafswish": 52.1},
    **{"vgg_relu": 45.4, "vgg_kaf": 46.8, "vgg_silu": 47.7, "vgg_kaf_free": 46.2},
    **{"resnet20_relu": 50.2, "resnet20_kaf": 52.2},
    **{"plain_relu": 11.0, "plain_kwta": 13.2, "plain_kaf": 15.7},
}
# The same without attack.
_THEIRS_CLEAN = {
    **{"relu": 77.5, "kaf": 78.1, "swish": 78.7, "elu": 75.4},
    **{"kafelu": 78.7, "kafrelu": 79.7, "kafswish": 79.2},
    **{"plain_relu": 78.0, "plain_kwta": 65.3, "plain_kaf": 68.8},
}
# Those whose files answer otherwise in half precision than rebuilt in single precision.
_OTHERWISE = ("kafelu", "kafrelu", "kafswish")
_SEEN = "Asked here, when the number could be seen"


def theirs(name: str) -> float:
    """The share that a network keeps under PGD-50, by the thesis."""
    return _THEIRS[name] / 100


def against_relu(name: str, *, strong: bool) -> Value:
    """What a published network keeps more than the one with ReLU, image by image.

    Args:
        name: of a published network.
        strong: whether everything counts that any attack and the audit found, or PGD-50 alone.
    """
    return paired(name, "relu", _worst if strong else _pgd)


def _against(higher, lower, of=_THEIRS):
    return f"{of[higher]} % against {of[lower]} %"


def _label(name):
    return LABELS[name] + (", in single precision" if name in _OTHERWISE else "")


def _published(name, higher, lower, asked=""):
    one, other = _label(higher), _label(lower)
    return Claim(
        name,
        f"{asked}The published ResNet-20 with {one} keeps more than that with {other}",
        _against(higher, lower),
        _robust(higher, lower),
        **_sentences(f"The published {one}", f"the published {other}"),
        seeds=1,
    )


def _ours(name, higher, lower, says, number=None):
    return Claim(
        name,
        f"{says} keeps more than ReLU",
        number or _against(higher, lower),
        _robust(higher, lower),
        **_sentences(OWN_LABELS[higher], OWN_LABELS[lower]),
    )


def _keeps(name):
    """The thesis' own number of a published network."""
    return Claim(
        f"keeps_{name}",
        f"{_SEEN}: the published {LABELS[name]} keeps what the thesis tells, to two points",
        f"{_THEIRS[name]} %",
        tuple(
            Measure(f"{budget} at 8/255; no two points less", _kept(name, ask), above=-0.02)
            for budget, ask in (("PGD-50", _pgd), ("`quick` and audit", _worst))
        ),
        holds="It keeps what is told there.",
        fails="It keeps at least two points less than is told there.",
        open="It keeps about two points less.",
        seeds=1,
    )


def _kept(name, ask):
    return lambda of: ask(of, name) - theirs(name)


def _without(activation, label):
    name = f"plain_{activation}"
    return Claim(
        name,
        f"Without adversarial training a small network with {label} keeps something under PGD",
        f"{_THEIRS[name]} %, another small network",
        tuple(
            Measure(f"{budget} at 8/255; more than 5 %", _plain(name, ask), above=0.05)
            for budget, ask in (("PGD-50", _pgd), ("`quick` and audit", _worst))
        ),
        holds="A strong attack leaves more than one image in twenty.",
        fails="A strong attack leaves next to nothing.",
        open="A strong attack leaves about one image in twenty.",
    )


def _plain(name, ask):
    return lambda of: ask(of, name)


def _tells(name, run, asked, number):
    """Whether PGD-50 is strong enough for a network."""
    label = LABELS.get(run) or OWN_LABELS[run]
    return Claim(
        name,
        f"{asked}PGD-50 tells how robust the network is: {label}",
        number,
        alone(
            "what `quick` and the audit leave below PGD-50; within two points",
            lambda of: _worst(of, run) - _pgd(of, run),
            above=-0.02,
        ),
        holds="A stronger attack finds less than two points more.",
        fails="A stronger attack finds more than two points that PGD-50 missed.",
        open="A stronger attack finds about two points more.",
        seeds=1 if run in LABELS else 3,
    )


def _clean(name, higher, lower, says):
    return Claim(
        f"clean_{name}",
        f"Published ResNet-20: {says}",
        f"{_THEIRS_CLEAN[higher]} % against {_THEIRS_CLEAN[lower]} %",
        alone("clean, 10,000 images; more", _read_more(higher, lower)),
        holds=f"The published {_label(higher)} reads more than the published {_label(lower)}.",
        fails=f"The published {_label(higher)} reads no more than the published {_label(lower)}.",
        open="They are too near each other to tell.",
        seeds=1,
    )


def _read_more(higher, lower):
    return lambda of: (
        answers.array(of.made("clean")[higher]) - answers.array(of.made("clean")[lower])
    )


def _costs(activation):
    name, label = f"plain_{activation}", activation.replace("kaf", "KAF").replace("kwta", "kWTA")
    return Claim(
        f"clean_{name}",
        f"Without adversarial training {label} costs clean accuracy",
        f"{_against('plain_relu', name, _THEIRS_CLEAN)} (ReLU against {label})",
        alone(
            "clean, 10,000 images; ReLU more",
            lambda of: of.trained("plain_relu") - of.trained(name),
        ),
        holds=f"ReLU reads more than {label}.",
        fails=f"ReLU reads no more than {label}.",
        open=f"ReLU and {label} are too near each other to tell.",
    )


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
            "adversarial images of which the file is wrong; more than 95 %",
            lambda of: answers.array(of.made("carried_back")[name]),
            above=0.95,
        ),
        holds="So the verdict about the rebuilt network is one about the published file.",
        fails="The published file withstands some of them: rebuilt, it is another network.",
        open="It is fooled by about 95 % of them.",
        seeds=1,
    )


def _moved_more(one, other):
    return lambda of: _moved(of, one) - _moved(of, other)


CLAIMS = (
    _rebuilt(
        "rebuilt",
        [name for name in NAMES if name not in _OTHERWISE],
        "They answer otherwise than the published files.",
    ),
    _rebuilt(
        "rebuilt_fitted",
        _OTHERWISE,
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
        open="They leave about as much, on so few images.",
        seeds=1,
    ),
    _tells("pgd_tells", "relu", "", f"{_THEIRS['relu']} %"),
    _tells("pgd_tells_kaf", "kaf", f"{_SEEN}: ", f"{_THEIRS['kaf']} %"),
    _tells("pgd_tells_silu", "swish", f"{_SEEN}: ", f"{_THEIRS['swish']} %"),
    _tells("pgd_tells_kwta", "vgg_kwta", "Asked here: ", "not told"),
    _clean("kafrelu", "kafrelu", "relu", "KAF raises clean accuracy (from ReLU, the best)"),
    _clean("kaf", "kaf", "relu", "KAF raises clean accuracy"),
    _clean("elu", "relu", "elu", "ELU lowers clean accuracy"),
    _clean("kafelu", "kafelu", "elu", "KAF from ELU reads more than ELU"),
    _clean("kafsilu", "kafswish", "swish", "KAF from SiLU reads more than SiLU"),
    _ours("vgg_kaf", "vgg_kaf", "vgg_relu", "VGG, trained anew: KAF"),
    _ours("vgg_silu", "vgg_silu", "vgg_relu", "VGG, trained anew: SiLU"),
    _ours("resnet20_kaf", "resnet20_kaf", "resnet20_relu", "ResNet-20, trained anew: KAF"),
    _ours("vgg_free", "vgg_kaf_free", "vgg_relu", "VGG, trained anew: KAF with a free dictionary"),
    _ours(
        *("vgg_kwta", "vgg_kwta", "vgg_relu", "VGG, adversarially trained: kWTA"),
        number="50.7 % against 43.6 % (ResNet-18, the least of several attacks, quoted there from "
        "Xiao et al.)",
    ),
    _without("kwta", "kWTA"),
    _without("kaf", "KAF"),
    *map(_costs, ("kaf", "kwta")),
    Claim(
        "resnet56",
        "KafResNet-56 started at random does not train",
        "not a number after the first step, in half precision",
        alone(
            "clean accuracy, without the sign; below 20 %",
            lambda of: -of.trained("resnet56_kaf"),
            above=-0.2,
        ),
        holds="In single precision it stays finite, and learns next to nothing.",
        fails="In single precision it learns something.",
        open="It hardly learns.",
    ),
    Claim(
        "first_step",
        "Asked here: its first gradient, started as published, is beyond half precision",
        "not told",
        alone(
            "decimal logarithm of the gradient's norm; that of the largest number in half "
            "precision",
            lambda of: of.made("first_step")["random"],
            above=4.816,
            unit="",
        ),
        holds="That explains what is not a number there.",
        fails="That does not explain what is not a number there.",
    ),
    Claim(
        "resnet56_elu",
        "Asked here: started as ELU by ridge regression it trains as ResNet-56 with ReLU does",
        "not measured there",
        alone(
            "clean accuracy, less that with ReLU; no five points less",
            lambda of: of.trained("resnet56_kaf_elu") - of.trained("resnet56_relu"),
            above=-0.05,
        ),
        holds="It trains: what does not is the start, not the activation.",
        fails="It trains worse than the network with ReLU.",
        open="Three epochs of so few images do not tell.",
    ),
    Claim(
        "autoattack",
        "Asked here: `autoattack` finds no five points more on the published ReLU and KAF",
        "not measured there",
        alone(
            "what `autoattack` and the audit leave below `quick` and the audit, 50 images of each; "
            "within five points",
            lambda of: np.concatenate([_further(of, name) for name in ("relu", "kaf")]),
            above=-0.05,
        ),
        holds="It finds no five points more.",
        fails="It finds more than five points that `quick` missed.",
        open="It finds a few points more.",
        seeds=1,
    ),
    Claim(
        "lipschitz",
        "Bounds by products of the layers' Lipschitz constants are of no use for KAF",
        "no number",
        alone(
            "decimal logarithm of the bound, KAF beyond ReLU; a thousandfold",
            lambda of: of.made("lipschitz")["kaf"] - of.made("lipschitz")["relu"],
            above=3.0,
            unit="",
        ),
        holds="The bound is more than a thousand times that of the ReLU network.",
        fails="The bound is less than a thousand times that of the ReLU network.",
        open="It is about a thousand times that of the ReLU network.",
        seeds=1,
    ),
    *(
        Claim(
            f"activations_{other}",
            "Without adversarial training an attack moves the distribution of KAF's activations "
            f"less than that of {label}'s",
            "figures, no numbers",
            alone(
                "Kolmogorov-Smirnov distance of clean and attacked activations, images that were "
                f"fooled, mean over the layers: {label} less KAF",
                _moved_more(f"plain_{other}", "plain_kaf"),
                unit="",
            ),
            holds=f"KAF's move less than {label}'s.",
            fails=f"KAF's move no less than {label}'s.",
            open="They move about as much.",
        )
        for other, label in (("relu", "ReLU"), ("kwta", "kWTA"))
    ),
)


def _further(of, name):
    """What `autoattack` leaves less what `quick` leaves of the same images."""
    found = _worst(of, f"{name}_autoattack")
    return found - _worst(of, name)[: len(found)]


def _moved(of, run):
    """Mean over the layers of how far an attack moves their activations."""
    layers = of.model(run).get("activations")
    if not layers:
        raise NotRunError(run)
    return float(np.mean([layer["distance"] for layer in layers]))


def _largest(of, networks):
    """The largest difference of those that have been rebuilt so far."""
    found = []
    for name in networks:
        with contextlib.suppress(NotRunError):
            found.append(of.made(f"rebuilt_{name}")["largest"])
    if not found:
        raise NotRunError(f"rebuilt_{networks[0]}")
    return max(found)
