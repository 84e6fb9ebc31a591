"""The one door to the house's operations: which operation, whose session, may they, once or again,
and the answer.

Order: known operation → key where one belongs → who asks → the body reads → the role may (default
deny) → the room. Invariants: what has no session or does not read never reaches a key; a keyed
request that its role does not allow gets the key's earlier outcome if there is one, else the
refusal becomes the key's outcome; one that another person saved gets the earlier outcome or waits
for its person; a permission refusal is audited before it is said; no answer is longer than a frame
(a look's is refused here, a keyed one's in ``keys``, before it is committed); nothing an exception
says reaches the client. Terminals, browser and command line all enter here, so this file must not
know sockets. The hot path (a lane) makes no task; everything else is one task, bounded.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, Protocol

from msgspec import Raw, Struct
from msgspec.structs import replace

from mpowerd.caller import Caller, Key
from mpowerd.faults import ANY_END, refusal, settle, stored_refusal
from mpowerd.outcomes import Outcome
from mpowerd.seats import SEATS, Asker, check_role, is_own, kind_of, principal
from mpowerd.sessions import Sessions
from protocols.codec import decode_body
from protocols.messages import MAX_BODY_BYTES, Refusal, Reply, Request
from protocols.operation import Catalogue, Operation
from protocols.refusals import Refused

ENROLS: Final = "security.enrol_factor"
"""All that a login may ask whose role needs a second factor that it does not have yet."""
TASKS: Final = 256
"""Requests outside the lanes at once; the pool serves 8 to 16 of them, the rest wait, more are
BUSY.
"""

Answer = Callable[[Reply | Refusal], None]


class Asked(Struct, frozen=True):
    """A request that was understood: which operation, who asks, under which key, and what.

    ``key`` is None exactly where the operation is not keyed. ``raw`` are the body's bytes as sent.
    """

    operation: Operation
    caller: Caller
    key: Key | None
    raw: bytes
    body: Any


class Rooms(Protocol):
    """What the rooms do for the dispatch; each call is one transaction with its own deadline."""

    async def read(self, asked: Asked) -> Outcome:
        """Serve an operation that changes nothing."""

    async def write(self, asked: Asked) -> Outcome:
        """Serve a keyed operation, or give its key's earlier outcome."""

    async def refuse_key(self, asked: Asked, refused: Refused) -> Outcome:
        """Give the key's earlier outcome, or store and audit this refusal as its outcome."""

    async def recall(self, asked: Asked, refused: Refused) -> Outcome:
        """Give the key's earlier outcome; else audit and raise this refusal: nothing is done."""

    async def note_refusal(self, asked: Asked, refused: Refused) -> None:
        """Audit a permission refusal that has no key."""


Post = Callable[[Key, Caller, Any, Callable[["Outcome | Refused"], None]], None]
"""A lane's entrance: takes key, caller, body and whom to answer; raises Refused BUSY when it is
full.
"""


class Dispatch:
    """``lanes`` are the operations that are posted in batches; all others go through ``rooms``."""

    def __init__(
        self, catalogue: Catalogue, rooms: Rooms, sessions: Sessions, lanes: Mapping[str, Post]
    ) -> None:
        self._catalogue, self._rooms, self._sessions = catalogue, rooms, sessions
        self._lanes = lanes
        self._tasks: set[asyncio.Task[None]] = set()

    def ask(self, asker: Asker, session: bytes | None, request: Request, answer: Answer) -> None:
        """Answer one request, now or later, exactly once. ``session`` is the token's hash, None
        without a person.
        """
        try:
            self._begin(asker, session, request, answer)
        except Refused as refused:
            answer(refusal(request.seq, refused))
        except Exception as error:  # noqa: BLE001 - whatever it is, the client gets an id and the log the traceback
            answer(refusal(request.seq, settle(error, operation=request.operation)))

    def _begin(self, asker: Asker, session: bytes | None, request: Request, answer: Answer) -> None:
        operation = self._operation(request)
        caller = self._caller(asker, session, operation)
        body = decode_body(operation, request.body)
        key = None
        if request.key is not None:
            key = Key(caller.counter, request.key.client, request.key.sequence)
        if operation.again and session is not None:
            caller = replace(caller, fresh=self._sessions.fresh(session))
        foreign = saved_by_another(request, caller)
        refused = foreign or not_allowed(operation, caller)
        lane = self._lanes.get(operation.name)
        if lane is not None and refused is None:
            assert key is not None, f"{operation.name} is posted in batches and must be keyed"
            lane(key, caller, body, lambda outcome: answer(answer_of(request.seq, outcome)))
            return
        if len(self._tasks) >= TASKS:
            raise Refused("BUSY")
        asked = Asked(operation, caller, key, bytes(request.body), body)
        work = self._rooms.recall(asked, foreign) if foreign else self._serve(asked, refused)
        task = asyncio.ensure_future(_answered(request, work, answer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _operation(self, request: Request) -> Operation:
        operation = self._catalogue.get(request.operation)
        if operation is None:
            raise Refused("UNKNOWN_OPERATION", operation=request.operation)
        if operation.keyed and request.key is None:
            raise Refused("KEY_MISSING", operation=operation.name)
        if not operation.keyed and request.key is not None:
            raise Refused("KEY_NOT_ALLOWED", operation=operation.name)
        return operation

    def _caller(self, asker: Asker, session: bytes | None, operation: Operation) -> Caller:
        """What is the machine's own it asks itself, whoever is signed in there."""
        if is_own(asker.subject, operation) or not SEATS.get(kind_of(asker.subject)):
            caller = principal(asker)
        else:
            caller = None if session is None else self._sessions.caller(session)
        if caller is None or caller.subject != asker.subject:
            raise Refused("SIGN_IN_AGAIN")
        return caller

    async def _serve(self, asked: Asked, refused: Refused | None) -> Outcome:
        if asked.key is None:
            if refused is not None:
                await self._rooms.note_refusal(asked, refused)
                raise refused
            return fitting(asked.operation, await self._rooms.read(asked))
        if refused is not None:
            return await self._rooms.refuse_key(asked, refused)
        outcome = await self._rooms.write(asked)
        if outcome.refusal is not None and outcome.refusal[0] == "PROVE_AGAIN":
            await self._sessions.prove_again(asked.caller.session)
        return outcome

    async def close(self) -> None:
        """Wait for what is being served: each ends by its own deadline."""
        if self._tasks:
            await asyncio.wait(self._tasks)


def saved_by_another(request: Request, caller: Caller) -> Refused | None:
    """Say that it was saved under another login than the one that is signed in now: what was left
    at a terminal is never done with the authority of who comes next.
    """
    if request.key is None or not caller.session or request.by in {"", caller.user}:
        return None
    return Refused("SAVED_BY_ANOTHER", user=request.by)


def not_allowed(operation: Operation, caller: Caller) -> Refused | None:
    """Say why this caller may not, or None: role named by the operation, second factor where the
    role needs one, and seated where the role may sit.
    """
    if caller.role not in operation.roles:
        needed = " or ".join(sorted(operation.roles))
        return Refused("ROLE", purpose=operation.purpose, role=caller.role, needed=needed)
    if not caller.session:
        return None if operation.principal else Refused("CERTIFICATE", subject=caller.subject)
    if caller.must_enrol and operation.name != ENROLS:
        return Refused("ENROL_FIRST", role=caller.role)
    try:
        check_role(caller.subject, caller.role)
    except Refused as refused:
        return refused
    return None


def fitting(operation: Operation, outcome: Outcome) -> Outcome:
    """Refuse TOO_LONG where a look came to more than a frame: that would break the connection."""
    if outcome.reply is not None and len(outcome.reply) > MAX_BODY_BYTES:
        raise Refused("TOO_LONG", purpose=operation.purpose)
    return outcome


def answer_of(seq: int, outcome: Outcome | Refused) -> Reply | Refusal:
    """Write an outcome as the answer to request ``seq``."""
    if isinstance(outcome, Refused):
        return refusal(seq, outcome)
    if outcome.refusal is not None:
        return stored_refusal(seq, *outcome.refusal, replay=outcome.replay)
    assert outcome.reply is not None, "an outcome is a reply or a refusal"
    return Reply(seq, Raw(outcome.reply), outcome.replay)


async def _answered(request: Request, work: Awaitable[Any], answer: Answer) -> None:
    try:
        said = answer_of(request.seq, await work)
    except ANY_END as error:
        said = refusal(request.seq, settle(error, operation=request.operation))
    answer(said)
