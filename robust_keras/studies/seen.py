"""What the runs of one seed have found, as arrays with one entry an image."""

import zlib
from typing import Any

import numpy as np

from robust_keras.studies import answers
from robust_keras.studies.known import Known, NotRunError


class Seen:
    """The finished runs of one seed.

    Args:
        known: what is known of the study's steps.
        seed: of the runs `MODEL-SEED`.

    Attributes:
        doubtful: models whose worst case was asked for and is not to be believed.
    """

    def __init__(self, known: Known, seed: int):
        self.seed = seed
        self.doubtful: set[str] = set()
        self._known = known

    def clean(self, model: str) -> np.ndarray:
        """1 where an image as it is, is classified correctly."""
        return answers.array(self._answers(model)["clean"])

    def trained(self, run: str) -> np.ndarray:
        """As `clean`, on all test images, counted by train.py; in an order of their own."""
        note = self._known.found("train", f"{run}-{self.seed}")
        return shuffled(note["correct"] / note["examples"], note["examples"], run)

    def robust(self, model: str, attack: str, epsilon: float) -> np.ndarray:
        """1 where an image holds out against one attack alone."""
        rows = self._answers(model)["attacks"]
        if attack not in rows:
            raise NotRunError(f"{attack} on {model}")
        return answers.array(rows[attack][self._place(model, epsilon)])

    def worst(self, model: str, epsilon: float) -> np.ndarray:
        """1 where an image holds out against every attack and against what the audit tried."""
        self.doubt(model)
        return answers.array(self._answers(model)["worst_case"][self._place(model, epsilon)])

    def proved(self, model: str, epsilon: float) -> np.ndarray:
        """A share of images of which it is proved that they hold out, in an order of its own."""
        report = self.model(model)
        place, images = self._place(model, epsilon), len(report["answers"]["clean"])
        return shuffled(report["certified"]["accuracy"][place], images, f"{model} proved")

    def accepted_worst(self, model: str, epsilon: float) -> np.ndarray:
        """The same where a wrong answer counts only if the model accepts it."""
        self.doubt(model)
        rows = self._answers(model)["with_rejection"] or self._answers(model)["worst_case"]
        return answers.array(rows[self._place(model, epsilon)])

    def fooling(self, model: str, kind: str, field: str) -> np.ndarray:
        """One entry a class: `confidence` or `accepted` of the image made for it."""
        for part in (self.model(model)["unusual"] or {}).get("fooling", ()):
            if part["name"] == kind and part["images"]:
                return np.array([float(image[field]) for image in part["images"]])
        raise NotRunError(f"{kind} on {model}")

    def transferred(self, run: str, source: int, target: int, epsilon: float) -> np.ndarray:
        """As `robust`, for examples made on another model of the same evaluation.

        Args:
            run: name of the evaluation without its seed.
            source: number of the source in the report's transfer table.
            target: number of the model among the evaluation's.
            epsilon: one of its epsilons.
        """
        report = self.report(run)
        entry = report["transfer"]["sources"][source]
        place = _place(report, epsilon)
        share = entry["targets"][target]["accuracy"][place]
        images = report["dataset"]["examples"]
        return shuffled(share, images, f"{run} {source} {target}")

    def made(self, name: str) -> Any:
        """What a `Make` found."""
        return self._known.found("make", f"{name}-{self.seed}")

    def model(self, run: str) -> Any:
        """A model of an evaluation's report: the first, or `RUN:1` the second."""
        name, _, place = run.partition(":")
        return self.report(name)["models"][int(place or 0)]

    def report(self, run: str) -> Any:
        """An evaluation's report as JSON holds it; raises NotRunError."""
        return self._known.found("evaluate", f"{run}-{self.seed}")

    def doubt(self, model: str) -> None:
        """Notes that a claim needs a model's number, if the audit does not believe that."""
        if self.model(model)["verdict"] == "unreliable":
            self.doubtful.add(model)

    def _answers(self, model):
        return self.model(model)["answers"]

    def _place(self, model, epsilon):
        return _place(self.report(model.partition(":")[0]), epsilon)


def _place(report, epsilon):
    for place, known in enumerate(report["threat_model"]["epsilons"]):
        if abs(known - epsilon) < 1e-9:
            return place
    raise NotRunError(f"epsilon {epsilon}")


def shuffled(share: float, images: int, name: str) -> np.ndarray:
    """A share of images as 0 and 1 in an order that no other has.

    Which images these are is not known, so that nothing can be paired with them: the difference of
    two such arrays varies as that of two independent samples.
    """
    ones = np.arange(images) < round(share * images)
    return np.random.default_rng(zlib.crc32(name.encode())).permutation(ones).astype(float)
