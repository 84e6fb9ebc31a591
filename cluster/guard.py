"""A condition that the rules ask and a person may read: what it is now, what it needs, what to do.

A rule that stands on guards is their conjunction, so that what is explained is what is decided:
nothing is asked twice in two ways. ``holds`` is cheap, for it is asked with every event; the words
are made only when somebody wants them. It must not know which rule a guard belongs to.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from msgspec import Struct

from cluster.mind import Mind

Words = Callable[[Mind], str]


class Guard(NamedTuple):
    """``says``: how it stands, a clause; ``need``: what it must be; ``do``: what a person does, a
    sentence ('' it settles by itself).
    """

    code: str
    holds: Callable[[Mind], bool]
    says: Words
    need: str
    do: Words


class Shown(Struct, frozen=True):
    """One guard as a person reads it."""

    code: str
    holds: bool
    says: str
    need: str
    do: str


def hold(guards: tuple[Guard, ...], mind: Mind) -> bool:
    """All of them hold."""
    return all(guard.holds(mind) for guard in guards)


def shown(guards: tuple[Guard, ...], mind: Mind) -> tuple[Shown, ...]:
    """Every one in words; what to do only where it is not met."""
    found = []
    for guard in guards:
        met = guard.holds(mind)
        do = "" if met else guard.do(mind)
        found.append(Shown(guard.code, met, guard.says(mind), guard.need, do))
    return tuple(found)


def nothing_to_do(_mind: Mind) -> str:
    """It settles by itself."""
    return ""
