"""Made-up but realistic reports for the tests of robust_keras.reporting; the digits are real."""

import base64
import dataclasses
import functools
import types

import numpy as np

from robust_keras import findings, reporting
from robust_keras.data import mnist5k
from robust_keras.findings import byte_text

EPSILONS = (0.05, 0.1, 0.2, 0.3)
CREATED = "2026-11-21T10:55:00Z"
VERSIONS = {
    "python": "3.11.9",
    "tensorflow": "2.21.0",
    "keras": "3.15.1",
    "cleverhans": "4.0.0",
    "tensorflow-model-optimization": "0.8.1",
    "numpy": "2.4.6",
    "robust_keras": "0.1.0",
}
COMMAND = (
    "python evaluate.py --models=runs/quickstart/serving --dataset=mnist5k"
    " --attacks=fgsm,bim,pgd,mim --norm=linf --epsilons=0.05,0.1,0.2,0.3 --seed=0"
    " --output_dir=runs/quickstart/report"
)
PASSED = (
    (
        "finite gradients",
        "Every gradient is finite and 99.8 % of the images have one that is not zero.",
    ),
    (
        "logit scale",
        "Attacking logits / 100 finds no more adversarial examples than attacking logits.",
    ),
    ("batch dependence", "Logits do not depend on the other images of a batch."),
    ("more steps", "Twice the steps lower the worst case by 0.2 %, within the tolerance of 1 %."),
)


def attack(name, accuracy, *, steps=40, skipped=None):
    """One attack over 1,000 images; an image that has fallen is not attacked again."""
    gradient_steps = 0 if name.endswith("noise") else steps
    settings = {"steps": steps, "step": 1 / 30} if gradient_steps > 1 else {}
    if name == "pgd":
        settings |= {"restarts": 1}
    attacked = [] if skipped else [0.98, *accuracy[:-1]]
    candidates = round(1000 * sum(attacked)) * (1 if gradient_steps else 10)
    return findings.AttackReport(
        name=name,
        settings=settings if gradient_steps else {"repeats": 10},
        accuracy=accuracy,
        seconds=0.0003 * candidates * (1 + gradient_steps),
        gradient_evaluations=candidates * gradient_steps,
        forward_evaluations=candidates,
        skipped=skipped,
    )


def check(name, message, passed=True, **evidence):
    """One audit check."""
    return findings.AuditCheck(check=name, passed=passed, message=message, evidence=evidence)


def minimal_epsilon(count=10, **changes):
    """Smallest epsilons of `count` classes; class 0 mostly holds out."""
    random = np.random.default_rng(0)
    quantiles = [sorted(random.uniform(0.02, 0.25, 5)) for _ in range(count)]
    quantiles[0] = (0.1, 0.2, None, None, None)
    classes = [
        findings.ClassEpsilons(label=label, images=90 + label, quantiles=values)
        for label, values in enumerate(quantiles)
    ]
    values = {
        "attack": "quick",
        "settings": {"steps": 100, "targets": 3, "queries": 200},
        "largest": 0.3,
        "tolerance": 0.3 / 128,
        "found": 0.965,
        "quantiles": (0.0, 0.06, 0.09, 0.13, float("inf")),
        "classes": classes,
        "seconds": 80.0,
        "gradient_evaluations": 1_234_000,
        "forward_evaluations": 567_000,
    }
    return findings.MinimalEpsilonReport(**(values | changes))


def worst_case(accuracy, epsilons=EPSILONS):
    """The worst case at four epsilons."""
    return findings.WorstCaseReport(epsilons=epsilons, accuracy=accuracy)


def counter_attacks():
    """One that found something, and one that could not run."""
    found = findings.CounterAttackReport(
        name="losses without scale",
        against=("saturated logits", "zero gradients"),
        settings={"margin_pgd": {"steps": 60}},
        allowed=4000,
        tried=(981, 979, 979, 976),
        broken=(90, 295, 879, 969),
        accuracy=(0.891, 0.684, 0.1, 0.007),
        seconds=20.5,
        gradient_evaluations=60_000,
        forward_evaluations=1000,
    )
    skipped = dataclasses.replace(
        found, name="imitation", tried=(), broken=(), accuracy=(), skipped="It would take too long."
    )
    return found, skipped


def corrected_model(**changes):
    """The doubtful model after the audit attacked again."""
    values = {
        "counter_attacks": counter_attacks(),
        "settled": ("finite gradients", "logit scale"),
        "worst_case": dataclasses.replace(
            worst_case((0.891, 0.684, 0.1, 0.007)), before_audit=(0.981, 0.979, 0.979, 0.976)
        ),
    }
    return doubtful_model(**(values | changes))


def threat_model(**changes):
    """The usual attacker."""
    return findings.ThreatModelReport(**({"norm": "linf", "epsilons": EPSILONS} | changes))


def sound_model(**changes):
    """A model with five attacks and an audit that found nothing."""
    values = {
        "path": "runs/quickstart/serving/1",
        "format": "saved_model",
        "clean_accuracy": 0.972,
        "num_classes": 10,
        "parameters": 61_706,
        "sparsity": 0.8,
        "output_kind": "logits",
        "image_shape": (28, 28, 1),
        "attacks": (
            attack("uniform_noise", (0.971, 0.968, 0.955, 0.921)),
            attack("fgsm", (0.901, 0.742, 0.388, 0.171), steps=1),
            attack("bim", (0.893, 0.689, 0.121, 0.009)),
            attack("pgd", (0.894, 0.691, 0.118, 0.007)),
            attack("mim", (0.892, 0.694, 0.131, 0.012)),
        ),
        "worst_case": worst_case((0.891, 0.684, 0.112, 0.004)),
        "audit": tuple(
            check(name, text, images=250, largest_difference=3.1e-07) for name, text in PASSED
        ),
        "seconds": 128.4,
        "layers": (
            findings.LayerReport(name="conv1", gradient_norm=0.15),
            findings.LayerReport(
                name="conv1_activation", largest_slope=3.434, gradient_norm=0.0338
            ),
        ),
    }
    return findings.ModelReport(**(values | changes))


def with_classes(model, images=1000):
    """The model with a share of everything for each of its ten classes."""
    places = np.arange(10)

    def shares(accuracy):
        return [(round(accuracy * images) + 9 - k) // 10 for k in places]

    robust = np.array([shares(accuracy) for accuracy in model.worst_case.accuracy])
    size, counts = images // 10, np.zeros((10, model.num_classes), int)
    counts[places, places] = robust[-1]
    counts[places, (places + 3) % 10] = size - robust[-1]
    classes = [
        findings.ClassReport(
            class_=k, examples=size, clean=clean / size, robust=robust[:, k] / size
        )
        for k, clean in enumerate(shares(model.clean_accuracy))
    ]
    top = findings.TopFiveReport(clean=0.999, robust=(0.99, 0.98, 0.97, 0.96))
    moved = np.array(counts)[:, :10] * (1 - np.eye(10, dtype=int))
    targets = findings.TargetsReport(
        epsilon=model.worst_case.epsilons[-1],
        attacked=[size] * 10,
        moved=moved,
        seconds=3.0,
        gradient_evaluations=4000,
        forward_evaluations=5000,
        pictures=[target_picture(2, 2), target_picture(2, 7)],
    )
    return dataclasses.replace(
        model, per_class=classes, confusion=counts, top_five=top, targets=targets
    )


def target_picture(source, answer):
    """An image of a class, answered with one."""
    pixels = byte_text.encoded(np.arange(64, dtype=np.uint8) * (answer + 1) % 64 * 4)
    return findings.TargetPictureReport(
        index=source, source=source, answer=answer, confidence=0.87, shape=(8, 8, 1), pixels=pixels
    )


def quotable_model(**changes):
    """The same, attacked by an ensemble as well."""
    settings = {"steps": 100, "targets": 5, "queries": 200}
    quick = dataclasses.replace(
        attack("pgd", (0.88, 0.65, 0.1, 0.002)), name="quick", kind="iterative", settings=settings
    )
    values = {
        "path": "runs/ensemble/serving/1",
        "attacks": (*sound_model().attacks, quick),
        "worst_case": worst_case((0.88, 0.65, 0.1, 0.002)),
    }
    return sound_model(**(values | changes))


def doubtful_model(**changes):
    """A model whose gradients are masked: high numbers, and an audit that says so."""
    values = {
        "path": "runs/temperature_50/model.keras",
        "format": "keras",
        "sparsity": 0.0,
        "clean_accuracy": 0.981,
        "attacks": (
            attack("fgsm", (0.981, 0.980, 0.980, 0.978), steps=1),
            attack("pgd", (0.981, 0.979, 0.979, 0.976)),
        ),
        "worst_case": worst_case((0.981, 0.979, 0.979, 0.976)),
        "audit": (
            check(
                "finite gradients",
                "97.2 % of the images have a gradient of exactly zero: attacks had no direction.",
                passed=False,
                zero_gradients=0.972,
                images=250,
            ),
            check(
                "logit scale",
                "Attacking logits / 50 lowers robust accuracy from 97.6 % to 4.1 % at 0.3.",
                passed=False,
                divisors=[1, 10, 50, 100],
                accuracy=[0.976, 0.412, 0.041, 0.043],
            ),
            *(check(name, text) for name, text in PASSED[2:]),
        ),
    }
    return sound_model(**(values | changes))


def rejecting_model(**changes):
    """A model with two nonsense classes and a threshold."""
    rejection = findings.RejectionReport(
        nonsense_classes=2,
        threshold=0.5,
        clean_accepted=0.98,
        clean_accuracy=0.96,
        accuracy=(0.95, 0.9, 0.8, 0.6),
    )
    values = {"path": "runs/mean_training/serving/1", "num_classes": 12, "rejection": rejection}
    return sound_model(**(values | changes))


def fooling(name, *, shape=(28, 28, 1), generations=None, classes=10):
    """A way of making fooling images: noise, and confidence that grows with the class."""
    random = np.random.default_rng(len(name))
    images = []
    for index in range(classes):
        pixels = random.integers(0, 256, shape, np.uint8).tobytes()
        steps = {"top": index, "0.99": 12 + index, "0.999": None, "0.9999": None}
        images.append(
            findings.FoolingImageReport(
                class_index=index,
                confidence=(0.3, 0.7, 0.9999)[index % 3],
                accepted=index % 3 == 2,
                shape=shape,
                pixels=base64.b64encode(pixels).decode("ascii") if index < 20 else None,
                iterations={} if generations else steps,
            )
        )
    return findings.FoolingReport(
        name=name,
        settings={"steps": 300},
        images=images,
        generations=generations,
        seconds=8.25,
        gradient_evaluations=0 if generations else 3010,
        forward_evaluations=10 + 200 * (generations or 0),
    )


def strengths(*, accuracy):
    """Samples of the study's thirteen strengths."""
    return [
        findings.StrengthReport(
            strength=strength,
            accepted=1.0 - strength,
            mean_confidence=0.99 - strength,
            largest_confidence=1.0,
            accuracy=0.98 - strength if accuracy else None,
            accuracy_accepted=0.99 - strength if accuracy and strength < 0.5 else None,
        )
        for strength in (0, 0.01, 0.02, 0.03, 0.04, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5)
    ]


def unusual_model(**changes):
    """A model that was shown noise, nonsense and images made to fool it."""
    common = {"settings": {"clip": True}, "samples": 1000, "seconds": 1.5}
    costs = {"gradient_evaluations": 0, "forward_evaluations": 13_000}
    unusual = findings.UnusualReport(
        samples=(
            findings.SampleReport(
                name="noisy", strengths=strengths(accuracy=True), **common, **costs
            ),
            findings.SampleReport(
                name="nonsense", strengths=strengths(accuracy=False), **common, **costs
            ),
            findings.SampleReport(
                name="nonsense", strengths=(), **common, **costs, skipped="No gradient."
            ),
        ),
        fooling=(fooling("fooling_gradient"), fooling("fooling_cppn", generations=200)),
    )
    values = {"path": "runs/unusual/serving/1", "unusual": unusual}
    return sound_model(**(values | changes))


def gradient_free_model(**changes):
    """A stranger's SavedModel whose gradient was lost in saving: only noise could be tried."""
    reason = "the gradient of IdentityN was lost in saving (LookupError)"
    lost = {"steps": 40, "skipped": reason}
    values = {
        "path": "/models/stranger_tf23",
        "clean_accuracy": 0.958,
        "parameters": None,
        "sparsity": None,
        "output_kind": "probabilities",
        "attacks": (
            attack("uniform_noise", (0.957, 0.949, 0.917, 0.842)),
            attack("gaussian_noise", (0.955, 0.946, 0.902, 0.811)),
            attack("pgd", (0.958,) * 4, **lost),
            attack("mim", (0.958,) * 4, **lost),
        ),
        "worst_case": worst_case((0.955, 0.944, 0.896, 0.803)),
        "audit": (
            check("finite gradients", f"No gradient could be computed: {reason}.", passed=False),
            check("batch dependence", PASSED[2][1], images=250),
        ),
        "seconds": 4.2,
    }
    return sound_model(**(values | changes))


def transfer(*models, highest=0.95):
    """Each model and a substitute for it against all of them."""
    made = findings.SubstituteReport(images=150, queries=4800, agreement=0.9125)
    targets = [
        findings.TransferTarget(path=model.path, accuracy=(highest, 0.8, 0.6, 0.3))
        for model in models
    ]
    price = {"seconds": 2.5, "gradient_evaluations": 160_000, "forward_evaluations": 0}
    sources = [
        findings.TransferSource(path=model.path, targets=targets, substitute=substitute, **price)
        for substitute in (None, made)
        for model in models
    ]
    return findings.TransferReport(attack="pgd", settings={"steps": 40}, sources=sources)


def with_outcomes(model, *, images=1000, seed=0):
    """The model with a fate of each image that fits its numbers; the same seed, the same images."""
    easiness = np.random.default_rng(seed).permutation(images)
    shares = (model.clean_accuracy, *model.worst_case.accuracy)
    levels = sum((easiness < round(share * images)).astype(np.uint8) for share in shares)
    text = base64.b64encode(levels.tobytes()).decode("ascii")
    return dataclasses.replace(model, outcomes=text)


def report(*models, **changes):
    """A report on `models`, by default on the sound one."""
    values = {
        "dataset": findings.DatasetReport(
            name="mnist5k", split="test", examples=1000, num_classes=10
        ),
        "threat_model": threat_model(),
        "models": models or (sound_model(),),
        "seed": 0,
        "command": COMMAND,
        "created": CREATED,
        "versions": VERSIONS,
    }
    return reporting.Report(**(values | changes))


@functools.cache
def digits():
    """One real digit of each class, (10, 28, 28, 1) in [0, 1]."""
    images, labels = mnist5k._digits()
    first = [int(np.flatnonzero(labels == label)[7]) for label in range(10)]
    return (images[first] / 255.0).astype(np.float32).reshape(10, 28, 28, 1)


def examples(count=10, *, epsilon=0.1, channels=1):
    """Adversarial examples as the engine hands them over; a change is the sign of fixed noise."""
    random = np.random.default_rng(0)
    tint = np.linspace(1.0, 0.45, channels, dtype=np.float32)
    made = []
    for index in range(count):
        image = digits()[index % 10] * tint
        change = epsilon * np.sign(random.normal(size=image.shape)).astype(np.float32)
        made.append(
            types.SimpleNamespace(
                index=17 * index,
                image=image,
                adversarial=np.clip(image + change, 0.0, 1.0),
                label=index % 10,
                clean_class=index % 10,
                adversarial_class=(3 * index + 5) % 10,
                clean_confidence=0.999 - 0.01 * index,
                adversarial_confidence=0.42 + 0.05 * index,
                epsilon=epsilon,
                attack=("pgd", "mim")[index % 2],
            )
        )
    return made
