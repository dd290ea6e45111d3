"""Flags of kernel activations."""

import dataclasses
import functools
from typing import Any

from robust_keras.settings import names, values
from robust_keras.settings.field import flag, switch

_NEEDS = "activation=" + "|".join(names.KERNEL_ACTIVATIONS)
_flag = functools.partial(flag, needs=_NEEDS)
_switch = functools.partial(switch, needs=_NEEDS)


@dataclasses.dataclass(frozen=True)
class KernelFlags:
    """Kernel activations: each flag without its first word is an argument of KAF."""

    kaf_kernel: str = _flag(
        "gaussian",
        values.Choice(names.KERNELS),
        "Kernel of the kernel activations; relu with --activation=kaf alone, which starts at "
        "random: nothing can be fitted with it.",
    )
    kaf_dictionary_size: int = _flag(
        20,
        values.Whole(2, 1000),
        "Number of kernels in each activation's dictionary; of each of its two axes with "
        "--kaf_paired.",
    )
    kaf_boundary: float = _flag(
        5.0,
        values.Number(minimum=1e-3, maximum=1e3),
        "The dictionary lies evenly from minus this to this; the kernel-activation study has 3.",
    )
    kaf_bandwidth: str = _flag(
        "paper",
        values.Choice(names.BANDWIDTH_RULES),
        "Bandwidth of the Gaussian kernel, by the distance d of two dictionary elements: paper is "
        "1 / (6 d^2), reference 1 / (8 d^2), both 1 / (4 d^2) with --kaf_paired.",
    )
    kaf_trainable_dictionary: bool = _switch("Train a dictionary for each channel.")
    kaf_trainable_bandwidth: bool = _switch(
        "Train the bandwidth of each channel's Gaussian kernels."
    )
    kaf_paired: bool = _switch(
        "Kernels of two inputs: channels are paired, and half as many come out."
    )

    def kernel_settings(self: Any) -> dict[str, Any]:
        """The arguments of the `KernelActivation`s; empty with another activation."""
        if self.activation not in names.KERNEL_ACTIVATIONS:
            return {}
        return {
            field.name.removeprefix("kaf_"): getattr(self, field.name)
            for field in dataclasses.fields(KernelFlags)
        }

    def check_together(self: Any) -> None:
        """Raises InputError for the first value that does not fit another."""
        if self.kaf_kernel == "relu" and self.activation != "kaf":
            self.refuse("activation", "kaf with --kaf_kernel=relu")
        if self.kaf_kernel == "gaussian":
            return
        for name in ("kaf_paired", "kaf_trainable_bandwidth"):
            if getattr(self, name):
                self.refuse(name, f"false with --kaf_kernel={self.kaf_kernel}")
        if self.kaf_bandwidth != "paper":
            self.refuse("kaf_bandwidth", f"paper with --kaf_kernel={self.kaf_kernel}")
