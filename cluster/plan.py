"""A switchover as the record's intent carries it: to whom, and not before which time of day.

Whoever is primary when it is due carries it out, so that a plan survives the node that took it. The
time is the wall clock's, because people plan by it: a clock that is wrong makes a switchover early
or late, never unsafe. It must not know whether one is safe now.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from protocols.peer import Record

SWITCHOVER: Final = "switchover"


class Plan(NamedTuple):
    """``to`` becomes the primary; ``at_s`` in Unix seconds, 0 at once; ``who`` asked for it."""

    to: str
    at_s: int
    who: str = ""

    @property
    def intent(self) -> str:
        """The record's ``intent`` that says so."""
        return f"{SWITCHOVER} {self.to} {self.at_s} {self.who}".rstrip()


def plan_of(record: Record | None) -> Plan | None:
    """The switchover that the record asks for, None without one."""
    if record is None:
        return None
    word, _, rest = record.intent.partition(" ")
    to, _, rest = rest.partition(" ")
    at, _, who = rest.partition(" ")
    if word != SWITCHOVER or not to or not at.isdecimal():
        return None
    return Plan(to, int(at), who)


def due(record: Record | None, wall_s: float) -> bool:
    """A switchover is asked for, and its time has come."""
    plan = plan_of(record)
    return plan is not None and plan.at_s <= wall_s
