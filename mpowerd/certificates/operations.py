"""Requests for certificates as they are served: a machine asks for itself, an administrator
answers.

Invariant: nothing here can sign; the authority's key is on no node. This file must not know how a
certificate is made.
"""

from __future__ import annotations

from typing import Any, Final

from mpowerd.caller import Caller
from mpowerd.certificates import store
from mpowerd.certificates.rules import A_DAY, check_certificate, check_request
from mpowerd.database import Cursor
from mpowerd.outcomes import instant
from protocols.catalogue.certificates import (
    PAGE,
    Ask,
    Asked,
    Fetch,
    Fetched,
    Settle,
    Settled,
    Use,
    Used,
    Waiting,
    WaitingRow,
    WaitingRows,
)
from protocols.refusals import Refused


async def fetch(cursor: Cursor, caller: Caller, body: Fetch) -> Fetched:
    """Say what became of the machine's request."""
    found = await store.fetch(cursor, caller.subject, bytes.fromhex(body.digest))
    if found is None:
        return Fetched("NONE")
    state, since, certificate, why = found
    return Fetched(state, instant(since), certificate, why)


async def use(cursor: Cursor, caller: Caller, body: Use) -> Used:
    """Note that the machine calls with its new certificate."""
    number, since = await store.use(cursor, caller.subject, bytes.fromhex(body.digest))
    return Used(number, instant(since))


async def waiting(cursor: Cursor, caller: Caller, body: Waiting) -> WaitingRows:
    """Give a page of what waits."""
    rows = await store.waiting(cursor, body.after, PAGE + 1)
    said = [
        WaitingRow(number, subject, instant(since), address, request)
        for number, subject, since, address, request in rows[:PAGE]
    ]
    return WaitingRows(said, len(rows) > PAGE)


def served(cluster: str) -> dict[str, Any]:
    """Give the operations of a node of this cluster."""

    async def ask(cursor: Cursor, caller: Caller, body: Ask) -> Asked:
        check_request(cluster, caller.subject, body.digest, body.request)
        digest = bytes.fromhex(body.digest)
        number, since = await store.ask(
            cursor, caller.subject, digest, body.request, caller.address, A_DAY
        )
        return Asked(number, instant(since))

    async def settle(cursor: Cursor, caller: Caller, body: Settle) -> Settled:
        subject, asked = await store.request(cursor, body.request_id)
        if body.certificate:
            check_certificate(cluster, subject, asked, body.certificate, body.request_id)
        elif not body.reason:
            why = "there is neither a certificate nor a reason"
            raise Refused("BAD_CERTIFICATE", request=body.request_id, reason=why)
        await store.settle(cursor, body.request_id, body.certificate or None, body.reason)
        return Settled(body.request_id, subject, "SIGNED" if body.certificate else "REFUSED")

    return {
        "certificates.ask": ask,
        "certificates.fetch": fetch,
        "certificates.use": use,
        "certificates.waiting": waiting,
        "certificates.settle": settle,
    }


FUNCTIONS: Final[dict[str, tuple[str, ...]]] = {
    "certificates.ask": ("ask_certificate_v1",),
    "certificates.fetch": ("fetch_certificate_v1",),
    "certificates.use": ("use_certificate_v1",),
    "certificates.waiting": ("waiting_certificates_v1",),
    "certificates.settle": ("certificate_request_v1", "settle_certificate_v1"),
}
