"""The composition root: the only file that knows every room, and how one node is put together.

From settings and a standing it makes the hall and its door; whenever the standing opens, it brings
the schema up and makes the business behind the doors: database, sessions, lanes, dispatch. It
decides nothing itself: when to open is the opening's, who may do what the dispatch's. Nothing
imports this file but the executable and its tests.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import secrets
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

import structlog
from msgspec import Struct
from twisted.internet.interfaces import IReactorTime

from cluster.standing import Standing
from mpowerd.alarms import TermAlarms
from mpowerd.approvals.operations import served as approvals_served
from mpowerd.audit.happened import Entering, Find, nothing_happened
from mpowerd.audit.keyring import Keyring
from mpowerd.audit.operations import served as audit_served
from mpowerd.audit.signing import Signer, nobody_keeps, nobody_listens, nowhere
from mpowerd.banking.operations import SERVED as BANKING
from mpowerd.business import Business
from mpowerd.caller import Caller, Key
from mpowerd.certificates import operations as certificates
from mpowerd.charges import operations as charges
from mpowerd.chores import chores
from mpowerd.consumers import operations as consumers
from mpowerd.database import Cursor, Database
from mpowerd.days.operations import served as days_served
from mpowerd.dispatch import Dispatch, Post
from mpowerd.figures import Figures
from mpowerd.hall import SWEEP_S, Doors, Hall
from mpowerd.instruments.operations import SERVED as INSTRUMENTS
from mpowerd.jobs import Jobs
from mpowerd.lanes import Answer, Lane
from mpowerd.ledger.operations import SERVED as LEDGER
from mpowerd.masters import operations as masters
from mpowerd.migrations import migrate
from mpowerd.opening import Opening
from mpowerd.outcomes import Outcome
from mpowerd.passwords import Passwords
from mpowerd.pauses import Pauses
from mpowerd.payments.carried_on import CarriedOn
from mpowerd.payments.operations import SERVED as PAYMENTS
from mpowerd.payments.rules import fingerprint
from mpowerd.payments.store import Item, take_batch
from mpowerd.payments.whole_days import SERVED as WHOLE_DAYS
from mpowerd.people import People
from mpowerd.quotas import Quotas
from mpowerd.receipt_books.operations import SERVED as RECEIPT_BOOKS
from mpowerd.remittance.operations import served as remittance_served
from mpowerd.rooms import Serve, ServedRooms
from mpowerd.seats import SEATS, Asker, kind_of
from mpowerd.security import operations as security
from mpowerd.security.common import read_common
from mpowerd.security.operations import Hashing
from mpowerd.security.operations import served as security_served
from mpowerd.server import Server
from mpowerd.sessions import FRESH_S, Sessions
from mpowerd.shifts.operations import SERVED as SHIFTS
from mpowerd.sign_in import SignIns
from mpowerd.transfers import operations as transfers
from protocols.catalogue import CATALOGUE
from protocols.catalogue.payments import Take
from protocols.checkpoints import Checkpoint
from protocols.messages import NotPrimary
from protocols.operation import Role
from protocols.refusals import Refused
from protocols.shell.admitted import RECHECK_S
from protocols.shell.loop_tls import Acceptor
from protocols.shell.tls import ALPN_TERMINAL, TlsFiles

OPENED_S: Final = 60.0
"""A new cluster's migrations take seconds; an operator who waits longer should hear of it."""
TAKE: Final = "payments.take"
LANES: Final = frozenset({TAKE})
"""Operations that are posted in batches instead of being served one by one."""
TODAY: Final = "SELECT day FROM mpower.today_v1() WHERE open"
SEATS_SHOWN: Final = 300
"""Certificates in one status answer: it fits a frame; a larger board reads the metrics."""
FIRST_PERSON: Final = "ADMIN"
"""Staff number of the first administrator."""
CHAIN: Final = 0
"""The audit chain of the one posting lane."""
NO_KEYS: Final = Keyring(None)
"""Signs nothing."""


def served(
    here: Callable[[], dt.date],
    hashing: Hashing,
    wall: Callable[[], float],
    cluster: str = "",
    keyring: Keyring = NO_KEYS,
    common: Callable[[str], bool] | None = None,
) -> Mapping[str, Serve]:
    """Give every room's operations; ``here()`` is the node's own date, ``wall()`` Unix seconds,
    ``keyring`` signs the audit of ``cluster``, ``common`` passwords are refused (None: the
    shipped).
    """
    rooms = {
        **security_served(hashing, wall, common or read_common().holds),
        **audit_served(cluster, keyring),
        **days_served(here),
        **masters.served(here),
        **certificates.served(cluster),
        **consumers.SERVED,
        **SHIFTS,
        **remittance_served(here),
        **RECEIPT_BOOKS,
        **PAYMENTS,
        **WHOLE_DAYS,
        **INSTRUMENTS,
        **charges.SERVED,
        **transfers.SERVED,
        **BANKING,
        **LEDGER,
    }
    proposals = {
        **security.PROPOSALS,
        **masters.proposals(here),
        **consumers.PROPOSALS,
        **charges.PROPOSALS,
        **transfers.PROPOSALS,
    }
    approved = {name: rooms[name] for name in proposals}
    return {**rooms, **approvals_served(approved, proposals)}


class Plan(Struct, frozen=True):
    """What one node's house is told; ``superuser`` and ``app`` reach its own PostgreSQL; roles
    in ``second_factor`` work only with one; ``quotas`` are tokens a second of a certificate, by
    kind.
    """

    cluster: str
    host: str
    port: int
    superuser: str
    app: str
    tls: TlsFiles
    sessions: int = 2000
    accept_per_s: int = 200
    payments_per_batch: int = 128
    pool: int = 8
    quotas: Mapping[str, int] = {}
    second_factor: frozenset[str] = frozenset()
    fresh_s: float = FRESH_S
    common_passwords: Path | None = None
    keyring: Keyring = NO_KEYS
    checkpoint_s: float = 5.0


class House:
    """One node's house. ``stood`` takes every standing the cluster publishes; ``here`` gives the
    machine's date where the board is; ``alarm`` takes an alarm's name and text ('' ends it);
    ``keep`` keeps the audit's checkpoints elsewhere, ``kept`` gives
    the newest one there; ``happened`` finds what was done beside the rooms.
    """

    def __init__(
        self, plan: Plan, standing: Standing, clock: IReactorTime, here: Callable[[], dt.date]
    ) -> None:
        self._plan, self._clock, self._here = plan, clock, here
        self.alarm: Callable[[str, str], None] = nobody_listens
        self.keep: Callable[[Checkpoint], Awaitable[None]] = nowhere
        self.kept: Callable[[], Awaitable[Checkpoint | None]] = nobody_keeps
        self.happened: Find = nothing_happened
        self._passwords = Passwords()
        self._common = read_common(plan.common_passwords)
        self._jobs = Jobs()
        self.figures = Figures()
        self.hall = Hall(
            clock.seconds,
            NotPrimary(standing.epoch),
            _later_epoch,
            self.figures.answered,
            self._tell,
            Quotas(plan.quotas),
        )
        self.figures.show(self._present)
        self.opening = Opening(self.hall, standing, self._make, self._tell)
        acceptor = Acceptor(plan.tls, plan.cluster, ("counter", "bank", "ops"), ALPN_TERMINAL)
        self._recheck, self._list_mark = acceptor.recheck, acceptor.list_mark
        self._server = Server(
            self.hall, acceptor, clock, rate=plan.accept_per_s, most=plan.sessions
        )
        self.stood = self.opening.stood

    def _tell(self, kind: str, text: str) -> None:
        self.alarm(kind, text)  # it is set later

    def start(self) -> int:
        """Listen for terminals and follow the standing; gives the port."""
        port = self._server.listen(self._plan.host, self._plan.port)
        self._jobs.every(SWEEP_S, "sweep", self.hall.sweep)
        self._jobs.every(RECHECK_S, "certificates again", self._recheck)
        self.opening.start()
        return port

    async def bootstrapped(self, said: Mapping[str, str]) -> None:
        """Make the first administrator of a new cluster: ``admin`` and ``hash``
        (argon2id).
        """
        await asyncio.wait_for(self.opening.opened(), OPENED_S)
        people = People(self._database, self._plan.second_factor)
        made = await people.first_admin(said["admin"], FIRST_PERSON, said["hash"])
        structlog.get_logger().info("first administrator", user=said["admin"], made=made)

    def status(self) -> dict[str, Any]:
        """What an operator sees of the house: doors, and who sits where."""
        seats = self.hall.seats()
        return {
            "doors_open": self.hall.is_open,
            "revoked_list": self._list_mark(),
            "audit_key": self._plan.keyring.mark(),
            "connections": sum(connections for connections, _ in seats.values()),
            "seats": dict(sorted(seats.items())[:SEATS_SHOWN]),
        }

    def _present(self) -> dict[str, Any]:
        """What the figures show of this moment."""
        business = self.opening.business
        terminals = Counter(dict.fromkeys(SEATS, 0))
        for subject, (connections, _) in self.hall.seats().items():
            terminals[kind_of(subject)] += connections
        figures = business.figures() if business is not None else {}
        return {
            "terminals": terminals,
            "turned_away": self._server.admission.turned_away,
            "strangers": self._server.strangers.seen,
            "doors_open": self.hall.is_open,
            "sessions": figures.get("sessions", 0),
            "payments_waiting": figures.get("payments_waiting", 0),
        }

    async def finished(self) -> None:
        """Wait until what was begun before the gate was shut has its answer."""
        await self.opening.finished()

    async def close(self) -> None:
        """Shut the doors, end what runs."""
        await self._server.close()
        await self._jobs.close()
        await self.opening.close()
        self._passwords.close()

    async def _make(self) -> Business:
        applied = await asyncio.to_thread(migrate, self._plan.superuser)
        if applied:
            structlog.get_logger().info("schema brought up", files=len(applied))
        self._database = Database(
            self._plan.app,
            lambda: self.opening.standing,
            self._plan.pool,
            waited=self.figures.ack_wait.observe,
        )
        return self._behind(self._database)

    def _behind(self, database: Database) -> Business:
        """Put together what stands behind the doors, on one database."""
        now_s = self._clock.seconds
        people = People(database, self._plan.second_factor)
        alarms = TermAlarms(self._tell)
        plan, hashed = self._plan, self._passwords.hashed
        sessions = Sessions(people.alive, people.end, now_s, plan.fresh_s)
        operations = served(
            self._here,
            hashed,
            time.time,
            plan.cluster,
            plan.keyring,
            self._common.holds,
        )
        rooms = ServedRooms(database, operations, {TAKE: fingerprint}, self._done)
        posting = _posting(database, self.figures, now_s)
        lane = Lane[Outcome](posting, now_s, plan.payments_per_batch)
        door = Asker(f"node/{self.opening.standing.node}", "")
        refused = partial(self._server.strangers.tell, partial(people.note_refused, door))
        sign_ins = SignIns(
            *(people, self._passwords, sessions, now_s, secrets.token_bytes, time.time),
            pause=Pauses().wait,
        )
        dispatch = Dispatch(CATALOGUE, rooms, sessions, {TAKE: _entrance(lane, self.figures.paid)})
        return Business(
            database=database,
            lane=lane,
            sessions=sessions,
            doors=Doors(dispatch, sign_ins, sessions, people.note_displaced, LANES),
            today=partial(_today, database),
            chores={**chores(database, alarms.tell), "refused handshakes": refused},
            works=self._works(database, alarms),
            alarms=alarms,
            signer=self._signer(database),
            checkpoint_s=plan.checkpoint_s,
        )

    def _works(
        self, database: Database, alarms: TermAlarms
    ) -> Mapping[str, Callable[[], Awaitable[None]]]:
        entering = Entering(database, self.opening.standing.node, self.happened)
        verifying = CarriedOn(database, alarms.tell)
        return {"verification of a day": verifying, "audit of what happened": entering}

    def _signer(self, database: Database) -> Signer:
        plan = self._plan
        outside = (self.alarm, self.keep, self.kept)
        return Signer(database, plan.cluster, plan.keyring, *outside)

    def _done(self, operation: str) -> None:
        if operation in {"days.open", "days.close"}:
            self.opening.day_changed()


async def _today(database: Database) -> str:
    async def work(cursor: Cursor) -> str:
        row = await (await cursor.execute(TODAY)).fetchone()
        return "" if row is None else str(row[0])

    return await database.read("today", None, work)


def _posting(
    database: Database, figures: Figures, now_s: Callable[[], float]
) -> Callable[[Role, Sequence[Item]], Awaitable[Sequence[Outcome]]]:
    async def post(role: Role, items: Sequence[Item]) -> Sequence[Outcome]:
        async def work(cursor: Cursor) -> Sequence[Outcome]:
            outcomes = await take_batch(cursor, items, CHAIN)
            assert len(outcomes) == len(items), "an item without an outcome"
            return outcomes

        begun_s = now_s()
        outcomes = await database.write(TAKE, role, work)
        figures.commit.observe(now_s() - begun_s)
        figures.batch.observe(len(items))
        return outcomes

    return post


def _entrance(lane: Lane[Outcome], paid: Answer[Outcome]) -> Post:
    def offer(key: Key, caller: Caller, body: Take, answer: Answer[Outcome]) -> None:
        def told(outcome: Outcome | Refused) -> None:
            paid(outcome)
            answer(outcome)

        lane.offer(key, caller, Item(key, caller, body, fingerprint(body)), told)

    return offer


def _later_epoch(epoch: int) -> None:
    structlog.get_logger().warning("a terminal has seen a later epoch", epoch=epoch)
