"""What went wrong inside, as what the client may hear: one table from exceptions to refusals, all
else is a Fault.

Invariant: nothing fails open, and nothing that may yet be committed is called a failure: doubt is
PENDING. What is "not now" never settles a key. An exception nobody expected is logged with its
traceback under an id, and the client hears the id. This file must not know operations or sockets.
"""

from __future__ import annotations

import asyncio
import os
from typing import Final

import psycopg
import structlog

from mpowerd.database import Busy, Doubtful, Gated
from mpowerd.refusals import refusal_of
from protocols.faults import FAULT_RETRY_MS, Fault, fault_id
from protocols.messages import Refusal
from protocols.refusals import SENTENCES, Refused

RETRY_MS: Final = {"PENDING": 200, "BUSY": 500, "NOT_PRIMARY": 200, "FAULT": FAULT_RETRY_MS}
"""When to ask again: a doubtful commit is settled within a replication round trip; a full queue
within half a second.
"""

NOT_NOW: Final[dict[type[BaseException], str]] = {
    Doubtful: "PENDING",
    Gated: "NOT_PRIMARY",
    Busy: "BUSY",
}
STATES_NOT_NOW: Final = frozenset({"55P03", "40P01", "40001", "57014", "53300", "57P03"})
"""SQLSTATEs of a transaction that certainly rolled back and may work next time: lock or statement
timeout, deadlock, serialization, no connection left, starting up.
"""
LOST: Final = (psycopg.OperationalError, psycopg.InterfaceError)
"""The connection went away before COMMIT was sent (after it, the database says Doubtful): nothing
was done.
"""


ANY_END: Final = (Exception, asyncio.CancelledError)
"""However a request's work may end without an answer; a cancelled task has listeners too."""


def refused_for(error: BaseException) -> Refused | None:
    """Give the refusal an exception stands for, or None if it is a fault of ours."""
    if isinstance(error, Refused):
        return error
    for kind, code in NOT_NOW.items():
        if isinstance(error, kind):
            return Refused(code)
    if isinstance(error, psycopg.Error):
        said = refusal_of(error)
        if said is not None:
            return said
        if error.sqlstate in STATES_NOT_NOW:
            return Refused("BUSY")
    if isinstance(error, TimeoutError) or (isinstance(error, LOST) and error.sqlstate is None):
        return Refused("BUSY")
    return None


def settle(error: BaseException, **where: object) -> Refused:
    """Turn what was raised into the refusal the client hears; an unexpected one is logged with its
    traceback.

    A cancelled task is a node that is leaving: NOT_PRIMARY, so that the terminal moves.
    """
    if isinstance(error, asyncio.CancelledError):
        return Refused("NOT_PRIMARY")
    known = refused_for(error)
    if known is not None:
        return known
    fault = Fault(fault_id(os.urandom(4)), type(error).__name__)
    structlog.get_logger().error("fault", fault=fault.fault_id, exc_info=error, **where)
    return Refused("FAULT", id=fault.fault_id)


def refusal(seq: int, refused: Refused) -> Refusal:
    """Write a refusal as the answer to request ``seq``; when to ask again if it settles nothing."""
    return stored_refusal(seq, refused.code, refused.sentence, replay=False)


def stored_refusal(seq: int, code: str, sentence: str, *, replay: bool) -> Refusal:
    """Write a key's refusal as the answer to request ``seq``."""
    final = SENTENCES[code].final
    retry_ms = 0 if final else RETRY_MS.get(code, 0)
    return Refusal(seq, code, sentence, final, retry_ms, replay)
