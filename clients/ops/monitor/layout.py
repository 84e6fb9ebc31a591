"""The monitor's page as lines of words with a meaning, fitted to a width and a height: pure.

One layout for the screen and for pipes: the screen paints the meanings, a pipe drops them. What is
wrong comes first and is never the part that is cut; the last lines are history, as many as fit. It
must not know terminals.
"""

from __future__ import annotations

import datetime as dt
import textwrap
from collections.abc import Iterable
from typing import Final

from clients.ops.monitor.book import Node, View
from clients.ops.strips import (
    BAD,
    DIM,
    GOOD,
    HEAD,
    PLAIN,
    WARN,
    Line,
    ago,
    cut,
    lag,
    strips,
    text,
)

STATES: Final = {"silent": BAD, "FAULT": BAD, "ISOLATED": BAD, "FENCING": WARN}
COLUMNS: Final = (
    ("node", 6),
    ("reported", 16),
    ("recorded", 16),
    ("tl", 3),
    ("lag", 8),
    ("peer", 7),
    ("witness", 8),
    ("disk", 7),
)
LEAST_EVENTS: Final = 2


def lines(view: View, width: int, height: int) -> list[Line]:
    """The page: at most ``height`` lines of at most ``width`` characters."""
    must = [_title(view), *_verdict(view, width), *_countdowns(view), *_alarms(view, width)]
    body = [
        [],
        *_table(view),
        [],
        *strips([one for one in view.nodes if one.state != "silent"]),
        *_seats(view, width),
    ]
    room = height - len(must) - len(body) - 1
    page = [*must, *body[: max(0, height - len(must) - LEAST_EVENTS - 1)]]
    if room >= LEAST_EVENTS or height > len(page):
        count = max(LEAST_EVENTS, height - len(page) - 1)
        page += [[], *_events(view, count)]
    return [cut(one, width) for one in page[:height]]


def _title(view: View) -> Line:
    copies = {0: "unknown", 1: "one", 2: "two"}.get(view.copies, str(view.copies))
    said: Line = [(f"mPower {view.cluster}", HEAD), (f"  {_clock(view.at_s)}  ", DIM)]
    said.append((f"copies: {copies}", GOOD if view.copies == 2 else BAD))
    known = "" if view.record_current or not view.term else "last known "
    said.append((f"  {known}epoch {view.epoch}  term {view.term}", PLAIN))
    if view.paused:
        said.append(("  PAUSED", WARN))
    if view.strict:
        said.append(("  strict", DIM))
    return said


def _verdict(view: View, width: int) -> Iterable[Line]:
    if view.safe_to_fail_over:
        yield [("safe to fail over? yes, lost: 0", GOOD), (f"  {view.because}", DIM)]
    else:
        yield from _wrapped("safe to fail over? NO  ", BAD, view.because, width)


def _countdowns(view: View) -> Iterable[Line]:
    for one in view.nodes:
        if one.countdown is not None:
            seconds = one.countdown.in_ms / 1000
            lost = ", lost: 0" if one.countdown.what == "takeover" else ""
            yield [(f"{one.node}: {one.countdown.what} in {seconds:.1f} s{lost}", WARN)]


def _alarms(view: View, width: int) -> Iterable[Line]:
    """Each alarm once, with the nodes it stands on, and below it what to do."""
    nodes: dict[tuple[str, str, str], list[str]] = {}
    for one in view.alarms:
        nodes.setdefault((one.name, one.text, one.do), []).append(one.node)
    for (name, sentence, do), on in nodes.items():
        yield from _wrapped(f"ALARM {', '.join(on)} {name}: ", BAD, sentence, width)
        yield from _wrapped("  do: ", DIM, do, width)


def _wrapped(head: str, kind: str, sentence: str, width: int) -> Iterable[Line]:
    """Whole sentences, whatever the width: what is wrong is not cut."""
    first, *rest = textwrap.wrap(head + sentence, max(width, len(head) + 10)) or [head]
    yield [(first[: len(head)], kind), (first[len(head) :], PLAIN)]
    yield from ([(f"      {line}", PLAIN)] for line in textwrap.wrap(" ".join(rest), width - 6))


def _table(view: View) -> Iterable[Line]:
    yield [("".join(name.ljust(width) for name, width in COLUMNS), DIM)]
    for one in view.nodes:
        yield _row(one, view.at_s)
    yield _witness(view)
    if not view.nodes:
        for address, why in view.silent.items():
            yield [(f"{address}: no answer ({why})", BAD)]


def _row(one: Node, now_s: float) -> Line:
    name = [(one.node.ljust(6), HEAD if one.open else PLAIN)]
    if one.state == "silent":
        since = "since this monitor began" if one.silent_since_s is None else _since(one, now_s)
        was = f", was {one.was}" if one.was else ""
        return [
            *name,
            ("silent".ljust(16), BAD),
            (one.recorded.ljust(16), PLAIN),
            (f"{since}{was}", BAD),
        ]
    cells = (str(one.timeline), lag(one), ago(one.peer_heard_ms), ago(one.arbiter_heard_ms))
    disk = "-" if one.disk_free_mb < 0 else f"{one.disk_free_mb / 1024:.1f}G"
    tail = "".join(
        cell.ljust(width) for cell, (_, width) in zip((*cells, disk), COLUMNS[3:], strict=True)
    )
    kind = STATES.get(one.state, GOOD if one.open or one.state == "STANDBY_SYNC" else WARN)
    door = "  open" if one.open else ""
    return [*name, (one.state.ljust(16), kind), (one.recorded.ljust(16), PLAIN), (tail + door, "")]


def _witness(view: View) -> Line:
    if view.witness:
        return [("witness ", PLAIN), (view.witness, GOOD)]
    return [("witness ", PLAIN), ("does not answer", BAD)]


def _since(one: Node, now_s: float) -> str:
    assert one.silent_since_s is not None
    ago_s = max(0, round(now_s - one.silent_since_s))
    return f"since {_clock(one.silent_since_s)} ({ago_s} s)"


def _seats(view: View, width: int) -> Iterable[Line]:
    if not view.primary:
        return
    door = "doors open" if view.doors_open else "doors shut"
    kind = GOOD if view.doors_open else WARN
    line: Line = [(f"{door}, {view.connections} connections", kind), ("  ", PLAIN)]
    used = len(text(line)) + 2
    for number, seat in enumerate(view.seats):
        name = seat.seat.partition("/")[2] + ("*" if seat.signed_in else "")
        left = len(view.seats) - number
        more = f"and {left} more"
        if used + len(name) + len(more) + 2 > width:
            line.append((more, DIM))
            break
        line.append((f"{name} ", PLAIN if seat.signed_in else DIM))
        used += len(name) + 1
    yield line


def _events(view: View, count: int) -> Iterable[Line]:
    for one in view.events[-count:]:
        yield [(_clock(one.at_s), DIM), (f" {one.node} ", PLAIN), (one.text, PLAIN)]


def _clock(at_s: float) -> str:
    return dt.datetime.fromtimestamp(at_s, dt.UTC).astimezone().strftime("%H:%M:%S")
