"""What an evaluation found: numpy arrays and plain values, one entry an image."""

import dataclasses

import numpy as np

# Of how many likeliest classes the label must be one.
TOP = 5


@dataclasses.dataclass(frozen=True)
class AdversarialExample:
    """One image, how it was changed, and what the model made of both.

    Args:
        index: of the image among those evaluated.
        image: float32 array (height, width, channels).
        adversarial: float32 array of the same shape, within epsilon of the image.
        label: its class.
        clean_class: the model's answer to the image (the label).
        adversarial_class: the model's answer to the changed image.
        clean_confidence: softmax of the winning logit, in [0, 1].
        adversarial_confidence: the same for the changed image.
        epsilon: the smallest one of those evaluated at which the image fell.
        attack: name of the attack that found it.
    """

    index: int
    image: np.ndarray
    adversarial: np.ndarray
    label: int
    clean_class: int
    adversarial_class: int
    clean_confidence: float
    adversarial_confidence: float
    epsilon: float
    attack: str


@dataclasses.dataclass(frozen=True)
class StageResult:
    """What one attack of a cascade left of what the ones before it had left.

    Args:
        name: of the attack.
        accuracy: share of all images that are robust after it, one an epsilon.
        seconds: wall time.
        gradient_evaluations: as in `AttackResult`, of which they are a part.
        forward_evaluations: the same.
        skipped: None, or the reason why it did not run.
    """

    name: str
    accuracy: tuple[float, ...]
    seconds: float
    gradient_evaluations: int
    forward_evaluations: int
    skipped: str | None = None


@dataclasses.dataclass(frozen=True)
class AttackResult:
    """What one attack did to every image at every epsilon.

    Args:
        name: of the attack.
        kind: "noise", "score", "decision", "sparse", "one_step" or "iterative".
        strength: as the attack declares it, one of `strength.DECLARED`; of a cascade whose attacks
            could not all run, what is left of it.
        settings: the attack's settings.
        robust: bool array (epsilons, images): classified correctly, as it is and after the attack.
            An image that fell at one epsilon counts as fallen at every larger one.
        seconds: wall time.
        gradient_evaluations: forward and backward passes, summed over images.
        forward_evaluations: forward passes alone, summed over images: one for every candidate, and
            those that the attack itself made.
        skipped: None, or the reason why the attack did not run; `robust` is then the clean result.
        robust_with_rejection: None where the classifier has no rejection rule, else like `robust`:
            classified correctly and accepted as it is, and never misclassified and accepted after
            the attack.
        stages: one `StageResult` for each attack of a cascade, in their order; else none.
        aims_at_rule: whether it looked for wrong answers that a rejection rule accepts.
    """

    name: str
    kind: str
    strength: str
    settings: dict
    robust: np.ndarray
    seconds: float
    gradient_evaluations: int
    forward_evaluations: int
    skipped: str | None = None
    robust_with_rejection: np.ndarray | None = None
    stages: tuple[StageResult, ...] = ()
    aims_at_rule: bool = False


@dataclasses.dataclass(frozen=True)
class PerImage:
    """What was found out about every image: arrays with one entry an image.

    Args:
        label: its class.
        clean_class: the model's answer to it.
        clean_correct: whether that is right.
        clean_margin: its label's logit minus the largest other, NaN where one is not finite.
        attack: the first attack that broke it at the smallest epsilon, None where none did.
        epsilon: that epsilon, NaN where there is none.
        distance: size of the change in the threat model's norm, NaN where there is none.
        margin: as `clean_margin`, after that attack; where none broke it, the smallest that was
            seen, the image's own included.
        adversarial_class: the model's answer after that attack; `clean_class` where none broke it.
        top_epsilon: None with as few classes as `TOP`, else the smallest epsilon at which an
            answer was seen whose `TOP` likeliest classes leave the label out: 0 where that to the
            image itself does, NaN where none was seen.
        image_shape: (height, width, channels).
        adversarial: None unless they were kept: a dict from an image's index to the adversarial
            image, float32 (height, width, channels).
        proved: None, or float array (images,): the largest epsilon within which the class is
            proved, NaN where there is none.
        images: None unless those were kept: float32 (images, height, width, channels).
    """

    label: np.ndarray
    clean_class: np.ndarray
    clean_correct: np.ndarray
    clean_margin: np.ndarray
    attack: tuple[str | None, ...]
    epsilon: np.ndarray
    distance: np.ndarray
    margin: np.ndarray
    adversarial_class: np.ndarray
    top_epsilon: np.ndarray | None
    image_shape: tuple[int, int, int]
    adversarial: dict[int, np.ndarray] | None = None
    proved: np.ndarray | None = None
    images: np.ndarray | None = None


@dataclasses.dataclass(frozen=True)
class Evaluation:
    """All attacks on one classifier.

    Args:
        clean_correct: bool array (images,): classified correctly as it is. Logits that are not
            finite count as an error.
        attacks: one `AttackResult` an attack, in the order they ran.
        worst_case: bool array (epsilons, images): robust against every one of them.
        examples: up to ten `AdversarialExample`s over as many classes as possible.
        clean_accepted: None where the classifier has no rejection rule, else bool array (images,).
        worst_case_with_rejection: likewise None, or bool array (epsilons, images).
        per_image: `PerImage`; where there is a rejection rule, it leaves it out of account.
        survivors_only: whether each attack met only what those before it had left.
    """

    clean_correct: np.ndarray
    attacks: tuple[AttackResult, ...]
    worst_case: np.ndarray
    examples: tuple[AdversarialExample, ...]
    clean_accepted: np.ndarray | None = None
    worst_case_with_rejection: np.ndarray | None = None
    # The engine always has one.
    per_image: PerImage = None  # type: ignore[assignment]
    survivors_only: bool = False
