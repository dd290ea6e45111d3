"""Curves over the strengths of Zhao and Griffin (2016), of what costs no long attack."""

from typing import Any

from robust_keras import noise_strengths
from robust_keras.studies.known import NotRunError
from robust_keras.studies.seen import shuffled
from robust_keras.studies.study import Figure, MadeBy, Make, Place, Value

# So many samples tell a share of two percent from none, at seconds a network.
IMAGES = 1000
_BATCH = 250
KINDS = ("adversarial", "noisy", "nonsense")
STRENGTHS = {"mnist": noise_strengths.MNIST, "cifar10": noise_strengths.CIFAR10}
# Kind -> what a table of it shows: its words, and the share of which the cells tell.
_SHOWN = {
    "adversarial": ("read under the study's own step", "accuracy"),
    "noisy": ("read with noise", "accuracy"),
    "nonsense": ("nonsense accepted that was moved towards a class", "accepted"),
}


def step(model: str, seed: int, dataset: str) -> Make:
    """Gives the step that shows a trained network all three kinds.

    Args:
        model: name of the study's network, whose run is trained before.
        seed: of the run.
        dataset: `mnist` or `cifar10`.
    """
    run = f"{model}-{seed}"
    return Make(
        f"{_name(model)}-{seed}", measured(run, dataset, STRENGTHS[dataset]), IMAGES, needs=(run,)
    )


def measured(run: str, dataset: str, strengths: tuple[float, ...]) -> MadeBy:
    """What a network makes of images one step from real ones, of noisy ones and of nonsense.

    The adversarial step is the study's: `x - strength sign(grad_x L(x, t))`, t the wrong class of
    the largest `sum |grad_x L(x, t)|`. Nothing is cut off at 0 and 1.

    Args:
        run: of a trained network.
        dataset: whose first test images are taken, as many as the step may look at.
        strengths: numbers in [0, 1], rising.

    Returns:
        A `Make.make` whose result has `images`, how many there are, and for each of `KINDS` a list
        of one dict a strength: `strength`, `accuracy` (None of nonsense) and `accepted`.
    """

    def make(place: Place, images: int) -> dict[str, Any]:
        from robust_keras import data, serving, unusual
        from robust_keras.unusual.noisy_samples import strength_results
        from robust_keras.unusual.nonsense_samples import most_sensitive_signs

        test = data.load(dataset, place.data_dir).test.select(slice(0, images))
        network = serving.load(place.directory / run / "serving")
        given = test.float_images(), test.labels
        subject = unusual.Subject(network, *given, batch_size=_BATCH, seed=0)
        changes = -most_sensitive_signs(subject, *given)
        noisy = unusual.NoisySamples(strengths=strengths, clip=False)
        nonsense = unusual.NonsenseSamples(strengths=strengths, clip=False)
        found = {
            "adversarial": strength_results(
                subject, given[0], changes, strengths, False, test.labels
            ),
            "noisy": noisy.run(subject).strengths,
            "nonsense": nonsense.run(subject).strengths,
        }
        return {"images": len(test), **{kind: _rows(found[kind]) for kind in KINDS}}

    return make


def share(model: str, kind: str, strength: float) -> Value:
    """Gives the share that is read correctly, of nonsense the share that is accepted.

    Args:
        model: name of a network.
        kind: one of `KINDS`.
        strength: one of `STRENGTHS` of its data set.
    """
    field = _SHOWN[kind][1]

    def value(of):
        found = of.made(_name(model))
        for row in found[kind]:
            if abs(row["strength"] - strength) < 1e-9:
                return shuffled(row[field], found["images"], f"{model} {kind} {strength:g}")
        raise NotRunError(f"{kind} of {strength:g} on {model}")

    return value


def tables(dataset: str, title: str, rows: tuple[tuple[str, str], ...]) -> tuple[Figure, ...]:
    """Gives a table of each kind: networks by strengths.

    Args:
        dataset: `mnist` or `cifar10`.
        title: of the data set.
        rows: pairs of a label and the name of a network.
    """
    return tuple(
        Figure(
            title=f"{title}: {told}, %",
            across="strength",
            up="share",
            places=STRENGTHS[dataset],
            lines=tuple((label, _over(model, kind)) for label, model in rows),
        )
        for kind, (told, _) in _SHOWN.items()
    )


def _over(model, kind):
    return lambda strength: share(model, kind, strength)


def _name(model):
    return f"curves_{model}"


def _rows(strengths):
    fields = ("strength", "accuracy", "accepted")
    return [{field: getattr(row, field) for field in fields} for row in strengths]
