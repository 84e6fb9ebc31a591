"""The demo's traffic: terminals that take payments without pause, and a bank that posts scrolls. A
process of its own.

Every terminal is the product's own link with its own durable journal, so what the drill proves is
what a counter gets. Prints one JSON line twice a second. When its standard input ends it takes
nothing new, waits until every intent has its answer, prints the last line and exits 0 (1 if answers
are still missing at the deadline). This file must not know servers, nor that anybody kills them.
"""

from __future__ import annotations

import bisect
import json
import os
import random
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import click
import msgspec

from clients.asking import Declined
from clients.demo import board
from clients.demo.company import BOUNDS_MS, load_at, under_way_at
from clients.link import Link
from clients.running import link_from
from config.load import load_client, with_certificate
from config.settings import ClientSettings
from protocols.catalogue.banking import Line, Post, Posted
from protocols.catalogue.payments import Receipt, Take

LAST_ANSWERS_S: Final = 40.0
"""How long the end waits for open intents: far beyond any failover."""
REPORT_S: Final = 0.5
BANK_LINES: Final = 10
BANK_PAUSE_S: Final = 0.25


class Tally:
    """What the terminals have seen so far; waits in ms. How many payments are under way stands in
    the first byte of a file at every moment, for who wants to strike then.
    """

    def __init__(self, under_way: Path) -> None:
        self._under_way = os.open(under_way, os.O_WRONLY | os.O_CREAT, 0o600)
        self.acknowledged = 0
        self.refused = 0
        self.bank_lines = 0
        self.waits_ms: list[float] = []
        self.receipts: list[tuple[str, int]] = []
        self.open: dict[str, float] = {}

    def begin(self, name: str, at: float) -> None:
        """A terminal has sent something."""
        self.open[name] = at
        os.pwrite(self._under_way, bytes([min(255, len(self.open))]), 0)

    def end(self, name: str, wait_ms: float) -> None:
        """It has its answer."""
        self.open.pop(name, None)
        os.pwrite(self._under_way, bytes([min(255, len(self.open))]), 0)
        self.waits_ms.append(wait_ms)

    def line(self, *, done: bool = False) -> str:
        """One JSON line: totals, and the waits and receipts since the last line."""
        waits, self.waits_ms = sorted(self.waits_ms), []
        receipts, self.receipts = self.receipts, []
        now = time.time()
        return json.dumps(
            {
                "at": round(now, 3),
                "acknowledged": self.acknowledged,
                "bank_lines": self.bank_lines,
                "refused": self.refused,
                "waiting_ms": round(max((now - at for at in self.open.values()), default=0) * 1000),
                "median_ms": round(waits[len(waits) // 2], 1) if waits else None,
                "longest_ms": round(waits[-1], 1) if waits else None,
                "histogram": _histogram(waits),
                "receipts": receipts,
                "done": done,
            }
        )


class Traffic:
    """All terminals and the bank of one demo, in one reactor."""

    def __init__(self, home: Path, counters: list[str], bank: str, think_s: float) -> None:
        from protocols.shell.clock import BootClock

        self.clock = BootClock()
        self.tally = Tally(under_way_at(home))
        self.ending = False
        self.think_s: float | None = think_s
        """How long a terminal rests between payments; None: it takes none."""
        self.load_file = load_at(home)
        settings = load_client(home)
        self.settings = msgspec.structs.replace(settings, journal=home / "journals")
        self.chance = random.Random(os.urandom(8))
        self.numbers = board.consumer_numbers()[board.UNTOUCHED :]
        self.terminals = [(one, self._link("counter", one)) for one in counters]
        self.bank = (bank, self._link("bank", bank))

    def _link(self, kind: str, name: str) -> Link:
        from twisted.internet import reactor

        made: list[Link] = []

        def again() -> None:
            made[0].sign_in(board.clerk_of(name), board.PASSWORD).addErrback(lambda _: None)

        settings: ClientSettings = msgspec.structs.replace(
            self.settings, tls=with_certificate(self.settings.tls, kind, name)
        )
        made.append(link_from(settings, reactor, self.clock, on_sign_in_needed=again))
        return made[0]

    async def run(self) -> bool:
        """Work until told to end; True if every intent has its answer."""
        from twisted.internet.defer import ensureDeferred, gatherResults

        work = [ensureDeferred(self._counter(name, link)) for name, link in self.terminals]
        work.append(ensureDeferred(self._bank(*self.bank)))
        self._report()
        self._look()
        whole = gatherResults(work, consumeErrors=True)
        await whole
        return not self.tally.open

    def _report(self) -> None:
        click.echo(self.tally.line())
        self.clock.callLater(REPORT_S, self._report)

    def _look(self) -> None:
        """How fast a person wants the counters to be, if somebody has said it."""
        with suppress(OSError, ValueError):
            rate = int(self.load_file.read_text("ascii"))
            self.think_s = len(self.terminals) / rate if rate else None
        self.clock.callLater(REPORT_S, self._look)

    async def _counter(self, name: str, link: Link) -> None:
        link.start()
        await link.sign_in(board.clerk_of(name), board.PASSWORD)
        await board.open_shift(link)
        while not self.ending:
            if self.think_s is not None:
                await self._submit(name, link, "payments.take", self._payment())
            await self._pause(REPORT_S if self.think_s is None else self.think_s)
        link.stop()

    def _payment(self) -> Take:
        advance = self.chance.random() < 0.5
        return Take(
            consumer=self.chance.choice(self.numbers),
            amount_paise=self.chance.randrange(100, 20_000),
            purpose="ADVANCE" if advance else "DUES",
        )

    async def _bank(self, name: str, link: Link) -> None:
        link.start()
        part = 0
        scroll = f"DEMO-{os.urandom(4).hex()}"
        while not self.ending:
            part += 1
            lines = [
                Line(
                    f"{scroll}-{part}-{n}",
                    self.chance.choice([*self.numbers, "UNKNOWN-7"]),
                    self.chance.randrange(100, 90_000),
                    board.today(),
                )
                for n in range(BANK_LINES)
            ]
            total = sum(one.amount_paise for one in lines)
            body = Post(scroll, part, len(lines), total, lines)
            if await self._submit(name, link, "banking.post", body):
                self.tally.bank_lines += len(lines)
            await self._pause(BANK_PAUSE_S)
        link.stop()

    async def _submit(self, name: str, link: Link, operation: str, body: Any) -> bool:
        began = time.time()
        self.tally.begin(name, began)
        try:
            answer = await link.submit(operation, body)
        except Declined:
            self.tally.refused += 1
            return False
        else:
            self.tally.acknowledged += 1
            self.tally.receipts += _receipts(body, answer.body)
            return True
        finally:
            self.tally.end(name, (time.time() - began) * 1000)

    def _pause(self, seconds: float) -> Any:
        from twisted.internet.task import deferLater

        return deferLater(self.clock, seconds)


def _histogram(waits_ms: list[float]) -> list[int]:
    """How many waits stand between the bounds of the company, the last beyond all."""
    counts = [0] * (len(BOUNDS_MS) + 1)
    for wait_ms in waits_ms:
        counts[bisect.bisect_right(BOUNDS_MS, wait_ms)] += 1
    return counts


def _receipts(asked: Take | Post, answer: Receipt | Posted) -> list[tuple[str, int]]:
    """The receipts of an answer, each with the paise that were asked for."""
    if isinstance(asked, Take):
        assert isinstance(answer, Receipt)
        return [(answer.number, asked.amount_paise)]
    assert isinstance(answer, Posted)
    paise = {one.reference: one.amount_paise for one in asked.lines}
    return [(one.receipt, paise[one.reference]) for one in answer.lines]


def main(home: str, counters: str, bank: str, think_s: str) -> int:
    """Run the traffic of the demo at ``home``; counters comma-separated."""
    from protocols.shell.bridge import install_reactor

    install_reactor(fast=False)
    from twisted.internet import reactor, stdio
    from twisted.internet.defer import ensureDeferred
    from twisted.internet.protocol import Protocol

    traffic = Traffic(Path(home), counters.split(","), bank, float(think_s))
    result = [1]

    class Ending(Protocol):
        def connectionLost(self, reason: Any = None) -> None:
            traffic.ending = True
            traffic.clock.callLater(LAST_ANSWERS_S, over, None)

    def over(answered: Any) -> None:
        result[0] = 0 if answered is True else 1
        if answered not in {True, None}:
            click.echo(str(answered), err=True)
        click.echo(traffic.tally.line(done=True))
        if reactor.running:
            reactor.stop()

    stdio.StandardIO(Ending())
    reactor.callWhenRunning(lambda: ensureDeferred(traffic.run()).addBoth(over))
    reactor.run()
    return result[0]


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
