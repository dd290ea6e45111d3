"""The methods of adversarial training, each declared once: for flags, library and users' own."""

import dataclasses

# What every method reads, by the library's names.
SHARED = ("epsilon", "warm_up_epochs", "epsilon_ramp_epochs")


@dataclasses.dataclass(frozen=True, kw_only=True)
class MethodDeclaration:
    """What has to be known of a method before TensorFlow is imported.

    Whatever a method does not declare is refused beside it.

    Args:
        name: as `--adversarial` and `AdversarialSettings` take it.
        code: "module:Class", a `robust_keras.training.methods.Method`, imported once it trains.
        settings: the settings it reads beside `SHARED`, by the library's names.
        one_replica: whether a step needs the whole batch, or one model.
    """

    name: str
    code: str
    settings: tuple[str, ...] = ()
    one_replica: bool = False

    @property
    def reads(self) -> tuple[str, ...]:
        """All settings that mean something to it."""
        return (*SHARED, *self.settings)


METHODS: dict[str, MethodDeclaration] = {}


def register(method: MethodDeclaration) -> None:
    """Makes a method known by its name to flags and library; a name that is taken is refused."""
    if method.name in METHODS:
        raise ValueError(f"`name` must be one that is free. Received: name={method.name!r}")
    METHODS[method.name] = method


def owners(setting: str) -> tuple[str, ...]:
    """Names of the methods that declare a setting as theirs."""
    return tuple(name for name, method in METHODS.items() if setting in method.settings)


_HERE = "robust_keras.training.methods"
register(MethodDeclaration(name="pgd", code=f"{_HERE}.pgd:Pgd", settings=("steps",)))
register(
    MethodDeclaration(
        name="free", code=f"{_HERE}.free:Free", settings=("replays",), one_replica=True
    )
)
register(MethodDeclaration(name="fast", code=f"{_HERE}.fast:Fast"))
register(MethodDeclaration(name="n_fgsm", code=f"{_HERE}.n_fgsm:NFgsm"))
register(MethodDeclaration(name="half_fgsm", code=f"{_HERE}.half_fgsm:HalfFgsm"))
register(
    MethodDeclaration(name="trades", code=f"{_HERE}.trades:Trades", settings=("steps", "beta"))
)
register(
    MethodDeclaration(
        name="ensemble",
        code=f"{_HERE}.ensemble:Ensemble",
        settings=("source_models", "ensemble_attack"),
        one_replica=True,
    )
)
register(MethodDeclaration(name="ibp", code=f"{_HERE}.ibp:Ibp", settings=("steps", "bound_weight")))
register(MethodDeclaration(name="gaussian", code=f"{_HERE}.gaussian:Gaussian"))
