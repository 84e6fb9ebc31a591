"""What a demo has to tell, and how it is said: to people, on a screen or line by line, or as JSON.

A thing to tell is an event. People read it on stderr; on a terminal the line of the second is
written over itself, unless plain lines are wanted. With ``--json`` each event is one line on
stdout, its kind in ``event``. Every way tells the same. This file must not know when anything
happens.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from typing import Any, Final

import click
import msgspec
from msgspec import Struct

from clients.demo import board
from clients.demo.board import Told
from clients.door import JSON_VERSION, talk

MIN_COLUMNS: Final = 20


class Event(Struct, frozen=True, kw_only=True, tag_field="event", tag=str.lower):
    """Something to tell."""

    version: int = JSON_VERSION


class Begun(Event, frozen=True, kw_only=True):
    """The board is being made in this folder."""

    home: str


class Done(Event, frozen=True, kw_only=True):
    """One step of the opening, or of the drill, is done."""

    what: str


class Opened(Event, frozen=True, kw_only=True):
    """The board is open: what a person can do now, with ``mpower`` as it is typed here."""

    home: str
    mpower: str
    counters: int
    seat: str
    user: str
    password: str


class Second(Event, frozen=True, kw_only=True):
    """How it stands, each second."""

    acknowledged: int
    primary: str | None
    copies: int | None
    median_ms: float | None
    waiting_ms: float
    because: str


class Waits(Struct, frozen=True):
    """So many payments were answered in less than ``under_ms`` (None: the slowest)."""

    under_ms: int | None
    payments: int


class Takeover(Event, frozen=True, kw_only=True):
    """The other node is the primary: how quick, and what was lost (times None: not told)."""

    primary: str
    detected_ms: int | None
    open_ms: int | None
    longest_wait_ms: int
    acknowledged: int
    lost: int
    waits: list[Waits]


class Uncounted(Event, frozen=True, kw_only=True):
    """The other node is the primary, and its receipts cannot be counted yet."""

    primary: str
    why: str


class Figures(Event, frozen=True, kw_only=True):
    """What the drill found."""

    figures: dict[str, Any]


class Ending(Event, frozen=True, kw_only=True):
    """Everything is being stopped; ``kept``: where its folder will be, None nowhere."""

    kept: str | None


Tell = Callable[[Event], None]


def in_json(event: Event) -> None:
    """One line on stdout."""
    click.echo(msgspec.json.encode(event))


def in_words(event: Event) -> None:
    """Lines on stderr; the drill's figures are its answer, on stdout."""
    if isinstance(event, Figures):
        click.echo(msgspec.json.encode(event.figures))
    else:
        talk(words(event))


def on_screen(event: Event) -> None:
    """As in words, each second written over the one before."""
    if not isinstance(event, Second):
        in_words(event)
        return
    columns = max(shutil.get_terminal_size().columns - 1, MIN_COLUMNS)
    sys.stderr.write(f"\r\x1b[K{words(event)[:columns]}")
    sys.stderr.flush()


def teller(*, plain: bool = False, as_json: bool = False) -> Tell:
    """The way that was asked for; a screen only where there is one."""
    if as_json:
        return in_json
    return in_words if plain or not sys.stderr.isatty() else on_screen


def steps(tell: Tell) -> Told:
    """For whoever only has done lines to tell."""
    return lambda line: tell(Done(what=line))


def words(event: Event) -> str:
    """An event for people."""
    match event:
        case Begun():
            return f"Two servers, a witness and a board are made in {event.home}: half a minute …"
        case Done():
            return f"  done  {event.what}"
        case Opened():
            return _invitation(event)
        case Second():
            return (
                f"{event.acknowledged:>7,} payments · primary {event.primary or '—'} ·"
                f" copies {event.copies} · median wait {event.median_ms or '—'} ms ·"
                f" {event.because}"
            )
        case Takeover():
            return f"\n{_takeover(event)}\n"
        case Uncounted():
            return f"\nNode {event.primary} took over, and is not counted yet. {event.why}\n"
        case Ending():
            left = f"the folder stays: {event.kept}" if event.kept else "nothing stays behind"
            return f"\nStopping everything; {left}."
    raise AssertionError(event)


def _invitation(event: Opened) -> str:
    at = f"{event.mpower} --settings {event.home}"
    mine = board.consumer_numbers()[: board.UNTOUCHED]
    return f"""
The board is open. {event.counters} counters and a bank are taking payments.

  work at a counter   {at} counter --counter {event.seat}
                      user {event.user}, password: {event.password}
                      first 'shift open', then 'find dho', 'take NUMBER all'
                      consumers {mine[0]} to {mine[-1]} are left to you
                      'help' lists all; 'help take', 'help shift', … show every form
  decide about it     'signin {board.OFFICER}' there, or --as {board.OFFICER}
                      {board.DEPUTY} is the second officer, {board.ENGINEER} one office's;
                      {board.ADMIN} and {board.ADMIN2} are the administrators
  see the pair        {at} cluster status
  try, in a second    {event.mpower} demo kill primary
  shell               {event.mpower} demo heal
                      … demo freeze standby · partition links · load 100 · status
  end                 Ctrl-C
"""


def _takeover(event: Takeover) -> str:
    took = ""
    if event.detected_ms is not None:
        took = f": detected in {event.detected_ms} ms, open in {event.open_ms} ms"
    return (
        f"Node {event.primary} took over{took}. Longest wait a clerk saw:"
        f" {event.longest_wait_ms} ms. Acknowledged {event.acknowledged:,}, lost: {event.lost}.\n"
        f"{_bars(event.waits)}"
    )


def _bars(waits: list[Waits]) -> str:
    """The waits of all payments so far, the longest bar forty characters."""
    most = max([one.payments for one in waits], default=0) or 1
    slowest = max([one.under_ms for one in waits if one.under_ms is not None], default=0)
    return "\n".join(
        f"  {f'under {one.under_ms} ms' if one.under_ms else f'{slowest} ms and more':>16}"
        f" {one.payments:>8,} {'#' * -(-40 * one.payments // most)}"
        for one in waits
    )
