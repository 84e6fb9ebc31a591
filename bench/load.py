"""The load generator: a process of its own with many terminals, each with its own certificate, over
mutual TLS, one request in flight each (a closed loop).

Usage: ``python -m bench.load`` with an ``Order`` as JSON on standard input; prints a ``Report`` as
JSON. It speaks the protocol with the house's own codec and frames, but it is not the terminal's
link: that one syncs its journal before every request, and sixty-four of them on one machine would
measure this machine's disk instead of the server. It shares the machine with what it measures, so
it is cheap: one loop, no task for each request.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import sys
import time
from pathlib import Path
from typing import Any, Final, cast

import msgspec
import uvloop
from msgspec import Struct

from bench.board import counter, token
from bench.figures import percentile
from bench.traffic import Intent, Mix, Score, Till
from protocols.codec import encode, from_server
from protocols.frames import Frames, frame
from protocols.messages import (
    MAX_FRAME_BYTES,
    PROTOCOL_VERSION,
    Hello,
    Refusal,
    Reply,
    Resume,
    Session,
    Welcome,
)

READY_S: Final = 20.0
"""All terminals welcomed and signed in: 64 handshakes take a fraction of a second."""
AGAIN_S: Final = 0.05
LAST_ANSWER_S: Final = 5.0
"""At the end each terminal waits for its last answer, so that every payment is accounted for."""


class Order(Struct, frozen=True, kw_only=True):
    """What to do: ``pki`` holds the certificates, ``terminals`` counters from C001 call ``host``
    and ``port``; after ``warm_s`` it measures for ``seconds``.
    """

    pki: str
    host: str
    port: int
    terminals: int
    consumers: int
    warm_s: float
    seconds: float
    seed: int
    mix: Mix = Mix()


class Report(Struct, frozen=True, kw_only=True):
    """What came of it. Rates and waits are of the measured span; the counts of the whole run."""

    per_s: float
    p50_ms: float
    p99_ms: float
    fresh: int
    replays: int
    refusals: int
    not_now: int
    wrong: int
    examples: list[str]
    cpu_us: float
    """This process's own CPU for each request, in microseconds."""


class Run:
    """What all terminals share: the score, the clock's marks, who is still working."""

    def __init__(self, order: Order) -> None:
        self.order = order
        self.score = Score()
        self.waits: list[float] = []
        self.working = False
        self.measuring = False
        self.ready = 0
        self.busy = 0
        self.changed = asyncio.Event()

    async def until(self, what: str, attribute: str, value: int, limit_s: float) -> None:
        """Wait until a count of terminals is reached; RuntimeError names what was missing."""
        try:
            async with asyncio.timeout(limit_s):
                while getattr(self, attribute) != value:
                    self.changed.clear()
                    await self.changed.wait()
        except TimeoutError:
            found = getattr(self, attribute)
            raise RuntimeError(
                f"{what}: {found} instead of {value} after {limit_s} s; {self.score.examples}"
            ) from None


class Terminal(asyncio.Protocol):
    """One counter's connection."""

    def __init__(self, run: Run, number: int, client: bytes) -> None:
        self._run, self._number = run, number
        order = run.order
        self._till = Till(
            order.seed * 10_000 + number, client, order.consumers, order.mix, run.score
        )
        self._frames = Frames(MAX_FRAME_BYTES)
        self._intent: Intent | None = None
        self._sent_s = 0.0
        self._transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._say(encode(Hello(PROTOCOL_VERSION, "bench")))

    def data_received(self, data: bytes) -> None:
        for payload in self._frames.feed(data):
            message = from_server(payload)
            if isinstance(message, Reply | Refusal) and self._intent is not None:
                self._answered(self._intent, message)
            elif isinstance(message, Welcome):
                self._say(encode(Resume(token(self._number))))
            elif isinstance(message, Session):
                self._run.ready += 1
                self._run.changed.set()
            elif isinstance(message, Refusal):
                self._run.score.blame(f"before work: {message.code}")

    def connection_lost(self, exc: Exception | None) -> None:
        if self._intent is not None:
            self._run.score.blame(f"the connection of {counter(self._number)} was lost: {exc}")
            self._rest()

    def work(self) -> None:
        """Begin the closed loop."""
        self._run.busy += 1
        self._next()

    def close(self) -> None:
        """Hang up."""
        self._transport.close()

    def _next(self) -> None:
        self._intent = self._till.ask()
        self._sent_s = time.perf_counter()
        self._say(self._intent.payload)

    def _answered(self, intent: Intent, answer: Reply | Refusal) -> None:
        run = self._run
        if not self._till.judge(intent, answer):
            asyncio.get_running_loop().call_later(AGAIN_S, self._say, intent.payload)
            return
        if run.measuring:
            run.waits.append(time.perf_counter() - self._sent_s)
        if run.working:
            self._next()
        else:
            self._rest()

    def _rest(self) -> None:
        self._intent = None
        self._run.busy -= 1
        self._run.changed.set()

    def _say(self, payload: bytes) -> None:
        self._transport.write(frame(payload, MAX_FRAME_BYTES))


def context(pki: Path, kind: str, name: str) -> ssl.SSLContext:
    """Make the calling side of TLS for one certificate of the settings folder. A server is known by
    its URI, not its host: here the authority alone is checked.
    """
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.check_hostname = False
    made.load_verify_locations(pki / "ca.crt")
    made.load_cert_chain(pki / f"{kind}-{name}.crt", pki / f"{kind}-{name}.key")
    made.set_alpn_protocols(["mpower/1"])
    return made


async def measure(order: Order) -> Report:
    """Connect, sign in, warm up, measure, and wait for the last answers."""
    run = Run(order)
    loop = asyncio.get_running_loop()
    terminals = []
    for number in range(1, order.terminals + 1):
        client = order.seed.to_bytes(8, "big") + time.time_ns().to_bytes(8, "big")
        terminal = Terminal(run, number, client)
        tls = context(Path(order.pki), "counter", counter(number))
        await loop.create_connection(lambda one=terminal: one, order.host, order.port, ssl=tls)  # type: ignore[misc]
        terminals.append(terminal)
    await run.until("signed-in terminals", "ready", order.terminals, READY_S)
    run.working = True
    for terminal in terminals:
        terminal.work()
    await asyncio.sleep(order.warm_s)
    begun_s, cpu_s, run.measuring = time.perf_counter(), time.process_time(), True
    await asyncio.sleep(order.seconds)
    run.measuring = run.working = False
    took_s, cpu_s = time.perf_counter() - begun_s, time.process_time() - cpu_s
    with contextlib.suppress(RuntimeError):
        await run.until("terminals without their last answer", "busy", 0, LAST_ANSWER_S)
    if run.busy:
        run.score.blame(f"{run.busy} terminals without their last answer")
    for terminal in terminals:
        terminal.close()
    return report(run, took_s, cpu_s)


def report(run: Run, took_s: float, cpu_s: float) -> Report:
    """Sum a run up."""
    waits, score = sorted(run.waits), run.score
    return Report(
        per_s=len(waits) / took_s,
        p50_ms=percentile(waits, 0.5) * 1000,
        p99_ms=percentile(waits, 0.99) * 1000,
        fresh=score.fresh,
        replays=score.replays,
        refusals=score.refusals,
        not_now=score.not_now,
        wrong=score.wrong,
        examples=score.examples,
        cpu_us=cpu_s / max(1, len(waits)) * 1e6,
    )


def main() -> None:
    """Do what standard input orders."""
    order = msgspec.json.decode(sys.stdin.buffer.read(), type=Order)
    made = uvloop.run(measure(order))
    sys.stdout.buffer.write(msgspec.json.encode(made) + b"\n")


if __name__ == "__main__":
    main()
