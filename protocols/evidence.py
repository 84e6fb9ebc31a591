"""What of a row is hashed, in both writings: PostgreSQL's binary record, and fields a person reads.

An export holds the fields; whoever proves it writes them as the record again and hashes that, so
every field that is shown is a field that is proven. The order and types of the columns are those of
``request_evidence`` and ``entry_evidence`` in the schema (a test compares). Pure.
"""

from __future__ import annotations

import datetime as dt
import struct
import uuid
from collections.abc import Mapping
from typing import Any, Final

BYTEA, INT8, INT2, INT4, TEXT, DATE, TIMESTAMPTZ, UUID = 17, 20, 21, 23, 25, 1082, 1184, 2950
Columns = tuple[tuple[str, int], ...]
REQUEST: Final[Columns] = (
    *(("counter", TEXT), ("client", UUID), ("sequence", INT8), ("at", TIMESTAMPTZ)),
    *(("receipt", INT8), ("previous_receipt", INT8), ("consumer", INT8), ("amount_paise", INT8)),
    *(("day", DATE), ("user_id", INT4), ("position", INT2), ("fingerprint", BYTEA)),
    *(("operation", TEXT), ("actor", TEXT), ("address", TEXT), ("mode", TEXT)),
    *(("instrument", TEXT), ("purpose", TEXT), ("name", TEXT), ("refusal", TEXT)),
    *(("refusal_fields", TEXT), ("reply", BYTEA)),
)
ENTRY: Final[Columns] = (
    *(("position", INT2), ("at", TIMESTAMPTZ), ("what", TEXT), ("outcome", TEXT)),
    *(("user_name", TEXT), ("person", TEXT), ("role", TEXT), ("subject", TEXT)),
    *(("address", TEXT), ("counter", TEXT), ("client", UUID), ("sequence", INT8)),
    *(("object", TEXT), ("details", TEXT), ("reason", TEXT)),
)
KINDS: Final[Mapping[str, Columns]] = {"request": REQUEST, "entry": ENTRY}
EPOCH: Final = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
NUMBERS: Final = {INT2: ">h", INT4: ">i", INT8: ">q"}
Fields = dict[str, Any]


def fields_of(kind: str, record: bytes) -> Fields:
    """Read a record; ValueError if it is not one of this kind."""
    columns = KINDS[kind]
    try:
        (count,) = struct.unpack_from(">i", record)
        if count != len(columns):
            raise ValueError(f"a record of {count} fields is no {kind}")
        found, at = {}, 4
        for name, oid in columns:
            type_of, length = struct.unpack_from(">Ii", record, at)
            at += 8
            if type_of != oid:
                raise ValueError(f"{name} of a {kind} has the type {type_of}")
            raw = record[at : at + length] if length >= 0 else None
            found[name] = None if raw is None else _read(oid, raw)
            at += max(length, 0)
    except struct.error as wrong:
        raise ValueError(f"a {kind} that is cut off ({wrong})") from None
    return found


def record_of(kind: str, fields: Mapping[str, Any]) -> bytes:
    """Write fields as the record that was hashed; ValueError names a field that cannot be one."""
    columns = KINDS[kind]
    if fields.keys() != {name for name, _ in columns}:
        raise ValueError(f"a {kind} has other fields")
    parts = [struct.pack(">i", len(columns))]
    for name, oid in columns:
        value = fields[name]
        try:
            raw = None if value is None else _write(oid, value)
        except (ValueError, TypeError, AttributeError, struct.error) as wrong:
            raise ValueError(f"{name} of a {kind} is not one ({wrong})") from None
        parts.append(struct.pack(">Ii", oid, -1 if raw is None else len(raw)))
        parts.append(raw or b"")
    return b"".join(parts)


def _read(oid: int, raw: bytes) -> str | int:
    if oid in NUMBERS:
        number: int = struct.unpack(NUMBERS[oid], raw)[0]
        return number
    match oid:
        case 1184:
            since = dt.timedelta(microseconds=struct.unpack(">q", raw)[0])
            return (EPOCH + since).isoformat(timespec="microseconds")
        case 1082:
            return (EPOCH.date() + dt.timedelta(days=struct.unpack(">i", raw)[0])).isoformat()
        case 2950:
            return str(uuid.UUID(bytes=raw))
        case 17:
            return raw.hex()
    return raw.decode()


def _write(oid: int, value: Any) -> bytes:
    if oid in NUMBERS:
        return struct.pack(NUMBERS[oid], value)
    match oid:
        case 1184:
            since = dt.datetime.fromisoformat(value) - EPOCH
            return struct.pack(">q", since // dt.timedelta(microseconds=1))
        case 1082:
            return struct.pack(">i", (dt.date.fromisoformat(value) - EPOCH.date()).days)
        case 2950:
            return uuid.UUID(value).bytes
        case 17:
            return bytes.fromhex(value)
    raw: bytes = value.encode()
    return raw
