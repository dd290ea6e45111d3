"""The runs of the survey's study."""

from robust_keras.studies import jsma_grid, other_models, proofs, transfer_table
from robust_keras.studies.study import Evaluate, Make, Train, once
from robust_keras.studies.transferred import EPSILON, EPSILONS, LONG_SOURCES, MODELS

SEEDS = (0, 1, 2, 3, 4)
PROVED = 0.005
_MNIST = ("--dataset=mnist", "--batch_size=100", "--epochs=2")
_RECIPE = (
    *("--normalise=false", "--kernel_scale=0.1"),
    *("--learning_rate=5e-3", "--learning_rate_schedule=one_cycle"),
)
_ROBUST = (*_RECIPE, "--adversarial=fast", "--train_epsilon=0.3")
_FOOLING = "--unusual=fooling_gradient,fooling_direct,fooling_cppn"
# Added to a seed, it gives one that no other training has.
_ANOTHER = 100


def _train(name, seed, *flags, model="lenet5", drawn=None):
    drawn = seed if drawn is None else drawn
    return Train(f"{name}-{seed}", (*_MNIST, f"--model={model}", *flags, f"--seed={drawn}"))


def _evaluate(name, models, seed, *flags, examples=300):
    paths = ",".join(f"RUNS/{model}-{seed}/serving" for model in models)
    given = (f"--models={paths}", "--dataset=mnist", f"--examples={examples}", *flags)
    return Evaluate(f"{name}-{seed}", given)


def _made(name, make, images, seed, *models):
    return Make(f"{name}-{seed}", make, images, needs=tuple(f"{m}-{seed}" for m in models))


def _alone(seed):
    """The plain network: what fools it, and where its examples and its features lead."""
    yield _train("plain", seed)
    yield _evaluate("plain", ["plain"], seed, "--attacks=fgsm", "--epsilons=0.3", _FOOLING)
    yield _made("carried", other_models.carried(f"plain-{seed}"), 10_000, seed, "plain")
    yield _features(seed)
    yield _made("grid", jsma_grid.reached(f"plain-{seed}"), 20, seed, "plain")


def _features(seed):
    return _made("features", other_models.features(f"plain-{seed}"), 1_797, seed, "plain")


def _two_more(seed):
    """What claims about less than two points need of more seeds."""
    yield _train("plain", seed)
    yield _features(seed)
    yield from _twins(seed)
    yield _penalty(seed)
    yield from _protected(seed)


def _twins(seed):
    """Two networks that differ in the examples that they are trained on alone."""
    yield _train("adversarial", seed, *_ROBUST)
    yield _train("twin", seed, *_RECIPE)


def _after_training(seed):
    """What adversarial training changes of fooling images and of first layers."""
    yield from _twins(seed)
    yield _evaluate(
        *("robust", ["adversarial", "twin"], seed, "--attacks=fgsm", "--epsilons=0.3", _FOOLING),
        examples=100,
    )
    yield _train("fc5_adversarial", seed, *_ROBUST, model="fc5")
    yield _train("fc5_plain", seed, *_RECIPE, model="fc5")
    yield _train("fc5_again", seed, *_RECIPE, model="fc5", drawn=seed + _ANOTHER)
    models = "fc5_adversarial", "fc5_plain", "fc5_again"
    make = other_models.first_weights(*(f"{model}-{seed}" for model in models))
    yield _made("weights", make, 0, seed, *models)


def _penalty(seed):
    return _train("penalty", seed, "--gradient_penalty=10")


def _black_box(seed):
    """Attackers who see answers alone."""
    yield _penalty(seed)
    yield _evaluate(
        *("substitute", ["plain", "penalty", "adversarial"], seed, "--attacks=fgsm"),
        *("--epsilons=0.3", "--transfer", "--transfer_attack=fgsm", "--substitute"),
    )


def _protected(seed):
    """The other networks, and everybody's examples on everybody."""
    yield _train("elu", seed, "--activation=elu")
    yield _train("fc5", seed, model="fc5")
    sources = f"--source_models=RUNS/fc5-{seed}/model.keras,RUNS/elu-{seed}/model.keras"
    yield _train(
        *("ensemble", seed, "--adversarial=ensemble", "--train_epsilon=0.3"),
        *("--ensemble_attack=step_ll", sources),
    )
    runs, long_runs = ([f"{m}-{seed}" for m in models] for models in (MODELS, LONG_SOURCES))
    steps = transfer_table.table("step_ll", runs, runs, EPSILONS)
    yield _made("transfer", steps, 300, seed, *MODELS)
    yield _made(
        *("long", transfer_table.table("pgd", long_runs, runs, [EPSILON]), 300, seed), *MODELS
    )


def _attacked(model):
    """An attacker who has the network."""
    return lambda seed: [
        _evaluate(
            *(f"{model}_attacked", [model], seed, "--attacks=fgsm,step_ll,quick"),
            "--epsilons=0.3",
            examples=100,
        )
    ]


def _denoised(seed):
    """What takes longest for what it decides."""
    yield Train(
        f"denoiser-{seed}",
        (
            *_MNIST,
            *("--denoiser", f"--classifier=RUNS/plain-{seed}/model.keras"),
            *("--denoiser_epsilon=0.3", "--train_examples=20000", f"--seed={seed}"),
        ),
    )
    yield _evaluate(
        *("denoised", ["plain", "denoiser"], seed, "--attacks=pgd,quick", "--epsilons=0.3"),
        *("--transfer", "--transfer_attack=pgd"),
        examples=100,
    )


def _steps(parts, seeds):
    for part in parts:
        for seed in seeds:
            yield from part(seed)


# Those that a claim asks for come before those of a column alone.
_CLAIMED, _SHOWN = ("ensemble", "adversarial"), ("penalty", "plain", "twin", "elu", "fc5")
_DECIDING = (_alone, _after_training, _black_box, _protected, *map(_attacked, _CLAIMED), _denoised)
_PARTS = (*_DECIDING, *map(_attacked, _SHOWN))
SHORT = (
    *_steps(_DECIDING, SEEDS[:3]),
    *_steps((_two_more,), SEEDS[3:]),
    *_steps(map(_attacked, _SHOWN), SEEDS[:3]),
    *proofs.steps(MODELS, SEEDS[:3], dataset="mnist", epsilons=(PROVED, 0.02)),
)
STEPS = once((*SHORT, *_steps(_PARTS, SEEDS)))
