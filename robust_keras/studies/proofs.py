"""What bounds prove of a study's networks, beside what attacks leave."""

from collections.abc import Callable, Iterable, Iterator

from robust_keras.studies.study import Evaluate, Value

# Proofs of so many images tell a share to a few points, at seconds a network.
_IMAGES = 100


def steps(
    models: Iterable[str],
    seeds: Iterable[int],
    *,
    dataset: str,
    epsilons: tuple[float, ...],
    images: int = _IMAGES,
) -> Iterator[Evaluate]:
    """Gives one evaluation a trained network: `--certify=bounds`, and one step as an attack.

    Args:
        models: names of the study's networks, whose runs are trained before.
        seeds: of each.
        dataset: name of a data set.
        epsilons: where something can be proved, in [0, 1], rising.
        images: of the test images.
    """
    asked = (
        f"--epsilons={','.join(map(str, epsilons))}",
        *(f"--dataset={dataset}", f"--examples={images}", "--attacks=fgsm", "--certify=bounds"),
    )
    for model in models:
        for seed in seeds:
            yield Evaluate(
                f"{_run(model)}-{seed}", (f"--models=RUNS/{model}-{seed}/serving", *asked)
            )


def column(epsilon: float) -> tuple[str, Callable[[str], Value]]:
    """Gives the column of what is proved at an epsilon: its title, and the value of a network."""
    return f"proved right within {epsilon:g}", lambda model: share(model, epsilon)


def share(model: str, epsilon: float) -> Value:
    """Gives the share of the images of which it is proved that a network's answer stays right."""
    return lambda of: of.proved(_run(model), epsilon)


def _run(model):
    return f"{model}_proved"
