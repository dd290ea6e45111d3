"""Flags of k-winners-take-all."""

import dataclasses
from typing import Any

from robust_keras.settings import values
from robust_keras.settings.field import flag


@dataclasses.dataclass(frozen=True)
class WinnerFlags:
    """k-winners-take-all."""

    kwta_ratio: float | None = flag(
        None,
        values.Number(minimum=1e-6, maximum=1.0, optional=True),
        "Share of each layer's entries that pass --activation=kwta.",
        needs="activation=kwta",
        unset="0.2",
    )
    kwta_final_ratio: float | None = flag(
        None,
        values.Number(minimum=1e-6, maximum=1.0, optional=True),
        "That share at the end, reached in a straight line while training.",
        needs="activation=kwta",
        unset="as --kwta_ratio",
    )
    kwta_begin: float = flag(
        0.1,
        values.Number(minimum=0.0, maximum=1.0),
        "Share of all training steps after which the ratio begins to fall.",
    )
    kwta_end: float = flag(
        0.8,
        values.Number(minimum=0.0, maximum=1.0),
        "Share of all training steps after which the final ratio is reached.",
    )

    def check_together(self: Any) -> None:
        """Raises InputError for the first value that does not fit another."""
        if (self.kwta_final_ratio or 0) > (self.kwta_ratio or 0.2):
            self.refuse("kwta_final_ratio", f"at most --kwta_ratio={self.kwta_ratio or 0.2}")
        if self.kwta_end <= self.kwta_begin:
            self.refuse("kwta_end", f"more than --kwta_begin={self.kwta_begin}")
