"""What the audit does about a doubt: an attack that goes around what may have misled the others."""

import dataclasses
import typing
from collections.abc import Callable, Iterator
from typing import Any

import tensorflow as tf

from robust_keras import compiled
from robust_keras.attackable import Attackable, told
from robust_keras.attacks.attack import Attack
from robust_keras.attacks.loops.proposal import Proposal
from robust_keras.attacks.loops.task import Task
from robust_keras.audit.account import Account
from robust_keras.engine.price import passes_at_most
from robust_keras.findings import check_names

# Checks whose failure says that the model's own gradients may lead nowhere.
OF_GRADIENTS = frozenset(
    {
        check_names.GRADIENT_AVAILABLE,
        check_names.ZERO_GRADIENTS,
        check_names.GRADIENTS_AGAINST_DIFFERENCES,
        check_names.NOISE_AGAINST_GRADIENTS,
        check_names.ONE_STEP_AGAINST_MANY,
        check_names.UNBOUNDED_ATTACK,
        check_names.FALLING_ACCURACY,
        check_names.SEARCH_AGAINST_GRADIENTS,
        check_names.TRANSFERRED_EXAMPLES,
        check_names.LAYERS_THAT_MISLEAD,
        check_names.ROUGH_LOSS,
        check_names.RISING_LOSS,
        check_names.SUCCESS_ON_THE_PATH,
    }
)
# These fail by the scale of the logits alone, where these are saturated.
BY_SCALE = frozenset(
    {check_names.ZERO_GRADIENTS, check_names.UNBOUNDED_ATTACK, check_names.FALLING_ACCURACY}
)
# These compare attacks that ask a model once an answer: where answers are of chance they follow it.
BY_CHANCE = frozenset(
    {
        check_names.UNBOUNDED_ATTACK,
        check_names.FALLING_ACCURACY,
        check_names.ONE_STEP_AGAINST_MANY,
        check_names.NOISE_AGAINST_GRADIENTS,
        check_names.TRANSFERRED_EXAMPLES,
    }
)


class CounterAttack:
    """One way to attack again.

    Class attributes of a subclass:
        name: of it, as the report calls it.
        against: names of the failed checks that call for it.
        trusts_gradients: whether it goes by the model's own gradients.
        settles: whether its failure is reason to believe that little is left to find. One that
            trusts gradients settles nothing where these are in doubt.
        follows_gradients: whether it goes by gradients at all, those of a copy, say: what it does
            not find where they mislead, a search may.

    Args:
        account: `Account`, what is attacked.
    """

    name: typing.ClassVar[str]
    against: typing.ClassVar[frozenset[str]] = OF_GRADIENTS
    trusts_gradients: typing.ClassVar[bool] = False
    settles: typing.ClassVar[bool] = True
    follows_gradients: typing.ClassVar[bool] = False

    def __init__(self, account: Account):
        self.account = account

    @property
    def obstacle(self) -> str | None:
        """Why it cannot run on this model, or None."""
        return None

    def attacks(self, allowed: float) -> Iterator[Attack]:
        """The attacks that it makes, one after the other.

        Args:
            allowed: forward passes an image that it may take.
        """
        raise TypeError(f"{type(self).__name__} must define attacks")

    def through(self, attack: Attack, view: Attackable | None = None, number: int = 0) -> "Through":
        """An attack in this one's name, on the model or on a view of it, of several the `number`th.

        The number tells the attacks on several views apart, for the journal.
        """
        name = "audit_" + self.name.replace(" ", "_")
        view = view or self.account.classifier
        return Through(name=name, inner=attack, view=view, number=number)


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class View:
    """A model as a counter-attack looks at it; what it takes is `Attackable`.

    Args:
        logits: compiled function from images to logits.
        image_shape: (height, width, channels).
        num_classes: columns of the logits.
        passes: of the model for one answer.
        gradient_error: None: a view is made for its gradient.
    """

    logits: Callable
    image_shape: tuple[int | None, ...]
    num_classes: int
    passes: int = 1
    gradient_error: str | None = None


def seen(classifier: Attackable, function: Callable, passes: int = 1) -> View:
    """A `View` of a model.

    Args:
        classifier: the model.
        function: from float32 images to logits, differentiable.
        passes: of the model that one answer takes.
    """
    classes = classifier.num_classes

    def logits(images):
        return tf.ensure_shape(function(images), (None, classes))

    spec = tf.TensorSpec((None, *classifier.image_shape), tf.float32)
    return View(
        logits=compiled.function(logits, [spec]),
        image_shape=classifier.image_shape,
        num_classes=classes,
        passes=passes * told(classifier, "passes"),
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class Through(Attack):
    """An attack on a view of the model; the engine asks the model itself what came of it.

    Args:
        name: of the counter-attack.
        inner: what is done to the view.
        view: `Attackable` that is attacked.
        number: of the view among those of one name.
    """

    kind: typing.ClassVar[str] = "iterative"
    any_batch: typing.ClassVar[bool] = True
    stops_early: typing.ClassVar[bool] = True

    name: str  # type: ignore[misc]
    inner: Attack
    view: Any = dataclasses.field(repr=False, compare=False)
    number: int = 0

    @property
    def strength(self) -> str:
        """That of the attack."""
        return self.inner.strength

    @property
    def rounds(self) -> int:
        """Those of the attack."""
        return self.inner.rounds

    def passes(self, image_shape: tuple[int, ...]) -> tuple[int, int]:
        """Those of the attack, in passes of the model."""
        passes = told(self.view, "passes")
        gradients, forwards = self.inner.passes(image_shape)
        return passes * gradients, passes * forwards

    @property
    def needs_gradient(self) -> bool:
        """Whether the model itself must have a gradient: a view brings its own."""
        return False

    def settings(self) -> dict:
        """Those of the attack, and its name."""
        return {"attack": self.inner.name, **self.inner.settings()}

    def attack(self, task: Task) -> Proposal:
        """What the inner attack proposes for the view."""
        found = self.inner.attack(dataclasses.replace(task, classifier=self.view))
        passes = told(self.view, "passes")
        return Proposal(
            found.images,
            passes * found.gradient_evaluations,
            passes * found.forward_evaluations,
        )


def price(attack: Attack, account: Account) -> int:
    """Forward passes an image, or as many as take as long, that an attack makes at most."""
    shape = account.images.shape[1:]
    return sum(passes_at_most(stage, shape) for stage in attack.stages(account.threat_model.norm))
