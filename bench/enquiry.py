"""``enquiry.p99``: how long a clerk waits for an enquiry, at ten thousand and at a million
consumers.

Each kind of enquiry is asked over mutual TLS from counters in turn, one at a time, of consumers by
chance, everything else idle. The figure is the p99 of the enquiry by number at a million; it stands
against that at ten thousand, on the same pair. Goal: at most 10 ms, flat. This file must not know
how an enquiry is answered.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from itertools import cycle
from typing import Final

from msgspec import Raw, Struct

from bench.board import FIRST_CONSUMER, add_consumers, add_receipts, seed, token
from bench.figures import Figure, median, percentile, table, tell
from bench.pair import Pair, running_pair
from bench.wire import Wire
from config.settings import split_address
from protocols.catalogue import CATALOGUE
from protocols.catalogue.consumers import Dues, Find
from protocols.catalogue.ledger import Ask
from protocols.codec import encode_body
from protocols.messages import Reply, Request, Resume, Session

FEW: Final = 10_000
MANY: Final = 1_000_000
RECEIPTS_EACH: Final = 2
"""Receipts a consumer, so that a statement has something to tell."""
COUNTERS: Final = 32
"""So many that no certificate's quota is met."""
ASKED: Final = 400
"""Of each kind in a round."""
ROUNDS: Final = 5
KINDS: Final[dict[str, tuple[str, Callable[[int], Struct]]]] = {
    "find by number": ("consumers.find", lambda n: Find("number", str(FIRST_CONSUMER + n), 10)),
    "find by name": ("consumers.find", lambda n: Find("name", f"consumer number {n}", 10)),
    "find by mobile": ("consumers.find", lambda n: Find("mobile", f"9{n:09d}", 10)),
    "find by meter": ("consumers.find", lambda n: Find("meter", f"M{n}", 10)),
    "dues": ("consumers.dues", lambda n: Dues(str(FIRST_CONSUMER + n))),
    "statement": ("ledger.statement", lambda n: Ask(str(FIRST_CONSUMER + n))),
}
"""Each with its operation and the question about the nth consumer."""


class Round(Struct, frozen=True):
    """One round of one kind: p50 and p99 in ms."""

    p50_ms: float
    p99_ms: float


def p99() -> Figure:
    """Measure at both sizes."""
    with running_pair(COUNTERS) as pair:
        at: dict[int, dict[str, list[Round]]] = {}
        seed(pair.conninfo("a"), FEW, COUNTERS)
        add_receipts(pair.conninfo("a"), FEW * RECEIPTS_EACH, FEW)
        at[FEW] = measured(pair, FEW)
        begun = time.perf_counter()
        add_consumers(pair.conninfo("a"), FEW, MANY - FEW)
        add_receipts(pair.conninfo("a"), MANY * RECEIPTS_EACH, MANY)
        tell(f"{MANY:,} consumers were brought in within {time.perf_counter() - begun:.0f} s")
        at[MANY] = measured(pair, MANY)
    tell(described(at))
    few, many = ([one.p99_ms for one in at[size]["find by number"]] for size in (FEW, MANY))
    value, against = median(many), median(few)
    return Figure("enquiry.p99", value, max(many), "ms", against, against / value)


def described(at: dict[int, dict[str, list[Round]]]) -> str:
    """Lay both sizes out for people."""
    rows = [
        (
            kind,
            *(
                median(getattr(one, name) for one in found[kind])
                for found in at.values()
                for name in ("p50_ms", "p99_ms")
            ),
        )
        for kind in KINDS
    ]
    sizes = [f"{name} at {size:,}" for size in at for name in ("p50 ms", "p99 ms")]
    return table(("enquiry", *sizes), rows)


def measured(pair: Pair, consumers: int) -> dict[str, list[Round]]:
    """Ask each kind in turn, round after round; the first round warms up."""
    pair.wait_in_sync()
    host, port = split_address(pair.settings("a").here.terminals)
    wires = [resumed(pair, n, host, port) for n in range(1, COUNTERS + 1)]
    chance, turn = random.Random(consumers), cycle(wires)
    found: dict[str, list[Round]] = {kind: [] for kind in KINDS}
    for number in range(ROUNDS + 1):
        for kind in KINDS:
            waits = sorted(
                asked(next(turn), kind, chance.randrange(consumers)) for _ in range(ASKED)
            )
            if number:
                found[kind].append(Round(percentile(waits, 0.5), percentile(waits, 0.99)))
    for wire in wires:
        wire.close()
    return found


def resumed(pair: Pair, number: int, host: str, port: int) -> Wire:
    """A counter whose clerk is signed in already."""
    wire = Wire(pair.paths.ca.parent, number, host, port)
    wire.greet()
    wire.say(Resume(token(number)))
    wire.expect(Session)
    return wire


def asked(wire: Wire, kind: str, nth: int) -> float:
    """Ask about the nth consumer; the wait in ms. Another answer than a reply has no figure."""
    name, question = KINDS[kind]
    operation = CATALOGUE.get(name)
    assert operation is not None, name
    body = encode_body(operation, question(nth))
    begun = time.perf_counter()
    wire.say(Request(1, name, None, Raw(body)))
    wire.expect(Reply)
    return (time.perf_counter() - begun) * 1000
