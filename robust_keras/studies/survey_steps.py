"""The runs of the survey's study."""

from robust_keras.studies import other_models, proofs, step_ll_transfer
from robust_keras.studies.study import Evaluate, Make, Train, once
from robust_keras.studies.transfer_claims import EPSILONS, MODELS

SEEDS = (0, 1, 2, 3, 4)
PROVED = 0.005
_PROVED_OF = ("plain", "elu", "fc5", "adversarial", "ensemble", "penalty")
_MNIST = ("--dataset=mnist", "--batch_size=100", "--epochs=2")
_ROBUST = (
    *("--normalise=false", "--kernel_scale=0.1", "--adversarial=fast", "--train_epsilon=0.3"),
    *("--learning_rate=5e-3", "--learning_rate_schedule=one_cycle"),
)
_FOOLING = "--unusual=fooling_gradient,fooling_direct,fooling_cppn"


def _train(name, seed, *flags, model="lenet5"):
    return Train(f"{name}-{seed}", (*_MNIST, f"--model={model}", *flags, f"--seed={seed}"))


def _evaluate(name, models, seed, *flags, examples=300):
    paths = ",".join(f"RUNS/{model}-{seed}/serving" for model in models)
    given = (f"--models={paths}", "--dataset=mnist", f"--examples={examples}", *flags)
    return Evaluate(f"{name}-{seed}", given)


def _alone(seed):
    """The plain network: what fools it, and where its examples and its features lead."""
    yield _train("plain", seed)
    yield _evaluate(
        "plain", ["plain"], seed, "--attacks=fgsm", "--epsilons=0.3", _FOOLING, "--keep_examples"
    )
    attacked = other_models.carried(f"plain-{seed}")
    yield Make(f"carried-{seed}", attacked, 10_000, needs=(f"plain-{seed}-report",))
    yield _features(seed)


def _features(seed):
    run = f"plain-{seed}"
    return Make(f"features-{seed}", other_models.features(run), 1_797, needs=(run,))


def _two_more(seed):
    """What claims about less than two points need of more seeds."""
    yield _train("plain", seed)
    yield _features(seed)
    yield _train("adversarial", seed, *_ROBUST)


def _after_training(seed):
    """What adversarial training changes of fooling images and of first layers."""
    yield _train("adversarial", seed, *_ROBUST)
    yield _evaluate(
        *("robust", ["adversarial"], seed, "--attacks=fgsm", "--epsilons=0.3"),
        "--unusual=fooling_gradient",
        examples=100,
    )
    yield _train("fc5_adversarial", seed, *_ROBUST, model="fc5")
    yield _train("fc5_plain", seed, "--normalise=false", "--kernel_scale=0.1", model="fc5")
    pair = f"fc5_adversarial-{seed}", f"fc5_plain-{seed}"
    yield Make(f"weights-{seed}", other_models.first_weights(*pair), 0, needs=pair)


def _protected(seed):
    """The other networks, and everybody's examples on everybody."""
    yield _train("elu", seed, "--activation=elu")
    yield _train("fc5", seed, model="fc5")
    sources = f"--source_models=RUNS/fc5-{seed}/model.keras,RUNS/elu-{seed}/model.keras"
    yield _train(
        *("ensemble", seed, "--adversarial=ensemble", "--train_epsilon=0.3"),
        *("--ensemble_attack=step_ll", sources),
    )
    runs = tuple(f"{model}-{seed}" for model in MODELS)
    table = step_ll_transfer.table(runs, EPSILONS)
    yield Make(f"transfer-{seed}", table, 300, needs=runs)
    yield _evaluate(
        *("hardened", ["ensemble"], seed, "--attacks=step_ll,quick", "--epsilons=0.3"),
        examples=100,
    )


def _black_box(seed):
    yield _train("penalty", seed, "--gradient_penalty=10")
    yield _evaluate(
        *("substitute", ["plain", "penalty"], seed, "--attacks=fgsm", "--epsilons=0.3"),
        *("--transfer", "--transfer_attack=fgsm", "--substitute"),
    )
    yield _evaluate(
        *("grid", ["plain"], seed, "--attacks=jsma", "--epsilons=1", "--target_class=all"),
        examples=20,
    )


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


_PARTS = (_alone, _after_training, _black_box, _protected, _denoised)
SHORT = (
    *_steps(_PARTS, SEEDS[:3]),
    *_steps((_two_more,), SEEDS[3:]),
    *proofs.steps(_PROVED_OF, SEEDS[:3], dataset="mnist", epsilons=(PROVED, 0.02)),
)
STEPS = once((*SHORT, *_steps(_PARTS, SEEDS)))
