"""What a request for approval is: its content, its before and after. Pure.

A proposal is made by the room whose operation it is: which object, which fields change from what to
what, the value that the approver's power must reach, in which office. The content that an approver
names is SHA-256 over operation and body as they would be carried out, so no byte can change unseen.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, Final

import msgspec
from msgspec import Struct

from protocols.refusals import Refused

LASTS_DAYS: Final = 7
"""How long a request waits: a working week; then it expires and is asked for anew."""
READ_BYTES: Final = 56 * 1024
"""Of an answer's 64: the rest is the request itself and what was said of it."""
DELEGATION_DAYS: Final = 60
"""A power is lent for a leave, not for good."""


class Proposal(Struct, frozen=True):
    """What an operation would change.

    ``object`` names it for people (``user asha``); ``before`` and ``after`` by field, as texts, ''
    where there is none; ``value`` in the power's unit (0: the power has none); ``office`` whose
    matter it is; ``persons``: whom it is about, ``consumers``: whose account. None of
    them, nor who has such an account, approves it.
    """

    object: str
    before: Mapping[str, str]
    after: Mapping[str, str]
    value: int
    office: str
    persons: tuple[str, ...] = ()
    consumers: tuple[str, ...] = ()


def content_of(operation: str, body: bytes) -> bytes:
    """Give the content that an approver names: SHA-256 over operation and body."""
    return hashlib.sha256(operation.encode() + b"\0" + body).digest()


def change_of(operation: str, body: Any) -> bytes:
    """Give what would be done, whatever the reason and in whichever order rows are listed."""
    fields = {**msgspec.structs.asdict(body), "reason": ""}
    return hashlib.sha256(operation.encode() + b"\0" + _canonical(fields)).digest()


def _canonical(value: Any) -> bytes:
    def plain(part: Any) -> Any:
        if isinstance(part, dict):
            return {name: plain(one) for name, one in part.items()}
        return sorted(map(_canonical, part)) if isinstance(part, list) else part

    return msgspec.json.encode(plain(msgspec.to_builtins(value)), order="deterministic")


def fields_text(fields: Mapping[str, str]) -> str:
    """Write fields as they are kept and audited: JSON, by name."""
    return msgspec.json.encode(dict(sorted(fields.items()))).decode()


def fields_of(text: str) -> dict[str, str]:
    """Read kept fields."""
    return msgspec.json.decode(text, type=dict[str, str])


def check_changes(proposal: Proposal) -> None:
    """Refuse NOTHING_CHANGES where before and after are the same, and TOO_MUCH_TO_READ where they
    do not fit the one answer in which whoever approves is shown them.
    """
    if dict(proposal.before) == dict(proposal.after):
        raise Refused("NOTHING_CHANGES", object=proposal.object)
    rows = changes(proposal.before, proposal.after)
    if len(msgspec.msgpack.encode(rows)) > READ_BYTES:
        raise Refused("TOO_MUCH_TO_READ", object=proposal.object, fields=len(rows))


def check_fresh(request: int, kept: Mapping[str, str], now: Mapping[str, str]) -> None:
    """Refuse REQUEST_STALE, naming the field, where what was shown as before no longer stands."""
    for field in sorted({*kept, *now}):
        if kept.get(field, "") != now.get(field, ""):
            raise Refused("REQUEST_STALE", request=request, field=field)


def changes(before: Mapping[str, str], after: Mapping[str, str]) -> list[tuple[str, str, str]]:
    """Give (field, before, after) of what changes, by name of the field."""
    rows = [(one, before.get(one, ""), after.get(one, "")) for one in sorted({*before, *after})]
    return [row for row in rows if row[1] != row[2]]
