"""Which weights of a kernel are kept or pruned together, and which kernels can be pruned so."""

import dataclasses

from robust_keras import arguments


@dataclasses.dataclass(frozen=True)
class PruningPattern:
    """Single weights, blocks of a matrix, or m zeros in every n weights.

    Args:
        block_size: (rows, columns) of a dense kernel that are kept or pruned together.
        block_pooling: "AVG" or "MAX", what stands for a block's magnitude.
        m_by_n: None, or (m, n) with 0 < m < n: m zeros in every n weights along the input channels.

    Raises:
        ValueError: an argument is out of its range, or both a block and m by n are given.
    """

    block_size: tuple[int, int] = (1, 1)
    block_pooling: str = "AVG"
    m_by_n: tuple[int, int] | None = None

    def __post_init__(self):
        object.__setattr__(self, "block_size", _pair("block_size", self.block_size))
        if self.block_pooling not in ("AVG", "MAX"):
            arguments.refuse("block_pooling", '"AVG" or "MAX"', self.block_pooling)
        if self.m_by_n is None:
            return
        object.__setattr__(self, "m_by_n", _pair("sparsity_m_by_n", self.m_by_n))
        if self.m_by_n[0] >= self.m_by_n[1]:
            arguments.refuse("sparsity_m_by_n", "(m, n) with 0 < m < n", self.m_by_n)
        if self.block_size != (1, 1):
            expected = "(1, 1) where `sparsity_m_by_n` is given"
            arguments.refuse("block_size", expected, self.block_size)

    def check(self, layer_name: str, shape: tuple[int, ...]) -> None:
        """Refuses a kernel that cannot be pruned in this pattern.

        Args:
            layer_name: the layer's name, for the message.
            shape: the kernel's shape, a tuple of whole numbers.

        Raises:
            ValueError: the kernel has the wrong rank, or too few rows, columns or channels.
        """
        if self.m_by_n is not None:
            self._check_m_by_n(layer_name, shape)
        elif self.block_size != (1, 1):
            self._check_blocks(layer_name, shape)

    def _check_m_by_n(self, layer_name, shape):
        group = self.m_by_n[1]
        # Input channels are the last but one axis of dense and convolution kernels alike.
        if len(shape) not in (2, 4) or shape[-2] < group:
            raise ValueError(
                f"Layer '{layer_name}' cannot be pruned {self.m_by_n[0]} by {group}: expected a "
                f"dense or 2-D convolution kernel with at least {group} input channels (leave the "
                f"layer out with `skip_layers`). Received: a kernel of shape {tuple(shape)}"
            )

    def _check_blocks(self, layer_name, shape):
        # With a single block in a row or a column the original squeezes that axis away and fails.
        fits = len(shape) == 2 and all(
            size > block for size, block in zip(shape, self.block_size, strict=True)
        )
        if not fits:
            raise ValueError(
                f"Layer '{layer_name}' cannot be pruned in blocks of {self.block_size}: expected a "
                "kernel of rank 2, longer than the block along both axes (leave the layer out with "
                f"`layer_kinds` or `skip_layers`). Received: a kernel of shape {tuple(shape)}"
            )


def _pair(name, value):
    pair = tuple(value) if isinstance(value, tuple | list) else ()
    if len(pair) != 2 or any(type(size) is not int or size < 1 for size in pair):
        arguments.refuse(name, "two whole numbers of at least 1", value)
    return pair
