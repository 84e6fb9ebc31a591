"""A whole house on one real PostgreSQL, with a fixed standing and people to work in it.

@pytest.fixture(scope="module") def house() -> Iterator[OpenHouse]: yield from house_for_fixture()

@on_reactor async def test_it(house) -> None: async with house.terminal("C001") as terminal: …

Users, all with PASSWORD: asha, ravi (clerks), meera (officer), dev (ops), admin. Counters
C001-C009, bank SBI. The business day DAY is open, and at each counter of SHIFTS the shift of its
clerk. Consumers 1000000001 … 1000000040 owe 500.00 each
under ARREARS.
"""

import datetime as dt
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import psycopg
from msgspec import msgpack
from msgspec.structs import replace

from cluster.standing import Standing
from mpowerd.house import House, Plan
from mpowerd.passwords import hashed
from protocols.catalogue.shifts import Cash, CloseShift, Sheet
from protocols.messages import Reply
from protocols.shell.clock import BootClock
from tests.postgres_nodes import Node, fresh_folder, postgres_node, postmaster_start, run
from tests.protocols.papers import Papers
from tests.terminals import Terminal, employ

CLUSTER = "test"
PASSWORD = "correct horse battery staple"
DAY = "2026-04-02"
DUES = {"ARREARS": 50_000}
ALONE = Standing(
    node="a",
    state="PRIMARY_SOLO",
    epoch=4,
    term=1,
    open=True,
    alone=True,
    sync_name="",
    primary="a",
    where="",
    copies=1,
    reason="one node in a test",
)
SHIFTS = {
    "asha": ("C001", "C003", "C004", "C006", "C007", "C008"),
    "ravi": ("C002", "C005"),
}
PEOPLE = {"asha": "clerk", "ravi": "clerk", "meera": "officer", "dev": "ops"}


OPENING = 2**40
"""Keys of the opening, far from those that tests count up."""


class OpenHouse:
    """A running house, its certificates, its database for looking at (superuser, autocommit)."""

    def __init__(self, node: Node, folder: Path, **limits: Any) -> None:
        self.node, self.papers = node, Papers(folder, CLUSTER)
        app = psycopg.conninfo.make_conninfo(node.conninfo, user="mpower_app")
        plan = Plan(
            CLUSTER, "127.0.0.1", 0, node.conninfo, app, self.papers.give("node", "a"), **limits
        )
        self.standing = replace(ALONE, postmaster_start=postmaster_start(node.conninfo))
        self.house = House(plan, self.standing, BootClock(), lambda: dt.date.fromisoformat(DAY))
        self.port = 0

    async def start(self) -> None:
        with psycopg.connect(self.node.conninfo, autocommit=True) as connection:
            connection.execute("CREATE SCHEMA IF NOT EXISTS cluster")
            connection.execute(
                "CREATE TABLE IF NOT EXISTS cluster.fence (one boolean PRIMARY KEY DEFAULT true,"
                " term bigint NOT NULL)"
            )
            connection.execute("DELETE FROM cluster.fence")
            connection.execute("INSERT INTO cluster.fence (term) VALUES (%s)", (ALONE.term,))
        self.port = self.house.start()
        await self.house.opening.opened()

    async def stop(self) -> None:
        await self.house.close()

    def stand(self, **changes: Any) -> None:
        """The cluster publishes another standing."""
        self.standing = replace(self.standing, **changes)
        self.house.stood(self.standing)

    def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.node.conninfo, autocommit=True) as connection:
            return connection.execute(query.encode(), values).fetchall()

    def keys_used(self, counter: str) -> int:
        """How many keys of a counter a test has used."""
        ((used,),) = self.rows(
            "SELECT count(*) FROM mpower.requests WHERE counter = %s AND sequence < %s",
            *(counter, OPENING),
        )
        return int(used)

    def audited(self, what: str) -> list[tuple[Any, ...]]:
        return self.rows(
            "SELECT outcome, user_name, subject FROM mpower.audit_entries WHERE what = %s"
            " ORDER BY at, link, position",
            what,
        )

    @asynccontextmanager
    async def terminal(
        self, name: str = "C001", user: str = "", kind: str = "counter"
    ) -> AsyncIterator[Terminal]:
        """A welcomed terminal; with somebody signed in if ``user`` is given."""
        files = self.papers.give(kind, name)
        async with Terminal.calling(self.port, files, CLUSTER) as terminal:
            await terminal.welcome()
            if user:
                await terminal.sign_in(user, PASSWORD)
            yield terminal

    async def furnish(self) -> None:
        """Bring in what every counter needs, by the declared operations."""
        await self.house.bootstrapped({"admin": "admin", "hash": hashed(PASSWORD)})
        async with self.terminal("night", "admin", "ops") as ops:
            number = 0
            for counter in [f"C00{n}" for n in range(1, 10)]:
                number += 1
                await ops.body("security.add_counter", [counter, "HO", "COUNTER"], number)
            await ops.body("security.add_counter", ["SBI", "HO", "BANK"], 100)
            for user, role in PEOPLE.items():
                number += 1
                await employ(ops, user, role, PASSWORD, 1000 + 10 * number)
            rows = [
                [str(1_000_000_000 + n), f"Consumer {n}", "1 Road", "LT-1", f"M{n}", "", 2000, DUES]
                for n in range(1, 41)
            ]
            await ops.body("consumers.load", ["2026-04-01", rows], 101)
        async with self.terminal("C009", "meera") as officer:
            await officer.body("days.open", [DAY], 1)
        for clerk, counters in SHIFTS.items():
            for counter in counters:
                async with self.terminal(counter, clerk) as terminal:
                    await terminal.body("shifts.open", [], OPENING)

    async def close_shifts(self) -> None:
        """An officer closes every open shift as the ledger says it stands."""
        still = self.rows(
            "SELECT c.code FROM mpower.shifts JOIN mpower.counters c USING (counter_id)"
            " WHERE closed_at IS NULL"
        )
        async with self.terminal("C009", "meera") as officer:
            for number, (counter,) in enumerate(still):
                stands = await officer.ask("shifts.show", [counter])
                assert isinstance(stands, Reply), stands
                sheet = msgpack.decode(stands.body, type=Sheet)
                paise = sheet.expected_paise
                others = [one for one in sheet.modes if one.mode != "CASH"]
                body = CloseShift(Cash([], paise, paise), others, [], "end of the test", counter)
                closing = msgpack.decode(msgpack.encode(body))
                await officer.body("shifts.close", closing, OPENING + 1 + number)


@asynccontextmanager
async def open_house(**limits: Any) -> AsyncIterator[OpenHouse]:
    """A furnished house on a database of its own."""
    with fresh_folder() as folder:
        async with postgres_node() as node:
            house = OpenHouse(node, folder, **limits)
            await house.start()
            try:
                await house.furnish()
                yield house
            finally:
                await house.stop()


def house_for_fixture(**limits: Any) -> Iterator[OpenHouse]:
    """The body of a synchronous fixture."""
    context = open_house(**limits)
    house = run(context.__aenter__())
    try:
        yield house
    finally:
        run(context.__aexit__(None, None, None))
