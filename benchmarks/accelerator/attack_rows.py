"""Attacks: each on the accelerator, beside the CPU, and against the same steps in plain torch."""

import pathlib
import statistics
import tempfile
import time

import numpy as np
import timing
from attack_cases import weights

from accelerator import attacked_model
from accelerator.rows import Row, must
from accelerator.torch_process import TorchProcess
from robust_keras import engine
from robust_keras.attacks import APGDCE, ATTACKS, PGD, ThreatModel

# Thousands of queries, or pixel by pixel: of few images.
SLOW = ("jsma", "hopskipjump", "es_pgd", "spsa", "square", "cw", "autoattack")
# The ball in which nothing falls: all take all steps.
TINY = 1e-4
PLAIN = {
    "pgd": lambda steps: PGD(steps=steps, step=0.1, stop_early=False),
    "apgd_ce": lambda steps: APGDCE(steps=steps),
}


def compared_rows(settings, group):
    """Two attacks beside the CPU and against torch."""
    count = 32 if settings.smoke else 500
    return [
        *(
            Row(group, f"{name} beside the CPU", lambda n=name: _beside_cpu(n, count))
            for name in PLAIN
        ),
        *(
            Row(group, f"{name} against torch", lambda n=name: _against_torch(n, settings))
            for name in PLAIN
        ),
    ]


def rows(settings, group):
    """Each attack of all; the shortened benchmark takes one."""
    names = ("fgsm",) if settings.smoke else ATTACKS
    return [Row(group, name, lambda n=name: _attack(n)) for name in names]


def _attack(name):
    """What the attack leaves, and the seconds an image, without those for tracing."""
    attack, count = ATTACKS[name](), 8 if name in SLOW else 128
    norm = next(norm for norm in ("linf", "l2") if norm in attack.norms)
    images, labels = attacked_model.examples(count, seed=2)
    threat_model = ThreatModel(norm, (attacked_model.EPSILONS[norm],))
    seconds, lefts = [], []
    for _ in range(2):
        start = time.perf_counter()
        found = _evaluation(attack, images, labels, threat_model, count)
        seconds.append(time.perf_counter() - start)
        lefts.append(found.worst_case[0])
    others = int((lefts[0] != lefts[1]).sum())
    must(others <= count / 50, f"left {lefts[0].sum()}, the second time {lefts[1].sum()}")
    return {
        "left": _share(found),
        "ms an image": 1000 * seconds[1] / count,
        "s more the first time": seconds[0] - seconds[1],
        "not the same twice": others,
    }


def _evaluation(attack, images, labels, threat_model, batch, device=None):
    replicas = engine.Replicas([attacked_model.classifier()], [device])
    sizes = {"batch_size": batch, "seed": 0}
    return engine.evaluate(replicas, images, labels, [attack], threat_model, **sizes)


def _share(found):
    return f"{found.worst_case[0].sum()} of {found.clean_correct.sum()}"


def _beside_cpu(name, count):
    """At most one image of fifty falls on one of the two only."""
    images, labels = attacked_model.examples(count, seed=2)
    threat_model = ThreatModel("linf", (attacked_model.EPSILONS["linf"],))
    attack = PLAIN[name](20)
    found = _evaluation(attack, images, labels, threat_model, count)
    exact = _evaluation(attack, images, labels, threat_model, count, "CPU:0")
    others = int((found.worst_case[0] != exact.worst_case[0]).sum())
    must(others <= count / 50, f"left {_share(found)}, on the CPU {_share(exact)}")
    return {"left": _share(found), "on the CPU": _share(exact), "not the same": others}


def _against_torch(name, settings):
    """Equal steps, batch and model; rounds take turns."""
    count, batch, steps, rounds = (16, 8, 4, 3) if settings.smoke else (1000, 250, 40, 7)
    images, labels = attacked_model.examples(count, seed=2)
    asked = {"attack": name, "steps": steps, "batch": batch, "epsilon": TINY}
    lefts = {}

    def ours():
        found = _evaluation(PLAIN[name](steps), images, labels, ThreatModel("linf", (TINY,)), batch)
        lefts["ours"] = int(found.worst_case[0].sum())

    with tempfile.TemporaryDirectory() as directory:
        case = _case(pathlib.Path(directory), images, labels)
        with TorchProcess(settings.torch_python, case) as torch:
            must(torch.about["difference"] < 1e-2, "the model in torch answers differently")

            def theirs():
                lefts["torch"] = torch.attack(**asked)["left"]

            seconds = timing.interleaved({"ours": ours, "torch": theirs}, rounds)
    return {
        "times as fast": timing.ratios(seconds, "ours")["torch"],
        "ms an image": 1000 * statistics.median(seconds["ours"]) / count,
        "torch, ms": 1000 * statistics.median(seconds["torch"]) / count,
        "left": f"{lefts['ours']}, torch {lefts['torch']}",
        "torch on": f"{torch.about['torch']} {torch.about['device']}",
    }


def _case(directory, images, labels):
    model, file = attacked_model.trained(), directory / "case.npz"
    answers = model.predict(images, verbose=0)
    np.savez(file, images=images, labels=labels, answers=answers, **weights(model))
    return file
