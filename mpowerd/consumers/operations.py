"""The consumers' operations: find, dues, load; their own data and who may change it; contacts."""

from __future__ import annotations

import datetime as dt
from typing import Any, Final

from msgspec.structs import replace

from mpowerd.approvals.rules import Proposal
from mpowerd.caller import Caller
from mpowerd.consumers import store
from mpowerd.consumers.rules import check_details, check_rows
from mpowerd.database import Cursor
from mpowerd.jurisdiction import office_out_of_reach
from mpowerd.outcomes import instant
from mpowerd.paging import fitting
from protocols.catalogue.consumers import (
    Account,
    AccountData,
    Changed,
    ChangeDetails,
    ChangeLoad,
    ChangeMobile,
    Consumer,
    Contact,
    ContactHistory,
    ContactNoted,
    Contacts,
    Dues,
    DuesAnswer,
    FieldChange,
    Find,
    Found,
    HeadDue,
    Load,
    Loaded,
    NoteContact,
)
from protocols.consumer_fields import FIELDS, shown
from protocols.heads import HEADS, OWN_HEAD
from protocols.refusals import Refused


async def find(cursor: Cursor, caller: Caller, body: Find) -> Found:
    """Find consumers, at most ``limit``."""
    rows = await store.find(cursor, body.by, body.text, body.limit)
    found = [Consumer(*row) for row in rows[: body.limit]]
    masked = [replace(one, mobile=shown(caller.role, "mobile", one.mobile)) for one in found]
    kept = fitting(masked)
    return Found(kept, len(kept) < len(rows))


async def dues(cursor: Cursor, caller: Caller, body: Dues) -> DuesAnswer:
    """Say what a consumer owes, and what of it is payable as dues."""
    rows = await store.dues(cursor, int(body.consumer))
    if not rows:
        raise Refused("NO_CONSUMER", consumer=body.consumer)
    _, received, total, name, bound, barred_until, last, last_paise, last_at = rows[0]
    heads = [(HEADS[slot - 1], due, payable) for slot, due, payable, *_ in rows if slot and due]
    own = set(OWN_HEAD.values())
    return DuesAnswer(
        body.consumer,
        name,
        [HeadDue(head, due, payable if head in own else 0) for head, due, payable in heads],
        total,
        -received,
        total + received - bound,
        last or "",
        last_paise or 0,
        instant(last_at) if last_at else "",
        str(barred_until or ""),
    )


async def load(cursor: Cursor, caller: Caller, body: Load) -> Loaded:
    """Load consumers with opening dues, all or none."""
    try:
        as_of = dt.date.fromisoformat(body.as_of)
    except ValueError:
        reason = f"there is no day {body.as_of}"
        raise Refused("BAD_BODY", operation="consumers.load", reason=reason) from None
    check_rows(body.rows)
    return Loaded(*await store.load(cursor, as_of, caller.user, body.rows))


async def account(cursor: Cursor, caller: Caller, body: Account) -> AccountData:
    """Show a consumer's own data, each field as the caller's role sees it."""
    stands = await _stands(cursor, body.consumer)
    fields = {name: shown(caller.role, name, text) for name, text in stands.items()}
    changes = [
        FieldChange(
            field,
            shown(caller.role, field, before),
            shown(caller.role, field, after),
            user,
            reason,
            instant(at),
        )
        for field, before, after, user, reason, at in await store.changes(
            cursor, int(body.consumer), body.most + 1
        )
    ]
    kept = fitting(changes[: body.most])
    elsewhere = await office_out_of_reach(cursor, caller, "consumer", body.consumer)
    return AccountData(
        body.consumer, fields, kept, told=not elsewhere, more=len(kept) < len(changes)
    )


async def _stands(cursor: Cursor, consumer: str) -> dict[str, str]:
    row = await store.consumer(cursor, int(consumer))
    if row is None:
        raise Refused("NO_CONSUMER", consumer=consumer)
    return dict(zip(FIELDS, map(str, row), strict=True))


async def propose_details(cursor: Cursor, body: ChangeDetails) -> Proposal:
    """Say what would change of a consumer's name, address, category or office. Of a move decides
    the office that is over both.
    """
    stands = await _stands(cursor, body.consumer)
    check_details(body.fields)
    before = {str(name): stands[name] for name in body.fields}
    after = {str(name): text for name, text in body.fields.items()}
    office = stands["office"]
    if to := body.fields.get("office"):
        over = await store.office_over(cursor, office, to)
        if over is None:
            raise Refused("NO_OFFICE", office=to)
        office = over
    about, own = f"consumer {body.consumer}", (body.consumer,)
    return Proposal(about, before, after, 0, office, consumers=own)


async def change_details(cursor: Cursor, caller: Caller, body: ChangeDetails) -> Changed:
    """Change a consumer's name, address, category or office (approved)."""
    fields = {str(name): text for name, text in body.fields.items()}
    consumer = int(body.consumer)
    await store.change_details(cursor, caller.session, consumer, fields, body.reason)
    return Changed(body.consumer)


async def propose_load(cursor: Cursor, body: ChangeLoad) -> Proposal:
    """Say what would change of a sanctioned load; the power must reach the larger of both."""
    stands = await _stands(cursor, body.consumer)
    stood = stands["sanctioned_load_w"]
    before, after = {"sanctioned_load_w": stood}, {"sanctioned_load_w": str(body.sanctioned_load_w)}
    value = max(int(stood), body.sanctioned_load_w)
    about, own = f"consumer {body.consumer}", (body.consumer,)
    return Proposal(about, before, after, value, stands["office"], consumers=own)


async def change_load(cursor: Cursor, caller: Caller, body: ChangeLoad) -> Changed:
    """Change a sanctioned load (approved)."""
    consumer, watts = int(body.consumer), body.sanctioned_load_w
    await store.change_load(cursor, caller.session, consumer, watts, body.reason)
    return Changed(body.consumer)


async def change_mobile(cursor: Cursor, caller: Caller, body: ChangeMobile) -> Changed:
    """Change a consumer's mobile number, at once."""
    consumer = int(body.consumer)
    await store.change_mobile(cursor, caller.session, consumer, body.mobile, body.reason)
    return Changed(body.consumer)


async def note_contact(cursor: Cursor, caller: Caller, body: NoteContact) -> ContactNoted:
    """Keep a contact with a consumer."""
    return ContactNoted(await store.note_contact(cursor, caller.session, caller.counter, body))


async def contacts(cursor: Cursor, caller: Caller, body: Contacts) -> ContactHistory:
    """Show the contacts with a consumer, newest first."""
    rows = await store.contacts(cursor, int(body.consumer), body.before, body.most + 1)
    kept = fitting([Contact(*[*row[:-1], instant(row[-1])]) for row in rows[: body.most]])
    return ContactHistory(kept, len(kept) < len(rows))


SERVED: Final[dict[str, Any]] = {
    "consumers.find": find,
    "consumers.dues": dues,
    "consumers.load": load,
    "consumers.account": account,
    "consumers.change_details": change_details,
    "consumers.change_load": change_load,
    "consumers.change_mobile": change_mobile,
    "consumers.note_contact": note_contact,
    "consumers.contacts": contacts,
}
PROPOSALS: Final[dict[str, Any]] = {
    "consumers.change_details": propose_details,
    "consumers.change_load": propose_load,
}
"""What each four-eyes operation of this room would change."""
FUNCTIONS: Final[dict[str, tuple[str, ...]]] = {
    "consumers.find": ("find_consumers_v1",),
    "consumers.dues": ("consumer_dues_v1",),
    "consumers.load": ("load_consumers_v1",),
    "consumers.account": ("consumer_v1", "consumer_changes_v1"),
    "consumers.change_details": ("consumer_v1", "office_over_v1", "change_details_v1"),
    "consumers.change_load": ("consumer_v1", "change_load_v1"),
    "consumers.change_mobile": ("change_mobile_v1",),
    "consumers.note_contact": ("note_contact_v1",),
    "consumers.contacts": ("contacts_v1",),
}
