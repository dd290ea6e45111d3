"""The runs that are recorded: tiny models, tiny data, and every part of the two programs.

Paths are relative to one directory, which holds the data set, the models and what the runs write.
"""

import dataclasses

DATA = "digits.npz"
_SMALL = "small.keras"
_KERNELS = "kernels.keras"
_RANDOM = "random.keras"
MODELS = (_SMALL, _KERNELS, _RANDOM)


@dataclasses.dataclass(frozen=True)
class Case:
    """One run of a program.

    Args:
        name: its directory too.
        program: `train.py` or `evaluate.py`.
        flags: those beyond the data, the directory and the seed, as `name=value`.
    """

    name: str
    program: str
    flags: tuple[str, ...]

    def arguments(self):
        """What the program is called with."""
        common = (f"dataset={DATA}", f"output_dir={self.name}", "seed=3")
        return [self.program, *(f"--{flag}" for flag in (*common, *self.flags))]


def _training(name, *flags):
    small = ("epochs=2", "batch_size=32", "validation_fraction=0.1")
    return Case(name, "train.py", (*small, *flags))


def _evaluation(name, models, *flags, examples=12):
    return Case(name, "evaluate.py", (f"models={models}", f"examples={examples}", *flags))


CASES = (
    _training(
        "trades_pruned",
        "model=fc5",
        "activation=relu",
        "adversarial=trades",
        "train_epsilon=0.1",
        "adversarial_steps=2",
        "final_sparsity=0.5",
        "pruning_frequency=1",
        "ema_momentum=0.9",
    ),
    _training(
        "free_rejecting",
        "model=fc5",
        "activation=mrelu",
        "adversarial=free",
        "train_epsilon=0.05",
        "replays=2",
        "noise_training",
        "mean_training",
        "rejection_threshold=0.3",
    ),
    _training(
        "student_of_low_rank",
        "model=lenet5",
        "activation=smooth_relu",
        "distillation_teacher=trades_pruned/model.keras",
        "temperature=20",
        "low_rank=2",
        "low_rank_method=constraint",
    ),
    _evaluation(
        "linf",
        _SMALL,
        "attacks=uniform_noise,fgsm,step_ll,bim,pgd,mim,margin_pgd,apgd_ce,apgd_dlr,apgd_targeted,"
        "fab_targeted,deepfool,jsma,square,spsa,es_pgd,hopskipjump",
        "epsilons=0.02,0.06",
        "keep_examples",
    ),
    _evaluation(
        "l2",
        _SMALL,
        "attacks=gaussian_noise,pgd,apgd_dlr,fab_targeted,deepfool,cw,square,hopskipjump",
        "norm=l2",
        "epsilons=0.2,0.6",
    ),
    _evaluation(
        "survivors_bisection_transfer",
        f"{_SMALL},trades_pruned/serving",
        "attacks=pgd,quick",
        "epsilons=0.02,0.08",
        "sweep=bisection",
        "survivors_only",
        "transfer",
        "substitute",
        "substitute_images=20",
    ),
    _evaluation(
        "random",
        _RANDOM,
        "attacks=pgd,apgd_dlr,square,hopskipjump",
        "epsilons=0.05",
        "expectation_samples=2",
        "attacker_temperature=removed",
        examples=8,
    ),
    _evaluation(
        "rejecting_unusual_smallest",
        "free_rejecting/serving",
        "attacks=pgd,apgd_accepted",
        "epsilons=0.02,0.1",
        "unusual=noisy,nonsense,fooling_gradient,fooling_direct,fooling_cppn",
        "fooling_steps=20",
        "fooling_generations=1",
        "minimal_epsilon",
        "minimal_attack=pgd",
        "minimal_largest=0.2",
    ),
    _evaluation(
        "smallest_l2",
        _KERNELS,
        "attacks=margin_pgd",
        "norm=l2",
        "epsilons=0.5",
        "minimal_epsilon",
        "minimal_attack=fab_targeted",
    ),
)
