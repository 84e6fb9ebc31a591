"""Verifying a whole day: asked once, carried on in steps until it is done, on whichever node is the
primary.

Invariant: a step is one transaction that posts some receipts and notes that it did; killed
anywhere, the next step begins at the first receipt without an outcome, so none is lost and none is
posted twice. A receipt that this officer may not verify is left and named; the others are posted.
So is one that breaks an assertion of ours, when a step holds nothing else: FAILED, with its reason.
This file must not know when steps are made.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import psycopg
import structlog

from mpowerd.audit.store import chain_of, note
from mpowerd.caller import Caller
from mpowerd.database import Cursor, Database
from mpowerd.payments import verification
from mpowerd.payments.operations import allotted
from mpowerd.payments.rules import objection_to_verify
from mpowerd.payments.verification import Unverified
from protocols.catalogue.payments import HeadPosted, Left, VerifyDay, WatchVerification
from protocols.catalogue.payments import Verification as Progress
from protocols.heads import HEADS
from protocols.operation import Role
from protocols.refusals import Refused

LEFT: Final = 100
"""Receipts named in one answer; the next page begins after the last."""
WAIT: Final = "SELECT * FROM mpower.verifications_wait_v1()"
NEXT: Final = "SELECT * FROM mpower.verification_step_v1(%s)"
NOTE: Final = "SELECT mpower.note_verification_step_v1(%s, %s, %s, %s)"
WATCH: Final = "SELECT * FROM mpower.verification_v1(%s)"
NAMED: Final = "SELECT place, number, code, reason FROM mpower.verification_left_v1(%s, %s, %s)"
VERIFIED: Final = "VERIFIED"
FAILED: Final = "FAILED"
WHAT: Final = "payments.verify_day"
REASON_CHARACTERS: Final = 120
"""Of one receipt: a page of LEFT reasons fits a frame."""
OURS: Final = (psycopg.errors.AssertFailure, AssertionError)
"""A mistake of ours about a receipt: the same at every try, unlike a lock or a lost connection."""
log = structlog.get_logger("mpowerd.payments")


class Step(NamedTuple):
    """The receipts of one step: of which verification, whose word it is, from which place on."""

    verification: int
    by: str
    person: str
    first_place: int
    receipts: list[Unverified]


async def verify_day(cursor: Cursor, caller: Caller, body: VerifyDay) -> Progress:
    """Ask that a day's receipts be verified; the answer comes before the work."""
    day = verification.day_of(body.counter, body.date)
    number = await verification.ask(cursor, caller.user, caller.person, day, body.counter)
    return await _progress(cursor, number, LEFT, 0)


async def watch(cursor: Cursor, caller: Caller, body: WatchVerification) -> Progress:
    """Say how far a verification is."""
    return await _progress(cursor, body.verification, LEFT, body.after)


async def _progress(cursor: Cursor, number: int, most: int, after: int) -> Progress:
    await cursor.execute(WATCH, (number,))
    row = await cursor.fetchone()
    if row is None:
        raise Refused("NO_VERIFICATION", verification=number)
    day, *said, slots, paise = row
    await cursor.execute(NAMED, (number, after, most))
    left = [Left(*one) for one in await cursor.fetchall()]
    heads = [HeadPosted(HEADS[slot - 1], sum_) for slot, sum_ in zip(slots, paise, strict=True)]
    figures = [number, str(day), *said, heads, left]
    return Progress(*figures)


class Waiting(NamedTuple):
    """A verification that waits to be carried on: whose word it is, how far it is, its next
    receipt, and how many wait behind it.
    """

    verification: int
    day: dt.date
    counter: str
    by: str
    done: int
    receipts: int
    next: str
    behind: int


async def waiting(database: Database) -> Waiting | None:
    """Give the verification whose turn it is; None: nothing waits, or no day is open."""

    async def work(cursor: Cursor) -> Waiting | None:
        row = await (await cursor.execute(WAIT)).fetchone()
        return None if row is None else Waiting(*row)

    return await database.read("verifications", None, work)


async def make_step(database: Database, most: int) -> None:
    """Make one step of at most so many receipts."""

    async def work(cursor: Cursor) -> None:
        await step(cursor, most)

    await database.write("a step of a verification", Role.OFFICER, work)


async def step(cursor: Cursor, most: int) -> None:
    """Verify and post the next receipts, and note what became of each."""
    found = await _next(cursor, most)
    if found is None:
        return
    said = [
        objection_to_verify(one.state, one.person, one.owners, found.person) or VERIFIED
        for one in found.receipts
    ]
    allowed = [one for one, code in zip(found.receipts, said, strict=True) if code == VERIFIED]
    failed = ""
    if len(found.receipts) == 1:
        failed = await _posted_or_why(cursor, found.by, allowed)
    else:
        await _post(cursor, found.by, allowed)
    if failed:
        log.error("a receipt cannot be posted", receipt=allowed[0].number, reason=failed)
        said = [FAILED]
    await cursor.execute(NOTE, (found.verification, found.first_place, said, failed))
    await _audit(cursor, found, said)


async def _posted_or_why(cursor: Cursor, by: str, allowed: Sequence[Unverified]) -> str:
    """Post the only receipt of a step, or undo that alone and say which assertion it breaks."""
    await cursor.execute("SAVEPOINT one")
    try:
        await _post(cursor, by, allowed)
    except OURS as mistake:
        await cursor.execute("ROLLBACK TO SAVEPOINT one")
        return reason_of(mistake)
    return ""


async def _post(cursor: Cursor, by: str, allowed: Sequence[Unverified]) -> None:
    if allowed:
        lines, _ = allotted(allowed)
        await verification.post(cursor, by, [one.receipt for one in allowed], lines)


def reason_of(trouble: BaseException) -> str:
    """Give the first line of what a step raised."""
    said = str(trouble).partition("\n")[0] or type(trouble).__name__
    return said[:REASON_CHARACTERS]


async def _next(cursor: Cursor, most: int) -> Step | None:
    await cursor.execute(NEXT, (most,))
    rows = await cursor.fetchall()
    if not rows:
        return None
    number, by, person, first_place, *_ = rows[0]
    return Step(number, by, person, first_place, [Unverified(*row[4:]) for row in rows])


async def _audit(cursor: Cursor, found: Step, said: Sequence[str]) -> None:
    subject = f"verification/{found.verification}"
    caller = Caller(found.by, found.person, Role.OFFICER, subject, "", "", b"")
    last = found.first_place + len(said) - 1
    await note(
        cursor,
        chain_of(subject),
        caller,
        WHAT,
        "DONE",
        about=str(found.verification),
        details=f'{{"first":{found.first_place},"last":{last},"posted":{said.count(VERIFIED)}}}',
    )


SERVED: Final[dict[str, Any]] = {WHAT: verify_day, "payments.verification": watch}
FUNCTIONS: Final[dict[str, tuple[str, ...]]] = {
    WHAT: ("ask_verification_v1", "verification_v1", "verification_left_v1"),
    "payments.verification": ("verification_v1", "verification_left_v1"),
}
