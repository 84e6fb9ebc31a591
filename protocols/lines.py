"""A terminal's connections in time: whom to dial when, who is silent for too long, when to say a
beat. Pure.

A node that is down refuses at once, one that is cut off lets TCP time out, a frozen one accepts and
then says nothing; so nobody is waited for before the next is tried, and everyone that once spoke
must speak again when asked. A round dials each node once; rounds back off with full jitter, short
for ten seconds (the length of a failover), then growing, so that a thousand terminals do not hammer
one server. This file must not know intents' contents.
"""

from __future__ import annotations

from typing import Final

from msgspec.structs import replace

from protocols.desk import (
    Action,
    Close,
    Connect,
    Intent,
    Line,
    LineStage,
    Outcome,
    Say,
    SendRequest,
    Stage,
    State,
    Terminal,
)
from protocols.messages import HELLO_DEADLINE_S, IDLE_BEAT_MS, Beat, Resume

CONNECT_S: Final = 0.3
"""TCP on a healthy line takes a round trip; the limit grows with the search, for lines slow but
alive.
"""
CONNECT_MOST_S: Final = 5.0
NEXT_S: Final = 0.3
"""A node that has not greeted by then may be frozen: the next one is dialled beside it."""
GREET_S: Final = HELLO_DEADLINE_S
"""Handshakes queue in a storm; giving up earlier would only begin them again."""
LATE_S: Final = 1.0
"""A payment takes milliseconds; after a second the other nodes are asked as well."""
SILENCE_S: Final = 3.0
"""A beat that is not answered for so long: that connection is dead, whatever TCP believes."""
UNANSWERED_S: Final = 15.0
"""A server answers each request sooner, were it with PENDING; one that does not has lost it."""
BACKOFF_S: Final = 0.3
BACKOFF_LEAST_S: Final = 0.02
"""A node that refuses at once is not asked in a tight loop, whatever the dice say."""
BACKOFF_MOST_S: Final = 5.0
PATIENCE_S: Final = 10.0
"""So long the back-off stays short: a cap of 5 s from the start costs 2.7 s at p90 after a
two-second outage.
"""
BACKOFF_GROWTH: Final = 0.25
"""Seconds of cap for each second of seeking beyond that: 5 s after half a minute."""
TURNED_AWAY_BEAT_S: Final = 2.0
"""Who waits at a node that is not the primary makes sure that it is still there."""
ASIDE_S: Final = 30.0
"""Two programs with one certificate displace each other: each leaves the other so much peace, long
enough to read who it is, short enough that what was saved is confirmed by itself.
"""
IN_FLIGHT: Final = 4
"""Below the server's limit, so that it never stops reading, not even a beat."""
IDLE_S: Final = IDLE_BEAT_MS / 1000


def backoff_s(seeking_s: float, jitter: float) -> float:
    """Give the pause after a round, for a search of this age; ``jitter`` in [0, 1) draws from the
    whole cap.
    """
    cap = BACKOFF_S + max(0.0, seeking_s - PATIENCE_S) * BACKOFF_GROWTH
    return max(BACKOFF_LEAST_S, jitter * min(cap, BACKOFF_MOST_S))


def with_line(t: Terminal, node: int, line: Line | None) -> Terminal:
    """Put a line in its place."""
    return replace(t, lines=(*t.lines[:node], line, *t.lines[node + 1 :]))


def seek(t: Terminal, first: int, now: float) -> Terminal:
    """Begin a search now with this node."""
    node = first % len(t.lines)
    return replace(t, seeking_since=now, next_node=node, left=len(t.lines), dial_at=now)


def sent(t: Terminal) -> list[Intent]:
    """Give the intents that were sent and are unanswered."""
    return [one for one in t.intents if one.stage is Stage.SENT]


def late_at(t: Terminal) -> float | None:
    """Say when home is (or was) late with an answer; None if it owes none."""
    times = [one.at for one in sent(t)]
    if t.claim_at is not None:
        times.append(t.claim_at)
    return min(times) + LATE_S if times and t.home is not None else None


def overdue_at(t: Terminal, node: int) -> float | None:
    """Say when this line is given up unless it speaks; None if it owes nothing."""
    line = t.lines[node]
    if line is None:
        return None
    limits = [line.owed_since + _patience_s(t, line)] if line.owed_since is not None else []
    if node == t.home:
        limits += [one.at + UNANSWERED_S for one in sent(t)]
    return min(limits, default=None)


def _patience_s(t: Terminal, line: Line) -> float:
    if line.stage is LineStage.DIALLED:
        sought_s = line.said_at - t.seeking_since
        return min(CONNECT_MOST_S, max(CONNECT_S, sought_s))
    return GREET_S if line.stage is LineStage.CALLED else SILENCE_S


def overdue(t: Terminal, now: float) -> int | None:
    """Give one node whose line is to be given up now."""
    due = ((node, overdue_at(t, node)) for node in range(len(t.lines)))
    return next((node for node, at in due if at is not None and at <= now), None)


def searching(t: Terminal) -> bool:
    """True while nodes are to be dialled: no home, or home is late."""
    return t.state in (State.SEEKING, State.PROBING)


def undialled(t: Terminal) -> list[int]:
    """Give the nodes without a line, the one whose turn it is first."""
    order = [(t.next_node + step) % len(t.lines) for step in range(len(t.lines))]
    return [node for node in order if t.lines[node] is None]


def dial(t: Terminal, now: float, jitter: float) -> Outcome:
    """Dial the next node if it is time; the end of a round is followed by a pause."""
    free = undialled(t)
    if not searching(t) or not free or now < t.dial_at:
        return t, ()
    left = (t.left if t.left > 0 else len(free)) - 1
    more = left > 0 and len(free) > 1
    pause_s = NEXT_S if more else backoff_s(now - t.seeking_since, jitter)
    call = t.calls + 1
    line = Line(call, LineStage.DIALLED, now, now)
    t = with_line(t, free[0], line)
    t = replace(
        t,
        calls=call,
        next_node=(free[0] + 1) % len(t.lines),
        left=left if more else 0,
        dial_at=now + pause_s,
    )
    return t, (Connect(free[0], call),)


def rest(t: Terminal, now: float) -> Outcome:
    """Close every other line once nobody searches."""
    done: list[Action] = []
    for node, line in enumerate(t.lines):
        if line is not None and node != t.home and not searching(t):
            t = with_line(t, node, None)
            done.append(Close(node, line.call))
    return t, tuple(done)


def claim(t: Terminal, now: float) -> Outcome:
    """Say at home who the person is, once."""
    if t.home is None or t.claim is None or t.claim_at is not None or now < t.claim_due:
        return t, ()
    line = t.lines[t.home]
    assert line is not None
    said = Say(t.home, line.call, t.claim)
    return with_line(replace(t, claim_at=now), t.home, replace(line, said_at=now)), (said,)


def beat_at(t: Terminal, node: int) -> float | None:
    """Say when this line is to be asked for a sign of life; None if one is owed already."""
    line = t.lines[node]
    if line is None or line.owed_since is not None:
        return None
    if line.stage is LineStage.TURNED_AWAY:
        return line.said_at + TURNED_AWAY_BEAT_S
    late = late_at(t)
    idle = line.said_at + IDLE_S
    return min(idle, max(late, line.said_at + LATE_S)) if late is not None else idle


def beat(t: Terminal, now: float) -> Outcome:
    """Say a beat on each line that is to be asked for one."""
    said: list[Action] = []
    for node, line in enumerate(t.lines):
        at = beat_at(t, node)
        if line is not None and at is not None and at <= now:
            t = with_line(t, node, replace(line, owed_since=now, said_at=now))
            said.append(Say(node, line.call, Beat()))
    return t, tuple(said)


def sendable(t: Terminal) -> list[Intent]:
    """Give the intents that may be sent, in order; those of an earlier run are settled before any
    new one, but for those that wait for their own person.
    """
    open_ = t.state in (State.READY, State.PROBING)
    if not open_ and not (isinstance(t.claim, Resume) and t.claim_at is not None):
        return []
    old = any(one.old and not one.parked for one in t.intents)
    waiting = [one for one in t.intents if one.stage is Stage.WAITING and not one.parked]
    return [one for one in waiting if one.old or not one.keyed or not old]


def send(t: Terminal, now: float) -> Outcome:
    """Send what may be sent now, up to the limit in flight."""
    if t.home is None or (line := t.lines[t.home]) is None:
        return t, ()
    free = IN_FLIGHT - len(sent(t))
    due = [one for one in sendable(t) if one.at <= now][: max(0, free)]
    if not due:
        return t, ()
    chosen = {one.seq for one in due}
    intents = tuple(
        replace(one, stage=Stage.SENT, at=now, tries=one.tries + 1) if one.seq in chosen else one
        for one in t.intents
    )
    t = with_line(replace(t, intents=intents), t.home, replace(line, said_at=now))
    return t, tuple(SendRequest(t.home or 0, line.call, one.seq, one.payload) for one in due)


def wake_at(t: Terminal, now: float) -> float | None:
    """Say when something is next to be done without anything happening."""
    times = [overdue_at(t, node) for node in range(len(t.lines))]
    times += [beat_at(t, node) for node in range(len(t.lines))]
    if t.state in (State.READY, State.SIGNING_IN):
        times.append(late_at(t))
    if t.state is State.ASIDE or (searching(t) and undialled(t)):
        times.append(t.dial_at)
    if t.home is not None and len(sent(t)) < IN_FLIGHT:
        times += [one.at for one in sendable(t)]
    if t.home is not None and t.claim is not None and t.claim_at is None:
        times.append(t.claim_due)
    known = [one for one in times if one is not None]
    return max(now, min(known)) if known else None
