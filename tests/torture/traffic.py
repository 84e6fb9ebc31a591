"""The counters, the bank and the officer of the torture: a process of its own on its own host.

Every terminal is the product's own link with its own durable journal. Now and then a paid receipt
is asked for again under its old key (the answer must be the first one, byte by byte), and an
officer cancels receipts. Killed, it is started again on the same journals and takes up what it
left. When its standard input ends it takes nothing new, waits until everything has its answer, and
exits 0 (1 if the deadline passed). This file must not know servers, nor that anybody strikes them.
"""

from __future__ import annotations

import json
import os
import random
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, Final

import click
import msgspec

from clients.asking import Declined, NoPrimary, NotReachable
from clients.demo import board
from clients.link import Link
from clients.running import link_from
from config.load import load_client, with_certificate
from protocols.catalogue.banking import Line, Post
from protocols.catalogue.body import Body
from protocols.catalogue.payments import Cancel, Take
from protocols.shell.bridge import install_reactor
from protocols.values import RequestKey

LAST_ANSWERS_S: Final = 120.0
REPORT_S: Final = 0.5
SIGN_IN_AGAIN_S: Final = 1.0
REST_S: Final = 0.02
BANK_LINES: Final = 10
BANK_REST_S: Final = 0.3
CANCEL_REST_S: Final = 0.7
AGAIN: Final = 0.03
"""The share of payments that are asked for once more under their own key."""
REMEMBERED: Final = 64


class Till:
    """One terminal and the person at it."""

    def __init__(self, house: House, kind: str, name: str, user: str) -> None:
        self.name = name
        self.answered = 0
        self._house = house
        self._user = user
        self._signing = False
        tls = with_certificate(house.settings.tls, kind, name)
        settings = msgspec.structs.replace(house.settings, tls=tls)
        from twisted.internet import reactor

        self.link: Link = link_from(
            settings, reactor, house.clock, on_sign_in_needed=self._sign_in_again
        )

    async def open(self) -> None:
        """Find the primary; a clerk signs in, however long it takes, and opens the shift."""
        self.link.start()
        await self._sign_in()
        if self._user not in {"", board.OFFICER}:
            await board.open_shift(self.link)

    async def _sign_in(self) -> None:
        if not self._user:
            return
        self._signing = True
        while True:
            try:
                await self.link.sign_in(self._user, board.PASSWORD)
            except (Declined, NoPrimary, NotReachable) as no:
                click.echo(f"{self.name}: {no}", err=True)
                await self._house.pause(SIGN_IN_AGAIN_S)
            else:
                self._signing = False
                return

    def _sign_in_again(self) -> None:
        from twisted.internet.defer import ensureDeferred

        if not self._signing:
            ensureDeferred(self._sign_in()).addErrback(lambda _: None)

    async def submit(self, operation: str, body: Body, key: RequestKey | None = None) -> Any:
        """Do it, once; the answer's body, None if it was refused."""
        try:
            answer = await self.link.submit(operation, body, key)
        except Declined:
            return None
        finally:
            self.answered += 1
        return answer.body

    async def close(self) -> None:
        """Wait for what an earlier run left, then close."""
        await self.link.resolved()
        self.link.stop()


class House:
    """All terminals of one host."""

    def __init__(self, home: Path) -> None:
        from protocols.shell.clock import BootClock

        self.settings = load_client(home)
        self.clock = BootClock()
        self.ending = False
        self.chance = random.Random(os.urandom(8))
        self.numbers = board.consumer_numbers()
        self.banked: list[str] = []
        """Receipts of the bank's lines: an officer cancels these wherever they sit."""
        self.tills: list[Till] = []
        self._work: list[Callable[[], Coroutine[Any, Any, None]]] = []

    def seat(self, words: str) -> None:
        """Seat a terminal: ``counter:C001``, ``officer:C011`` or ``bank:SBI``."""
        work, _, name = words.partition(":")
        user = {"counter": board.clerk_of(name), "officer": board.OFFICER, "bank": ""}[work]
        till = Till(self, "bank" if work == "bank" else "counter", name, user)
        self.tills.append(till)
        round_of = {"counter": self._counter, "officer": self._officer, "bank": self._bank}[work]
        self._work.append(lambda: self._working(till, round_of(till)))

    async def run(self) -> bool:
        """Work until told to end; True if everything has its answer."""
        from twisted.internet.defer import ensureDeferred, gatherResults

        self._report()
        await gatherResults([ensureDeferred(one()) for one in self._work], consumeErrors=True)
        return True

    def pause(self, seconds: float) -> Any:
        """Wait."""
        from twisted.internet.task import deferLater

        return deferLater(self.clock, seconds)

    def _report(self) -> None:
        answered = {one.name: one.answered for one in self.tills}
        pending = {one.name: one.link.standing.pending for one in self.tills}
        click.echo(json.dumps({"answered": answered, "pending": pending}))
        self.clock.callLater(REPORT_S, self._report)

    async def _working(
        self, till: Till, one_round: Callable[[], Coroutine[Any, Any, None]]
    ) -> None:
        await till.open()
        while not self.ending:
            await one_round()
        await till.close()

    def _counter(self, till: Till) -> Callable[[], Coroutine[Any, Any, None]]:
        known: list[tuple[RequestKey, Take]] = []

        async def take() -> None:
            body = Take(
                consumer=self.chance.choice(self.numbers),
                amount_paise=self.chance.randrange(100, 20_000),
                purpose=self.chance.choice(("DUES", "ADVANCE")),
            )
            key = RequestKey(till.link.journal.client, till.link.journal.next_number())
            if known and self.chance.random() < AGAIN:
                key, body = self.chance.choice(known)
            receipt = await till.submit("payments.take", body, key)
            if receipt is not None:
                known.append((key, body))
                del known[:-REMEMBERED]
            await self.pause(REST_S)

        return take

    def _officer(self, till: Till) -> Callable[[], Coroutine[Any, Any, None]]:
        async def cancel() -> None:
            await self.pause(CANCEL_REST_S)
            if self.banked:
                body = Cancel(self.chance.choice(self.banked), "sent twice by mistake")
                await till.submit("payments.cancel", body)

        return cancel

    def _bank(self, till: Till) -> Callable[[], Coroutine[Any, Any, None]]:
        scroll = f"TORTURE-{os.urandom(6).hex()}"
        parts = [0]

        async def post() -> None:
            parts[0] += 1
            lines = [
                Line(
                    f"{scroll}-{parts[0]}-{n}",
                    self.chance.choice([*self.numbers, "UNKNOWN-7"]),
                    self.chance.randrange(100, 90_000),
                    board.today(),
                )
                for n in range(BANK_LINES)
            ]
            total = sum(one.amount_paise for one in lines)
            body = Post(scroll, parts[0], len(lines), total, lines)
            posted = await till.submit("banking.post", body)
            matched = [one for one in posted.lines if one.outcome == "MATCHED"] if posted else []
            self.banked = [*self.banked, *(one.receipt for one in matched)][-REMEMBERED:]
            await self.pause(BANK_REST_S)

        return post


def main(home: str, *seats: str) -> int:
    """Run the terminals that have these seats."""
    install_reactor(fast=False)
    from twisted.internet import reactor, stdio
    from twisted.internet.defer import ensureDeferred
    from twisted.internet.protocol import Protocol

    house = House(Path(home))
    for seat in seats:
        house.seat(seat)
    result = [1]

    class Ending(Protocol):
        def connectionLost(self, reason: Any = None) -> None:
            house.ending = True
            house.clock.callLater(LAST_ANSWERS_S, over, None)

    def over(answered: Any) -> None:
        result[0] = 0 if answered is True else 1
        if answered not in {True, None}:
            click.echo(str(answered), err=True)
        if reactor.running:
            reactor.stop()

    stdio.StandardIO(Ending())
    reactor.callWhenRunning(lambda: ensureDeferred(house.run()).addBoth(over))
    reactor.run()
    return result[0]


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
