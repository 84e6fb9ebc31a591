"""The peer: PostgreSQL's own load generator, one payment a transaction, on the same synchronous
pair.

``pgbench -M prepared`` calls the same posting function with one payment at a time, at each number
of clients in turn; the best of them stands against us. It is spared what our stack does besides
(see pgbench_take.sql). This file must not know our server.
"""

from __future__ import annotations

import re
import subprocess
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from msgspec import Struct

from bench.board import FIRST_CONSUMER

SCRIPT: Final = Path(__file__).parent / "pgbench_take.sql"
CLIENTS: Final = (8, 16, 32, 48, 64, 96)
"""Tried in this order, as far as the server has connections for them."""
RESERVED: Final = 12
"""Connections left to the daemon and the supervisor."""
RATE: Final = re.compile(r"^tps = ([0-9.]+) \(without", re.MULTILINE)
WAIT: Final = re.compile(r"^latency average = ([0-9.]+) ms", re.MULTILINE)
FAILED: Final = re.compile(r"^number of failed transactions: ([0-9]+)", re.MULTILINE)


class Peer(Struct, frozen=True):
    """One run: transactions (payments) a second, mean latency."""

    clients: int
    per_s: float
    mean_ms: float


def parsed(output: str, clients: int) -> Peer:
    """Read what pgbench printed; ValueError if it says nothing, or that a transaction failed."""
    rate, wait, failed = (one.search(output) for one in (RATE, WAIT, FAILED))
    if rate is None or wait is None:
        raise ValueError(f"pgbench said no rate:\n{output}")
    if failed is not None and int(failed[1]):
        raise ValueError(f"{failed[1]} transactions of pgbench failed")
    return Peer(clients, float(rate[1]), float(wait[1]))


def fitting(max_connections: int) -> tuple[int, ...]:
    """Give the numbers of clients the server has room for."""
    return tuple(one for one in CLIENTS if one <= max_connections - RESERVED)


class Place(Struct, frozen=True):
    """Where it runs: the program, its own options that lead to the database, the fence's term, how
    many consumers there are.
    """

    program: Path
    options: Sequence[str]
    term: int
    consumers: int


def run(place: Place, clients: int, seconds: int) -> Peer:
    """Run it for some seconds."""
    values = {
        "first_consumer": FIRST_CONSUMER,
        "last_consumer": FIRST_CONSUMER + place.consumers - 1,
        "client": uuid.uuid4(),
        "sequence": 0,
        "term": place.term,
    }
    defined = [f"--define={name}={value}" for name, value in values.items()]
    words = ["--no-vacuum", "--protocol=prepared", f"--file={SCRIPT}", f"--time={seconds}"]
    done = subprocess.run(
        [str(place.program), *words, f"--client={clients}", "--jobs=2", *defined, *place.options],
        capture_output=True,
        text=True,
        timeout=seconds + 30,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"pgbench ended with {done.returncode}: {done.stderr.strip()}")
    return parsed(done.stdout, clients)
