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


# Name, class, settings beside `SHARED`, whether a step needs the whole batch or one model.
_OWN: tuple[tuple[str, str, tuple[str, ...], bool], ...] = (
    ("pgd", "Pgd", ("steps",), False),
    ("free", "Free", ("replays",), True),
    ("fast", "Fast", (), False),
    ("n_fgsm", "NFgsm", (), False),
    ("half_fgsm", "HalfFgsm", (), False),
    ("trades", "Trades", ("steps", "beta"), False),
    ("ensemble", "Ensemble", ("source_models", "ensemble_attack"), True),
    ("ibp", "Ibp", ("steps", "bound_weight"), False),
    ("gaussian", "Gaussian", (), False),
)
for _name, _class, _settings, _one in _OWN:
    _code = f"robust_keras.training.methods.{_name}:{_class}"
    register(MethodDeclaration(name=_name, code=_code, settings=_settings, one_replica=_one))
