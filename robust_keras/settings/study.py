"""Flags of the studies' program."""

import dataclasses
from typing import Any

from robust_keras.settings import reading, values
from robust_keras.settings.field import Flags, flag, optional_path, switch

STUDY_NAMES = ("kernel", "pruning", "symmetric", "survey")


@dataclasses.dataclass(frozen=True)
class StudyConfig(Flags):
    """Which study is run, how large, and where."""

    study: str = flag(STUDY_NAMES[0], values.Choice(STUDY_NAMES), "The study.")
    data_dir: str | None = reading.data_dir()
    networks_dir: str | None = optional_path(
        "kernel: directory of the networks that were published with that study (default: "
        "kaf_networks_2020 beside the directory of --data_dir)."
    )
    smoke: bool = switch("A few images and steps, to see that it runs.")
    full: bool = switch("The original's schedule, for a GPU.")
    output_dir: str | None = optional_path(
        "Directory of the runs (default: runs/studies/STUDY-FORM). What is finished in it stays."
    )
    results_dir: str | None = optional_path(
        "Directory of the results, page and figure (default: OUTPUT_DIR)."
    )
    processes: Any = flag(
        "auto",
        values.Whole(1, 1024, word="auto"),
        "Processes that run steps at the same time, each with its part of the processors; auto: "
        "one a processor, at most one for each 4 GiB of free memory, and one where there is a GPU.",
        decides_results=False,
    )
    pages_only: bool = switch("Run nothing; write results and page of what is finished.")

    def check_together(self) -> None:
        """Raises InputError for two forms at once."""
        if self.smoke and self.full:
            self.refuse("full", "one of --smoke and --full")

    @property
    def form(self) -> str:
        """`smoke`, `small` or `full`."""
        return "smoke" if self.smoke else "full" if self.full else "small"
