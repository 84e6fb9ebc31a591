"""What happened to a node, for whoever watches it: derived from two standings, or an alarm.

One vocabulary for ``/events`` of the ops port and for the operator's own programs. Invariant: a
happening says what is, after it happened; nothing here can be refused or undone by who hears it. It
must not know who listens.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from cluster.standing import Standing
from cluster.states import PRIMARIES, State, role_of


class Happening(Struct, frozen=True, kw_only=True):
    """``kind``: state, role, gate, solo, sync, takeover, alarm or alarm-ended. ``was`` is what it
    was before, where that is one word; ``alarm`` the runbook's name of an alarm; ``text`` the
    sentence.
    """

    kind: str
    node: str
    state: str
    role: str
    open: bool
    copies: int
    epoch: int
    term: int
    primary: str
    text: str
    was: str = ""
    alarm: str = ""


KINDS = ("state", "role", "gate", "solo", "sync", "takeover", "alarm", "alarm-ended")


def between(before: Standing, now: Standing) -> Iterator[Happening]:
    """What happened from one standing to the next, the state first."""
    if now.state != before.state:
        yield _of("state", now, now.reason, was=before.state)
    roles = _role(before), _role(now)
    if roles[0] != roles[1]:
        yield _of("role", now, now.reason, was=roles[0])
    if now.open != before.open:
        yield _of("gate", now, now.reason, was="open" if before.open else "shut")
    if now.alone and not before.alone:
        yield _of("solo", now, now.reason)
    if now.open and now.copies == 2 and (before.copies < 2 or not before.open):
        yield _of("sync", now, now.reason)
    if before.state == State.PROMOTING and now.state in PRIMARIES:
        yield _of("takeover", now, now.reason, was=before.primary)


def alarmed(standing: Standing, alarm: str, text: str) -> Happening:
    """An alarm began, or ended (no text)."""
    return _of("alarm" if text else "alarm-ended", standing, text, alarm=alarm)


def present(standing: Standing) -> Happening:
    """Where the node stands now: what a new listener hears first."""
    return _of("state", standing, standing.reason, was=standing.state)


def _role(standing: Standing) -> str:
    return role_of(State(standing.state))


def _of(kind: str, now: Standing, text: str, *, was: str = "", alarm: str = "") -> Happening:
    return Happening(
        kind=kind,
        node=now.node,
        state=now.state,
        role=_role(now),
        open=now.open,
        copies=now.copies,
        epoch=now.epoch,
        term=now.term,
        primary=now.primary,
        text=text,
        was=was,
        alarm=alarm,
    )
