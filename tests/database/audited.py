"""A town whose audit is signed, what a person needs to prove it, and an attacker's hands."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import psycopg
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec import Struct, msgpack

from clients.asking import Answer
from clients.ops.proving import Proof, Sealed, prove
from config.pki import signing_key
from mpowerd.audit.keyring import Keyring
from mpowerd.audit.operations import served
from mpowerd.audit.signing import Signer
from mpowerd.caller import Key
from mpowerd.keys import keyed
from mpowerd.outcomes import Outcome
from protocols.catalogue.payments import Take
from protocols.checkpoints import Checkpoint, Keys, private_key
from protocols.values import RequestKey
from tests.database.town import RAM, SITA, Town, decoded, town
from tests.postgres_nodes import Node

CLUSTER = "town"


class Audited:
    """A town whose audit is signed, and what a person needs to prove it."""

    def __init__(self, t: Town, folder: Path) -> None:
        private, _ = signing_key()
        self.path = folder / "audit.key"
        self.path.write_bytes(private)
        self.path.chmod(0o400)
        self.key: Ed25519PrivateKey = private_key(private)
        self.keys = Keys([self.key.public_key()])
        self.t = t
        self.who = "olga"
        self.kept: list[Checkpoint] = []
        self.alarms: dict[str, str] = {}
        self.operations = served(CLUSTER, Keyring(self.path))
        self.signer = self.new_signer()

    def new_signer(self) -> Signer:
        """As another life of the node."""
        return self.signer_with(Keyring(self.path))

    def signer_with(self, keyring: Keyring) -> Signer:
        """As a node that holds these keys."""

        async def keep(one: Checkpoint) -> None:
            if one not in self.kept[-1:]:  # the newest is offered again, until it is kept
                self.kept.append(one)

        def alarm(kind: str, text: str) -> None:
            self.alarms[kind] = text

        return Signer(self.t.database, CLUSTER, keyring, alarm, keep)

    async def ask(self, operation: str, body: Struct) -> Any:
        async def work(cursor: Any) -> Any:
            return await self.operations[operation](cursor, caller, body)

        caller = self.t.people[self.who]
        return await self.t.database.read(operation, caller.role, work, session=caller.session)

    async def submit(self, operation: str, body: Struct, key: RequestKey | None = None) -> Answer:
        outcome = await self.outcome(operation, body, key)
        assert outcome.refusal is None, outcome.refusal
        return Answer(decoded(operation, outcome))

    async def outcome(self, operation: str, body: Struct, key: RequestKey | None = None) -> Outcome:
        caller = self.t.people["adil"]
        own = self.t.key(caller) if key is None else Key(caller.counter, key.client, key.sequence)
        raw = msgpack.encode(body)
        work = self.operations[operation]
        return await keyed(self.t.database, caller, own, operation, raw, body, work)

    async def proof(self, *against: Checkpoint) -> Proof:
        sealed = [Sealed("the witness", one) for one in against]
        return await prove(self.ask, CLUSTER, self.keys, sealed)

    async def first_bad(self, *against: Checkpoint) -> tuple[int, int, int, str]:
        found = (await self.proof(*against)).trouble
        assert found is not None, "nothing was found"
        return found.chain, found.link, found.position, found.what

    def attack(self, *statements: str) -> None:
        """As a superuser who switches the triggers off."""
        with psycopg.connect(self.t.superuser) as connection:
            for table in ("requests", "audit_links", "audit_entries"):
                connection.execute(f"ALTER TABLE mpower.{table} DISABLE TRIGGER USER".encode())
            for table in ("audit_leaves", "audit_checkpoints"):
                connection.execute(f"ALTER TABLE mpower.{table} DISABLE TRIGGER USER".encode())
            for one in statements:
                done = connection.execute(one.encode())
                assert done.rowcount > 0, one

    def attack_silently(self, statement: str) -> None:
        """The same, with a statement that counts no rows."""
        self.attack("SELECT 1")
        with psycopg.connect(self.t.superuser) as connection:
            connection.execute(statement.encode())


@asynccontextmanager
async def audited(node: Node, folder: Path) -> AsyncIterator[Audited]:
    async with town(node) as t:
        a = Audited(t, folder)
        for consumer in (RAM, SITA):
            await t.pay("asha", consumer, 100)
            await a.signer.sign()
        batch = [t.item("asha", take) for take in takes(3)]
        await t.take(*batch)
        await a.signer.sign()
        yield a


def takes(count: int) -> list[Any]:
    return [Take(RAM, 100 + n) for n in range(count)]
