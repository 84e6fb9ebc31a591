"""One outcome a key, for ever: every keyed operation but the taking of a batch goes through here.

In one transaction: the key first (used before? the stored outcome again, or a conflict), then may
this caller still, then the work behind a savepoint, then its outcome - reply bytes or final refusal
- stored under the key with the audit entry. The transaction writes something on every path but a
refusal that settles nothing, so that its ack gate is the barrier a replay needs. This file must not
know any operation.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar

import msgspec
import psycopg
import structlog

from mpowerd.audit.store import chain_of, note
from mpowerd.caller import Caller, Key
from mpowerd.database import Cursor, Database
from mpowerd.jurisdiction import check_office
from mpowerd.outcomes import COLUMNS, Outcome, encoded, fresh_refusal, replayed, stored
from mpowerd.refusals import fields_text, refusal_of
from protocols.catalogue import CATALOGUE
from protocols.messages import MAX_BODY_BYTES
from protocols.operation import SECRET_FIELDS
from protocols.refusals import Refused

Body = TypeVar("Body", bound=msgspec.Struct)
Work = Callable[[Cursor, Caller, Body], Awaitable[msgspec.Struct]]
Changed = tuple[str, str]
"""How the operation's object stood before and after, as JSON; '' where it has none."""
log = structlog.get_logger("mpowerd.keys")

BEGIN: Final = f"SELECT {COLUMNS} FROM mpower.key_begin_v1(%s, %s, %s)"  # noqa: S608 - our own column names
FINISH: Final = "SELECT mpower.key_finish_v1(" + ", ".join(["%s"] * 17) + ")"
STANDS: Final = "SELECT mpower.object_v1(%s, %s)"
PERMIT: Final = "SELECT mpower.permit_v1(%s, %s)"
DETAILS_MAX: Final = 2000
"""Characters of a request that its audit entry keeps; a load of 500 rows is in the tables
themselves.
"""


def fingerprint(operation: str, body_bytes: bytes, body: msgspec.Struct | None = None) -> bytes:
    """SHA-256 over the operation and its body as sent; a secret in it is left out, not even
    hashed.
    """
    hidden = {field: "" for field in SECRET_FIELDS if hasattr(body, field)}
    if body is not None and hidden:
        body_bytes = msgspec.msgpack.encode(msgspec.structs.replace(body, **hidden))
    return hashlib.sha256(operation.encode() + b"\0" + body_bytes).digest()


async def keyed(
    database: Database,
    caller: Caller,
    key: Key,
    operation: str,
    body_bytes: bytes,
    body: Body,
    work: Work[Body],
) -> Outcome:
    """Carry out a keyed operation once; Doubtful, Gated and Busy come from the database and settle
    nothing.
    """
    print_of = fingerprint(operation, body_bytes, body)

    async def transact(cursor: Cursor) -> Outcome:
        before = await earlier(cursor, caller, key, operation, print_of)
        if before is not None:
            return before
        return await _carry_out(cursor, caller, key, operation, print_of, body, work)

    try:
        return await database.write(operation, caller.role, transact, session=caller.session)
    except Refused as refusal:
        assert not refusal.final, refusal
        return fresh_refusal(refusal)


async def refuse_key(
    cursor: Cursor,
    caller: Caller,
    key: Key,
    operation: str,
    print_of: bytes,
    code: str,
    fields: dict[str, str],
) -> Outcome:
    """Store a refusal that was found before the work (a permission at dispatch); an older outcome
    is replayed.
    """
    before = await earlier(cursor, caller, key, operation, print_of)
    if before is not None:
        return before
    refusal = Refused(code, **fields)
    assert refusal.final, code
    await _finish(cursor, caller, key, operation, print_of, refusal, None)
    return fresh_refusal(refusal)


async def conflict(cursor: Cursor, caller: Caller, key: Key, operation: str, chain: int) -> Outcome:
    """Refuse a key that came with another content: audited, alarmed, nothing posted."""
    log.critical(
        "key conflict",
        counter=key.counter,
        client=str(uuid.UUID(bytes=key.client)),
        sequence=key.sequence,
        operation=operation,
        user=caller.user,
    )
    await note(cursor, chain, caller, operation, "KEY_CONFLICT", key=key)
    return fresh_refusal(Refused("KEY_CONFLICT"))


async def earlier(
    cursor: Cursor, caller: Caller, key: Key, operation: str, print_of: bytes
) -> Outcome | None:
    """Give the key's stored outcome, or a conflict; None: it was never used and is ours now."""
    await cursor.execute(BEGIN, (key.counter, uuid.UUID(bytes=key.client), key.sequence))
    row = await cursor.fetchone()
    if row is None:
        return None
    found = stored(row)
    if found.fingerprint == print_of:
        return replayed(found)
    return await conflict(cursor, caller, key, operation, chain_of(caller.subject))


async def _permitted(cursor: Cursor, caller: Caller, operation: str) -> None:
    """Refuse unless the session lives in this role; a principal has none and was checked by
    certificate.
    """
    if not caller.session:
        return
    await cursor.execute(PERMIT, (caller.session, caller.role.value))
    row = await cursor.fetchone()
    assert row is not None, "a function without a set has one row"
    match row[0]:
        case "SIGN_IN_AGAIN":
            raise Refused("SIGN_IN_AGAIN")
        case "USER_DISABLED":
            raise Refused("USER_DISABLED", user=caller.user)
        case "ROLE":
            declared = CATALOGUE.get(operation)
            purpose = operation if declared is None else declared.purpose
            raise Refused("ROLE", purpose=purpose, role=caller.role, needed="that role still")


def _check_fresh(caller: Caller, operation: str) -> None:
    """Refuse PROVE_AGAIN, which settles nothing, where the sign-in is too old for an operation."""
    declared = CATALOGUE.get(operation)
    if declared is not None and declared.again == "always" and not caller.fresh:
        raise Refused("PROVE_AGAIN")


async def _carry_out(
    cursor: Cursor,
    caller: Caller,
    key: Key,
    operation: str,
    print_of: bytes,
    body: Body,
    work: Work[Body],
) -> Outcome:
    await cursor.execute("SAVEPOINT work")
    try:
        await _permitted(cursor, caller, operation)
        await check_office(cursor, caller, CATALOGUE.get(operation), body)
        _check_fresh(caller, operation)
        before = await _stands(cursor, operation, body)
        reply = _fitting(operation, encoded(await work(cursor, caller, body)))
        changed = (before, await _stands(cursor, operation, body))
    except (Refused, psycopg.Error) as trouble:
        refusal = trouble if isinstance(trouble, Refused) else refusal_of(trouble)
        if refusal is None or not refusal.final:
            raise
        await cursor.execute("ROLLBACK TO SAVEPOINT work")
        await _finish(cursor, caller, key, operation, print_of, refusal, body)
        return fresh_refusal(refusal)
    await _finish(cursor, caller, key, operation, print_of, None, body, reply, changed)
    return Outcome(reply, None, replay=False)


def _fitting(operation: str, reply: bytes) -> bytes:
    """Undo what could not be answered in one frame. By its bounds no operation that is declared can
    come to that; one that did would be repeated for ever, and every time break the connection.
    """
    if len(reply) > MAX_BODY_BYTES:
        raise Refused("TOO_LONG", purpose=operation)
    return reply


async def _finish(
    cursor: Cursor,
    caller: Caller,
    key: Key,
    operation: str,
    print_of: bytes,
    refusal: Refused | None,
    body: msgspec.Struct | None,
    reply: bytes | None = None,
    changed: Changed = ("", ""),
) -> None:
    await cursor.execute(
        FINISH,
        (
            chain_of(caller.subject),
            key.counter,
            uuid.UUID(bytes=key.client),
            key.sequence,
            print_of,
            operation,
            refusal.code if refusal else None,
            fields_text(refusal) if refusal else None,
            reply,
            caller.user,
            caller.person,
            caller.role.value,
            caller.subject,
            caller.address,
            _about(operation, body),
            _details(body, changed),
            str(getattr(body, "reason", "")),
        ),
    )


async def _stands(cursor: Cursor, operation: str, body: msgspec.Struct) -> str:
    """How the object that this operation is declared to change stands now."""
    declared = CATALOGUE.get(operation)
    if declared is None or declared.about is None or declared.four_eyes is not None:
        return ""
    name = str(getattr(body, declared.about.field))
    await cursor.execute(STANDS, (declared.about.kind, name))
    row = await cursor.fetchone()
    assert row is not None, "a function without a set has one row"
    return str(row[0])


def _about(operation: str, body: msgspec.Struct | None) -> str:
    """Name the object of an operation: as declared, else the first of its fields that names one."""
    declared = CATALOGUE.get(operation)
    own = (declared.about.field,) if declared is not None and declared.about is not None else ()
    for field in (*own, "receipt", "user", "scroll", "counter", "date", "consumer"):
        if value := getattr(body, field, ""):
            return str(value)
    return ""


def _details(body: msgspec.Struct | None, changed: Changed) -> str:
    """Write the request for the audit, with before and after where they differ: without its
    secrets, and cut where it is a whole file.
    """
    if body is None:
        return ""
    before, after = changed
    fields: dict[str, Any] = {}
    if before != after:
        fields = {"before": msgspec.Raw(before.encode()), "after": msgspec.Raw(after.encode())}
    fields |= msgspec.structs.asdict(body)
    for secret in SECRET_FIELDS:
        fields.pop(secret, None)
    return msgspec.json.encode(fields).decode()[:DETAILS_MAX]
