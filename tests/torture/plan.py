"""What will happen: rounds of faults from a seed. Pure; the same seed gives the same plan.

A round is a lone fault, or two to four that overlap. Kinds come from a shuffled deck, so that each
has been dealt before one is dealt again. After a round everything is mended and the pair must
converge; this file must not know how. A kind that has not struck when the time is up is dealt alone
until it has.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from random import Random
from typing import Final

from msgspec import Struct

from tests.torture.kinds import KINDS, Kind

LONE: Final = 0.34
"""The share of rounds with one fault: what its gap is worth is seen only alone."""
MOST: Final = 4
SPREAD_S: Final = 4.0
"""Faults of a round begin within this time, so that they overlap."""
OWED: Final = 1 << 20
"""The numbers of what is dealt when the time is up begin here."""


class Fault(Struct, frozen=True):
    """One fault: it begins ``at_s`` after its round and lasts ``lasts_s``. ``dice``: a number its
    stroke may use for what the plan cannot know (which of many processes).
    """

    number: int
    kind: str
    whom: str
    at_s: float
    lasts_s: float
    dice: int

    @property
    def over_s(self) -> float:
        """When it is over, from the round's begin."""
        return self.at_s + self.lasts_s

    def __str__(self) -> str:
        return f"{self.kind} of {self.whom} for {self.lasts_s:.1f} s"


def chosen(only: Sequence[str] = ()) -> list[Kind]:
    """The kinds of these names; all if none are named."""
    return [one for one in KINDS if not only or one.name in only]


def owed(seed: int, turn: int, kinds: Sequence[str]) -> list[Fault]:
    """A round with one fault of these kinds, one after the other from turn to turn."""
    kind = chosen(kinds)[turn % len(kinds)]
    return [_drawn(Random(f"{seed} {turn}"), OWED + turn, kind, 0.0)]


def rounds(seed: int, only: Sequence[str] = ()) -> Iterator[list[Fault]]:
    """Give round after round, without end; of these kinds only, if any are named."""
    kinds = chosen(only)
    chance = Random(seed)
    deck: list[Kind] = []
    number = 0
    while True:
        count = 1 if chance.random() < LONE else chance.randint(2, MOST)
        faults: list[Fault] = []
        while len(faults) < count:
            if not deck:
                deck = chance.sample(kinds, len(kinds))
            number += 1
            at_s = 0.0 if not faults else chance.uniform(0.0, SPREAD_S)
            faults.append(_drawn(chance, number, deck.pop(), at_s))
        yield sorted(faults, key=lambda one: one.at_s)


def _drawn(chance: Random, number: int, kind: Kind, at_s: float) -> Fault:
    return Fault(
        number,
        kind.name,
        chance.choice(kind.whom),
        round(at_s, 2),
        round(chance.uniform(kind.shortest_s, kind.longest_s), 2),
        chance.randrange(1 << 30),
    )
