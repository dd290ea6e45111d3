"""Which flags of adversarial training make sense together. Standard library only, as config.py."""

from robust_keras.errors import InputError

# Flag -> the methods that use it; 0 stands for the published value.
_OF_METHOD = {
    "adversarial_steps": ("pgd", "trades"),
    "replays": ("free",),
    "trades_beta": ("trades",),
}
_OF_ALL = ("train_epsilon", "warm_up_epochs", "epsilon_ramp_epochs")


def check(config):
    """Raises InputError for the first flag that does not fit --adversarial or another flag.

    Args:
        config: a `TrainConfig` whose single values are valid.
    """
    method = config.adversarial
    if method == "none":
        for name in (*_OF_ALL, *_OF_METHOD):
            if getattr(config, name):
                _refuse(config, name, "0 while --adversarial is none")
        return
    if not config.train_epsilon:
        _refuse(config, "train_epsilon", f"a number above 0 with --adversarial={method}")
    for name, methods in _OF_METHOD.items():
        if getattr(config, name) and method not in methods:
            _refuse(
                config, name, f"0 with --adversarial={method} (it belongs to {', '.join(methods)})"
            )
    if config.replays == 1:
        _refuse(config, "replays", "at least 2, or 0 for the published 8")
    if method == "free" and config.distribute != "none":
        _refuse(config, "distribute", "none with --adversarial=free")
    if config.warm_up_epochs + config.epsilon_ramp_epochs >= config.epochs:
        raise InputError.expected(
            "--warm_up_epochs",
            f"fewer, with --epsilon_ramp_epochs, than --epochs={config.epochs}",
            config.warm_up_epochs + config.epsilon_ramp_epochs,
        )


def _refuse(config, name, expected):
    raise InputError.expected(f"--{name}", expected, getattr(config, name))
