"""Microseconds a payment in the posting function, by size of batch: one connection, no network, no
replication.

Usage: ``python -m bench.take CONNINFO`` with a superuser on a database that ``bench.board`` filled.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import random
import statistics
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psycopg

from bench.board import FIRST_CONSUMER, counter, session
from mpowerd.caller import Caller, Key
from mpowerd.connections import STARTED, Connections
from mpowerd.payments.rules import fingerprint
from mpowerd.payments.store import TAKE, Item, columns
from protocols.catalogue.payments import Take
from protocols.operation import Role


def batch(chance: random.Random, size: int, consumers: int, start: int) -> list[Item]:
    """Make one payment at each of ``size`` counters, of random consumers."""
    items = []
    for number in range(1, size + 1):
        body = Take(
            str(FIRST_CONSUMER + chance.randrange(consumers)), chance.randrange(1, 500) * 100
        )
        client = hashlib.sha256(b"terminal %d" % number).digest()[:16]
        caller = Caller(
            f"clerk{number}", "", Role.CLERK, "", counter(number), "10.0.0.1:4321", session(number)
        )
        key = Key(counter(number), client, start)
        items.append(Item(key, caller, body, fingerprint(body)))
    return items


def backend_s(pid: int) -> float:
    """Give the processor seconds a process has used; measures the same on a busy machine."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9


async def measure(connection: Any, batches: Sequence[tuple[Any, ...]]) -> list[float]:
    """Time each call within its own transaction; seconds without BEGIN and COMMIT."""
    times = []
    for arguments in batches:
        await connection.execute("BEGIN")
        await connection.execute("SET LOCAL ROLE mpower_clerk")
        begun = time.perf_counter()
        await connection.execute(TAKE, arguments, prepare=True, binary=True)
        times.append(time.perf_counter() - begun)
        await connection.execute("COMMIT")
    return times


async def main(conninfo: str) -> None:
    """Print a JSON line for each batch size."""
    with psycopg.connect(conninfo) as look:
        (consumers,) = look.execute("SELECT count(*) FROM mpower.consumers").fetchone() or (0,)
        (started,) = look.execute(STARTED).fetchone() or (0,)
    chance = random.Random(1)
    connections = Connections(conninfo, 1, 1, lambda: started)
    connection = await connections.take()
    start = int(time.time() * 1000)
    for size, rounds in ((1, 400), (8, 200), (16, 150), (64, 150), (96, 100)):
        made = [batch(chance, size, consumers, start := start + 1) for _ in range(rounds)]
        begun = time.perf_counter()
        packed = [columns(items, 0) for items in made]
        packing_s = time.perf_counter() - begun
        pid = connection.info.backend_pid
        used_s = backend_s(pid)
        times = await measure(connection, packed)
        used_s = backend_s(pid) - used_s
        micros = statistics.median(times) / size * 1e6
        print(
            json.dumps(
                {
                    "bench": "payments.function",
                    "batch": size,
                    "value": round(micros, 1),
                    "worst": round(max(times) / size * 1e6, 1),
                    "processor": round(used_s / rounds / size * 1e6, 1),
                    "packing": round(packing_s / rounds / size * 1e6, 1),
                    "unit": "us/item",
                }
            )
        )
    await connections.give(connection)
    await connections.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
