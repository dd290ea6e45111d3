"""Attacks again where the audit doubts, until a last attack finds nothing more."""

import dataclasses
from collections.abc import Collection, Iterable

import numpy as np

from robust_keras.audit.account import Account, Round
from robust_keras.audit.counter_attack import (
    BY_CHANCE,
    BY_SCALE,
    OF_GRADIENTS,
    CounterAttack,
    price,
)
from robust_keras.audit.imitation import Imitation
from robust_keras.audit.no_scale import NoScale
from robust_keras.audit.opening import Opening
from robust_keras.audit.searching import Evolution, Squares
from robust_keras.audit.smoothing import Smoothing
from robust_keras.findings import check_names
from robust_keras.findings.counter_attack import CounterAttackReport

# In the order in which they run: what follows a useful gradient first, long searches last.
COUNTER_ATTACKS = (Opening, NoScale, Smoothing, Imitation, Squares, Evolution)
# Below this many standing images nothing is left that a number could hide.
_FEW = 0.02


@dataclasses.dataclass(frozen=True)
class Made:
    """One counter-attack that was called for.

    Args:
        name: of it.
        doubts: names of the checks that called for it.
        allowed: forward passes an image that it was given beforehand.
        rounds: what its attacks came to; none where it was skipped.
        skipped: why it did not run, or None.
    """

    name: str
    doubts: frozenset[str]
    allowed: int
    rounds: tuple[Round, ...]
    skipped: str | None = None

    @property
    def succeeded(self) -> bool:
        """Whether robust accuracy had clearly been too high before it."""
        return any(bool(found.too_high.any()) for found in self.rounds)

    @property
    def last_succeeded(self) -> bool:
        """Whether its last attack still found that."""
        return bool(self.rounds) and bool(self.rounds[-1].too_high.any())


class AttackingAgain:
    """The audit's own attacks on what is left, one after the other.

    Args:
        account: `Account`.
        doubts: names of the failed checks.
        budget: forward passes, or as many as take as long, over all images.
        first: counter-attacks that go with the model's layers, and so come first.

    Attributes:
        made: the `Made`, in their order.
        settled: whether nothing is left, from the beginning even, or one after the last that found
            more found nothing: of another kind, or, where only chance is in doubt, the same from
            other starts.
    """

    def __init__(
        self,
        account: Account,
        doubts: Iterable[str],
        budget: float,
        first: Collection[type[CounterAttack]] = (),
    ):
        self._account = account
        self._doubts = frozenset(doubts)
        self._left = budget
        # Where gradients mislead and nothing was found so far, one failure proves little.
        self._missing = 2 if self._misled() else 1
        self._order = sorted(COUNTER_ATTACKS, key=lambda kind: kind not in first)
        self.made: list[Made] = []
        # Where every image fell, whatever misled the attacks hid nothing.
        self.settled = not len(account.standing)

    @property
    def reasons(self) -> tuple[str, ...]:
        """The doubts that call for something; none where nothing is left to attack."""
        return self._called_for() if len(self._account.standing) else ()

    def run(self) -> None:
        """Runs what the doubts call for, until that is settled or the budget is spent."""
        for kind in self._order:
            counter = kind(self._account)
            doubts = self._doubts & counter.against
            if not doubts or self.settled:
                continue
            made = self._run(counter, doubts)
            self.made.append(made)
            self.settled = self._nothing_left() or self._settles(made, counter)

    def answered(self) -> tuple[str, ...]:
        """The doubts that are settled, by the checks' names."""
        if not self.settled:
            return ()
        if not self.made:
            return self._called_for()
        return tuple(sorted(set().union(*(made.doubts for made in self.made if made.rounds))))

    def reports(self) -> tuple[CounterAttackReport, ...]:
        """What was made, as findings."""
        return tuple(_report(made) for made in self.made)

    def _called_for(self):
        """The doubts that counter-attacks can be made against."""
        against = frozenset().union(*(kind.against for kind in self._order))
        return tuple(sorted(self._doubts & against))

    def _run(self, counter, doubts):
        standing = len(self._account.standing)
        allowed = max(0, int(self._left / standing)) if standing else 0
        obstacle = counter.obstacle
        if counter.trusts_gradients and check_names.RISING_LOSS in self._doubts:
            obstacle = "Steps along the model's gradients do not raise the loss."
        if obstacle:
            return Made(counter.name, doubts, allowed, (), obstacle)
        rounds = self._rounds(counter, allowed)
        while rounds and self._only_chance(counter) and rounds[-1].too_high.any():
            more = self._rounds(counter, allowed, again=len(rounds))
            if not more:
                break
            rounds += more
        skipped = None if rounds else "It would have taken more passes than the audit may make."
        return Made(counter.name, doubts, allowed, tuple(rounds), skipped)

    def _rounds(self, counter, allowed, again=0):
        """What the counter-attack's attacks come to, as far as the budget goes."""
        rounds = []
        for attack in counter.attacks(allowed):
            standing = len(self._account.standing)
            most = price(attack, self._account) * standing
            if not standing or most > self._left:
                break
            rounds.append(self._account.attack(attack, again=again))
            self._left -= _spent(rounds[-1])
        return rounds

    def _settles(self, made, counter):
        """Whether what was found so far can be taken for all that there is."""
        # What confirms itself is judged by its last attack.
        found = made.last_succeeded if self._only_chance(counter) else made.succeeded
        if found:
            self._missing = 1
        elif made.rounds and counter.settles:
            follows = counter.trusts_gradients or counter.follows_gradients
            self._missing -= not (follows and self._misled())
        return self._missing <= 0

    def _only_chance(self, counter):
        """Whether nothing but chance is in doubt, so that an attack may confirm itself.

        A mean of many answers leaves gradients that can be followed, and is too dear for a search.
        """
        by_chance = check_names.REPEATABLE_ANSWERS in self._doubts and not self._misled()
        return by_chance and counter.trusts_gradients and counter.settles

    def _misled(self):
        """Whether gradients are in doubt, and not only those of cross-entropy or of one answer."""
        by_scale = BY_SCALE if check_names.SATURATED_LOGITS in self._doubts else frozenset()
        by_chance = BY_CHANCE if check_names.REPEATABLE_ANSWERS in self._doubts else frozenset()
        return bool(self._doubts & OF_GRADIENTS - by_scale - by_chance)

    def _nothing_left(self):
        account = self._account
        return bool(np.all(account.left[account.rows].mean(axis=1) <= _FEW))


def _spent(round_):
    """Forward passes, or as many as take as long."""
    return 3 * round_.result.gradient_evaluations + round_.result.forward_evaluations


def _report(made):
    results = [found.result for found in made.rounds]
    return CounterAttackReport(
        name=made.name,
        against=tuple(sorted(made.doubts)),
        settings={result.settings["attack"]: result.settings for result in results},
        allowed=made.allowed,
        tried=made.rounds[0].tried if results else (),
        broken=sum(found.broken for found in made.rounds) if results else (),
        accuracy=made.rounds[-1].left if results else (),
        seconds=sum(result.seconds for result in results),
        gradient_evaluations=sum(result.gradient_evaluations for result in results),
        forward_evaluations=sum(result.forward_evaluations for result in results),
        skipped=made.skipped,
    )
