"""Counters that never stop working, to see how long the longest one waits: a process of its own,
with the people's own link and its durable journal.

Usage: ``python -m bench.steady SETTINGS_FOLDER COUNTERS CONSUMERS``. On standard output, as JSON: a
``Waited`` for every payment that waited, and a ``Pulse`` ten times a second; all times are seconds
of this machine's monotonic clock, so that who strikes a server can compare them with the strike. It
ends with its standard input.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import threading
import time
from pathlib import Path
from random import Random
from typing import Any, Final

import msgspec
from msgspec import Struct, structs

from bench.board import FIRST_CONSUMER, PASSWORD, counter
from clients.link import Link
from clients.running import link_from
from config.load import load_client
from config.settings import ClientSettings
from protocols.catalogue.payments import Take
from protocols.shell.bridge import install_reactor, to_asyncio
from protocols.shell.clock import BootClock

PULSE_S: Final = 0.1
WORTH_SAYING_S: Final = 0.02
REST_S: Final = 0.01
"""Between two payments of a counter, so that eight of them do not fill the machine; no gap measured
is off by more.
"""


def taken(consumer: int) -> Take:
    """A payment as it is measured; by chance a consumer pays once more, and the clerk knows."""
    return Take(str(consumer), 100, confirmed=True)


class Waited(Struct, frozen=True, tag="waited"):
    """One payment: when it was begun, and when its receipt was there."""

    begun_s: float
    ended_s: float


class Pulse(Struct, frozen=True, tag="pulse"):
    """Now; when the payment was begun that waits longest now; how many were answered so far."""

    now_s: float
    oldest_s: float
    answered: int


Said = Waited | Pulse


class Steady:
    """Who waits since when, and how many were answered: of all writers of the process."""

    def __init__(self) -> None:
        self._open: dict[int, float] = {}
        self._answered = 0

    def begin(self, number: int) -> float:
        """That writer waits from now; the moment."""
        begun_s = self._open[number] = time.monotonic()
        return begun_s

    def end(self, number: int, begun_s: float) -> None:
        """That writer has its answer and rests."""
        ended_s = time.monotonic()
        self._answered += 1
        if ended_s - begun_s >= WORTH_SAYING_S:
            say(Waited(begun_s, ended_s))
        self._open[number] = ended_s + REST_S

    async def beat(self) -> None:
        """Say ten times a second how things stand."""
        while True:
            now_s = time.monotonic()
            say(Pulse(now_s, min(self._open.values(), default=now_s), self._answered))
            await asyncio.sleep(PULSE_S)


async def work(steady: Steady, number: int, link: Link, consumers: int) -> None:
    """Sign in and take payments for ever. Who has not signed in yet counts as waiting."""
    steady.begin(number)
    link.start()
    await to_asyncio(link.sign_in(f"clerk{number}", PASSWORD))
    chance = Random(number)
    while True:
        consumer = FIRST_CONSUMER + chance.randrange(consumers)
        begun_s = steady.begin(number)
        await to_asyncio(link.submit("payments.take", taken(consumer)))
        steady.end(number, begun_s)
        await asyncio.sleep(REST_S)


def say(said: Said) -> None:
    """Write one line."""
    sys.stdout.buffer.write(msgspec.json.encode(said) + b"\n")
    sys.stdout.buffer.flush()


def counter_settings(settings: ClientSettings, folder: Path, number: int) -> ClientSettings:
    """Give one counter's settings: its own certificate, a journal in a folder of this run."""
    stem = f"counter-{counter(number)}"
    pki = settings.tls.ca.parent
    tls = structs.replace(settings.tls, certificate=pki / f"{stem}.crt", key=pki / f"{stem}.key")
    return structs.replace(settings, tls=tls, journal=folder)


async def until_input_ends() -> None:
    """Wait for the end of standard input, in a thread that does not keep the process alive."""
    loop = asyncio.get_running_loop()
    ended = loop.create_future()

    def read() -> None:
        sys.stdin.buffer.read()
        loop.call_soon_threadsafe(ended.set_result, None)

    threading.Thread(target=read, daemon=True).start()
    await ended


async def run(reactor: Any, home: Path, counters: int, consumers: int) -> None:
    """Work until standard input ends or a counter fails."""
    steady = Steady()
    settings = load_client(home / "mpower.yaml")
    with tempfile.TemporaryDirectory(prefix="mpower-journals-") as folder:
        links = [
            link_from(counter_settings(settings, Path(folder), number), reactor, BootClock())
            for number in range(1, counters + 1)
        ]
        tasks = [
            asyncio.ensure_future(one)
            for one in (
                until_input_ends(),
                steady.beat(),
                *(work(steady, number, link, consumers) for number, link in enumerate(links, 1)),
            )
        ]
        done, others = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in others:
            task.cancel()
        await asyncio.wait(others)
        for link in links:
            link.stop()
        for task in done:
            task.result()


def main() -> None:
    """Run on a reactor until the input ends."""
    home, counters, consumers = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    install_reactor(fast=False)
    from twisted.internet import reactor  # noqa: PLC0415 - it exists only now

    wrong: list[BaseException] = []

    async def whole() -> None:
        try:
            await run(reactor, home, counters, consumers)
        except Exception as error:  # noqa: BLE001 - told below, once the reactor has ended
            wrong.append(error)
        reactor.stop()

    reactor.callWhenRunning(lambda: asyncio.ensure_future(whole()))
    reactor.run()
    if wrong:
        raise wrong[0]


if __name__ == "__main__":
    main()
