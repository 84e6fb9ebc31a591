"""What of a consumer's own data an entry shows to whom: as the field's declaration says, whoever
asks and by whichever door.

The audit keeps every change whole, for the proof; a role that may not read a field whole at the
consumer's account does not read it here either. An export cannot be masked, as its hashes cover
what was written: it is for the auditor and the administrator, and an entry itself. Pure.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from protocols.consumer_fields import FIELDS, shown
from protocols.operation import Role

ROOM: Final = "consumers."
"""Operations whose entries hold consumers' own data."""
OWN: Final = frozenset({one for one in Role if all(one in f.read for f in FIELDS.values())})
"""Roles that read all of it."""
CUT: Final = "{}"
"""Details that cannot be read are shown to nobody from whom a part of them is kept."""


def masked(role: Role, what: str, details: str) -> str:
    """Give an entry's details as that role sees them."""
    if role in OWN or not what.startswith(ROOM) or not details:
        return details
    try:
        said = msgspec.json.decode(details)
    except msgspec.DecodeError:
        return CUT
    return msgspec.json.encode(_masked(role, said)).decode()


def _masked(role: Role, said: Any) -> Any:
    if isinstance(said, list):
        return f"{len(said)} rows"  # of a loaded file: fields by place, without their names
    if not isinstance(said, dict):
        return said
    return {
        name: shown(role, name, str(one))
        if name in FIELDS and not isinstance(one, dict | list)
        else _masked(role, one)
        for name, one in said.items()
    }
