"""Names by which users choose and to which a library answers: each list stands here alone."""

from collections.abc import Iterable, Mapping
from typing import Any

MODELS = (
    *("fc5", "lenet5", "conv_small", "cifar_quick", "alexnet", "vgg"),
    *("resnet18", "resnet18_narrow", "resnet20", "resnet56"),
)
# Their networks end in an RBF unit.
SYMMETRIC_ACTIVATIONS = ("rbf", "mrelu")
KERNEL_ACTIVATIONS = ("kaf", "kaf_elu", "kaf_relu", "kaf_silu")
ACTIVATIONS = (
    *("relu", "elu", "silu", "gelu", "softplus", "parametric_softplus", "prelu", "smooth_relu"),
    *("sigmoid", "tanh", "maxout", "maxmin", *KERNEL_ACTIVATIONS, "kwta"),
    *SYMMETRIC_ACTIVATIONS,
)
# What can be held to a Lipschitz constant.
LIPSCHITZ_MODELS = ("fc5", "lenet5", "conv_small")
LIPSCHITZ_ACTIVATIONS = (
    *("relu", "elu", "softplus", "parametric_softplus", "smooth_relu", "sigmoid", "tanh"),
    *("maxout", "maxmin", *KERNEL_ACTIVATIONS),
)
INITIALIZERS = ("he", "ibp")
KERNELS = ("gaussian", "relu", "softplus")
BANDWIDTH_RULES = ("paper", "reference")
OPTIMIZERS = ("adam", "sgd")
LOSSES = ("cross_entropy", "hybrid")
LEARNING_RATE_SCHEDULES = ("cosine", "constant", "one_cycle", "step")
DISTRIBUTIONS = ("none", "mirrored", "multi_worker")
EXPORT_FORMATS = ("litert", "onnx")
UNUSUAL = ("noisy", "nonsense", "fooling_gradient", "fooling_direct", "fooling_cppn")
ATTACKS = (
    *("fgsm", "step_ll", "bim", "pgd", "mim", "margin_pgd", "nearest_pgd", "jumping_pgd"),
    *("apgd_ce", "apgd_dlr", "apgd_targeted", "apgd_accepted"),
    *("fab_targeted", "deepfool", "cw", "jsma"),
    *("square", "spsa", "es_pgd", "hopskipjump"),
    *("autoattack", "quick", "uniform_noise", "gaussian_noise"),
)


def table(names: Iterable[str], entries: Mapping[str, Any]) -> dict[str, Any]:
    """What a library has for each of the names, in their order.

    Raises:
        ValueError: a name has no entry, or an entry no name; while the library is imported.
    """
    names = tuple(names)
    if set(names) != set(entries):
        raise ValueError(f"`entries` must be {', '.join(names)}. Received: {', '.join(entries)}")
    return {name: entries[name] for name in names}
