"""A migrated database with a small town: counters, a bank, people with sessions, consumers with
dues, an open day.

``town()`` gives one; each has a database of its own on the module's node, made from a migrated
template. Everything goes through the house's own operations as ``mpower_app``, so that each use
also tests them.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import hashlib
import itertools
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import psycopg
from msgspec import msgpack
from msgspec.structs import replace
from psycopg.conninfo import make_conninfo

from cluster.standing import Standing
from mpowerd.approvals import operations as approvals
from mpowerd.audit import operations as audit
from mpowerd.banking import operations as banking
from mpowerd.caller import Caller, Key
from mpowerd.certificates import operations as certificates
from mpowerd.charges import operations as charges
from mpowerd.consumers import operations as consumers
from mpowerd.database import Cursor, Database
from mpowerd.days import operations as days
from mpowerd.dispatch import Asked
from mpowerd.house import served
from mpowerd.instruments import operations as instruments
from mpowerd.keys import keyed
from mpowerd.ledger import operations as ledger
from mpowerd.masters import operations as masters
from mpowerd.migrations import migrate
from mpowerd.outcomes import Outcome
from mpowerd.passwords import Passwords
from mpowerd.payments import operations as payments
from mpowerd.payments import whole_days
from mpowerd.payments.carried_on import CarriedOn
from mpowerd.payments.rules import fingerprint
from mpowerd.payments.store import Item, take_batch
from mpowerd.receipt_books import operations as receipt_books
from mpowerd.remittance import operations as remittance
from mpowerd.rooms import ServedRooms
from mpowerd.security import operations as security
from mpowerd.shifts import operations as shifts
from mpowerd.transfers import operations as transfers
from protocols.catalogue import CATALOGUE
from protocols.catalogue.body import Body
from protocols.catalogue.consumers import Load, Row
from protocols.catalogue.days import CloseDay, OpenDay
from protocols.catalogue.payments import Take
from protocols.catalogue.security import AddCounter
from protocols.catalogue.shifts import (
    Cash,
    CloseShift,
    ModeCount,
    OpenShift,
    Pile,
    Sheet,
    ShowShift,
)
from protocols.operation import Role
from tests.postgres_nodes import Node, postmaster_start

DAY = "2026-11-24"
here = {"date": dt.date.fromisoformat(DAY)}
"""The node's own date; a test that moves it puts it back."""
LANE = "payments.take"
"""Posted in batches, not served one by one."""
CLUSTER = "test"
SERVED: Mapping[str, Any] = served(lambda: here["date"], Passwords().hashed, time.time, CLUSTER)
FUNCTIONS: Mapping[str, tuple[str, ...]] = {
    **days.FUNCTIONS,
    **security.FUNCTIONS,
    **approvals.FUNCTIONS,
    **masters.FUNCTIONS,
    **audit.FUNCTIONS,
    **consumers.FUNCTIONS,
    **shifts.FUNCTIONS,
    **remittance.FUNCTIONS,
    **receipt_books.FUNCTIONS,
    **payments.FUNCTIONS,
    **instruments.FUNCTIONS,
    **charges.FUNCTIONS,
    **transfers.FUNCTIONS,
    **whole_days.FUNCTIONS,
    **banking.FUNCTIONS,
    **certificates.FUNCTIONS,
    **ledger.FUNCTIONS,
}
ON_PAPER = {"dated": DAY, "bank": "SBI", "branch": "MALL-ROAD"}
"""What a cheque carries besides its number."""
TEMPLATE = "town_template"
OPEN_ALONE = Standing("a", "PRIMARY_SOLO", 1, 0, True, True, "", "a", "", 1, "")
RAM, SITA, OLD, RICH = "0000000001", "0000000002", "0000000003", "9999999999"
_names = itertools.count()


@dataclass
class Town:
    """The database, who is where, and short words to ask it things."""

    database: Database
    superuser: str
    app: str
    people: dict[str, Caller]
    standing: list[Standing]
    started: int
    """The start of PostgreSQL for which the gate is armed."""
    clients: Any = field(default_factory=lambda: itertools.count(1))

    def stood(self) -> Standing:
        """Where this node stands."""
        return replace(self.standing[0], postmaster_start=self.started)

    def key(self, caller: Caller) -> Key:
        """Give a key that was never used."""
        client = hashlib.sha256(f"client {next(self.clients)}".encode()).digest()[:16]
        return Key(caller.counter, client, 1)

    async def ask(self, who: str, operation: str, body: Body, key: Key | None = None) -> Outcome:
        """Ask a keyed operation as dispatch does."""
        caller = self.people[who]
        raw = msgpack.encode(body)
        return await keyed(
            self.database,
            caller,
            key or self.key(caller),
            operation,
            raw,
            body,
            SERVED[operation],
        )

    async def done(self, who: str, operation: str, body: Body, key: Key | None = None) -> Any:
        """Ask a keyed operation that is answered with a reply; the reply."""
        outcome = await self.ask(who, operation, body, key)
        assert outcome.refusal is None, outcome.refusal
        return decoded(operation, outcome)

    async def refused(self, who: str, operation: str, body: Body, key: Key | None = None) -> str:
        """Ask a keyed operation that is refused; the code."""
        outcome = await self.ask(who, operation, body, key)
        assert outcome.refusal is not None, outcome
        return outcome.refusal[0]

    async def read(self, who: str, operation: str, body: Body) -> Any:
        """Ask an operation that changes nothing; raises Refused."""
        declared = CATALOGUE.get(operation)
        assert declared is not None
        rooms = ServedRooms(self.database, SERVED, {}, lambda _done: None)
        raw = msgpack.encode(body)
        asked = Asked(declared, self.people[who], None, raw, body)
        return decoded(operation, await rooms.read(asked))

    def item(self, who: str, body: Take, key: Key | None = None) -> Item:
        """Make a payment of a batch."""
        caller = self.people[who]
        return Item(key or self.key(caller), caller, body, fingerprint(body))

    async def take(self, *items: Item, chain: int = 0) -> list[Outcome]:
        """Take a batch as a lane does."""

        async def work(cursor: Cursor) -> list[Outcome]:
            return await take_batch(cursor, items, chain)

        return await self.database.write("payments.take", Role.CLERK, work)

    async def pay(self, who: str, consumer: str, paise: int, **more: Any) -> Any:
        """Take one payment that is answered with a receipt; the receipt. Of the same amount again:
        confirmed; on paper: of today.
        """
        paper = ON_PAPER if more.get("mode") in {"CHEQUE", "DD"} else {}
        body = Take(consumer, paise, **{"confirmed": True, **paper, **more})
        (outcome,) = await self.take(self.item(who, body))
        assert outcome.refusal is None, outcome.refusal
        return decoded("payments.take", outcome)

    async def open_day(self, date: str) -> None:
        """Open a business day, and the clerks their shifts."""
        await self.done("omar", "days.open", OpenDay(date))
        for clerk in CLERKS:
            await self.done(clerk, "shifts.open", OpenShift())

    async def close_day(self, date: str) -> None:
        """Close the open shifts as the ledger says they stand, then the business day."""
        for clerk in CLERKS:
            if (await self.read(clerk, "shifts.show", ShowShift())).state == "OPEN":
                await self.close_shift(clerk)
        await self.done("omar", "days.close", CloseDay(date))

    async def close_shift(self, clerk: str) -> Sheet:
        """Close a clerk's shift as the ledger says it stands."""
        stands = await self.read(clerk, "shifts.show", ShowShift())
        body = CloseShift(cash_of(stands.expected_paise), others(stands.modes))
        closed: Sheet = await self.done(clerk, "shifts.close", body)
        return closed

    def look(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """Look at the tables as the superuser."""
        with psycopg.connect(self.superuser, autocommit=True) as connection:
            return connection.execute(query.encode(), values or None).fetchall()

    def is_well(self) -> None:
        """Recompute ledger and audit."""
        assert self.look("SELECT * FROM mpower.ledger_check_v1()") == []
        assert self.look("SELECT * FROM mpower.audit_check_v1()") == []


async def carry_on(database: Database) -> None:
    """Carry the verifications on as the daemon does."""
    await CarriedOn(database, lambda _kind, _text: None)()


def decoded(operation: str, outcome: Outcome) -> Any:
    """Read an outcome's reply as its operation declares it."""
    declared = CATALOGUE.get(operation)
    assert declared is not None
    assert outcome.reply is not None
    return msgpack.decode(outcome.reply, type=declared.reply)


def cash_of(paise: int) -> Cash:
    """Count an amount in rupee coins and loose ones."""
    return Cash([Pile(1, paise // 100)], paise % 100, paise)


def others(modes: list[ModeCount]) -> list[ModeCount]:
    """Give the modes that are not counted as cash."""
    return [one for one in modes if one.mode != "CASH"]


def row(number: str, name: str, **dues: int) -> Row:
    """Make a consumer of a load."""
    return Row(number, name, f"{name}'s house", "DS-1", f"M{number}", f"98{number}", 2000, dues)  # type: ignore[arg-type]


def codes(outcomes: list[Outcome]) -> list[str]:
    """Give the codes of outcomes, '' for a reply."""
    return ["" if one.refusal is None else one.refusal[0] for one in outcomes]


def template(node: Node) -> None:
    """Make the migrated template once a node."""
    with psycopg.connect(make_conninfo(node.conninfo, dbname="postgres"), autocommit=True) as c:
        c.execute(f"CREATE DATABASE {TEMPLATE}".encode())
    migrate(make_conninfo(node.conninfo, dbname=TEMPLATE))
    let_in(node)


def let_in(node: Node) -> None:
    """The house has one database, and its application is let into that one; here each test has one.

    A start writes pg_hba.conf anew.
    """
    with (node.plan.pgdata / "pg_hba.conf").open("a") as hba:
        hba.write("local all mpower_app peer map=mpower\n")
    with psycopg.connect(node.conninfo, autocommit=True) as c:
        c.execute("SELECT pg_reload_conf()")


def new_database(node: Node) -> str:
    """Copy the template; the superuser's conninfo."""
    name = f"town_{next(_names)}"
    with psycopg.connect(make_conninfo(node.conninfo, dbname="postgres"), autocommit=True) as c:
        c.execute(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}".encode())
    return make_conninfo(node.conninfo, dbname=name)


PEOPLE = {
    "asha": ("E-ASHA", Role.CLERK, "counter/C001"),
    "bina": ("E-BINA", Role.CLERK, "counter/C002"),
    "asha.officer": ("E-ASHA", Role.OFFICER, "counter/C001"),
    "omar": ("E-OMAR", Role.OFFICER, "counter/C001"),
    "omar.two": ("E-OMAR", Role.OFFICER, "counter/C002"),
    "olga": ("E-OLGA", Role.OPS, "ops/night"),
    "adil": ("E-ADIL", Role.ADMIN, "ops/desk"),
}
"""Login: whose, as what, where. Asha holds two logins; Adil is the only administrator."""
CLERKS = ("asha", "bina")
CONSUMERS = [
    row(RAM, "Ram Prasad", LPSC=500, ARREARS=10_000, CURRENT=50_000, DUTY=2_500),
    row(SITA, "Sita Devi", CURRENT=30_000),
    row(OLD, "Ramesh Old", ADVANCE=-7_000),
    row(RICH, "Rich Mills", CURRENT=90_000_000_00),
]


@asynccontextmanager
async def town(node: Node, **how: Any) -> AsyncIterator[Town]:
    """Give a town; its connections are closed at the end. ``how``: more for its Database."""
    superuser = new_database(node)
    app = make_conninfo(superuser, user="mpower_app")

    def stood() -> Standing:
        return made.stood()

    database = Database(app, stood, **how)
    made = Town(database, superuser, app, {}, [OPEN_ALONE], postmaster_start(superuser))
    add_people(made, PEOPLE)
    made.people["SBI"] = Caller(
        "bank/SBI", "bank/SBI", Role.BANK, "bank/SBI", "SBI", "127.0.0.9:9", b""
    )
    try:
        for code, kind in (("C001", "COUNTER"), ("C002", "COUNTER"), ("SBI", "BANK")):
            await made.done("adil", "security.add_counter", AddCounter(code, "HO", kind))  # type: ignore[arg-type]
        await made.done("adil", "consumers.load", Load("2026-11-01", CONSUMERS))
        await made.open_day(DAY)
        yield made
    finally:
        await asyncio.wait_for(database.close(), 10)


def add_people(made: Town, people: Mapping[str, tuple[str, Role, str]]) -> None:
    """Make people with sessions, without the cost of their passwords."""
    with psycopg.connect(made.superuser, autocommit=True) as connection:
        for user, (person, role, subject) in people.items():
            token = hashlib.sha256(user.encode()).digest()
            connection.execute(
                "INSERT INTO mpower.persons VALUES (%s, %s, 'of the town', 'HO')"
                " ON CONFLICT DO NOTHING",
                (person, user.title()),
            )
            connection.execute(
                "INSERT INTO mpower.users (name, person, role, password_hash, created_at)"
                " VALUES (%s, %s, %s, '$argon2id$none', now())",
                (user, person, role.value),
            )
            connection.execute(
                "SELECT mpower.open_session_v1(%s, %s, %s, %s, '12 hours')",
                (token, user, subject, "127.0.0.1:1"),
            )
            counter = subject.partition("/")[2] if subject.startswith("counter/") else "OPS"
            made.people[user] = Caller(
                user, person, role, subject, counter, "127.0.0.1:1", token, fresh=True
            )
