"""The outcome of a key: read from its stored columns, written as the answer it was the first time.

A receipt is rebuilt byte for byte from typed columns, a refusal from its code and fields, another
operation's reply is its stored bytes. This file must not know how an outcome came about.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any, Final

from msgspec import Struct
from msgspec.msgpack import Encoder

from mpowerd.refusals import refused
from protocols.catalogue.payments import Receipt
from protocols.refusals import Refused

COLUMNS: Final = (
    "counter, client, sequence, fingerprint, operation, at, day, number, consumer, name,"
    " amount_paise, mode, instrument, purpose, actor, refusal, refusal_fields, reply"
)
_ENCODER: Final = Encoder()


class Outcome(Struct, frozen=True):
    """What a key came to: reply bytes, or (code, sentence); ``replay``: it was so before this
    request.
    """

    reply: bytes | None
    refusal: tuple[str, str] | None
    replay: bool


class Stored(Struct, frozen=True):
    """A row of ``mpower.outcomes``, in the order of COLUMNS."""

    counter: str
    client: Any
    sequence: int
    fingerprint: bytes
    operation: str
    at: dt.datetime
    day: dt.date | None
    number: str | None
    consumer: str | None
    name: str | None
    amount_paise: int | None
    mode: str | None
    instrument: str | None
    purpose: str | None
    actor: str
    refusal: str | None
    refusal_fields: str | None
    reply: bytes | None


def stored(row: Sequence[Any]) -> Stored:
    """Name the columns of a row."""
    return Stored(*row)


def encoded(reply: Struct) -> bytes:
    """Write a reply body as it goes on the wire and under the key."""
    return _ENCODER.encode(reply)


def instant(at: dt.datetime) -> str:
    """Write a time as answers carry it: ISO, UTC, to the second."""
    return at.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def fresh_refusal(refusal: Refused, *, replay: bool = False) -> Outcome:
    """Make the outcome of a refusal."""
    return Outcome(None, (refusal.code, refusal.sentence), replay)


def replayed(row: Stored) -> Outcome:
    """Give the first answer again."""
    if row.refusal is not None:
        return fresh_refusal(refused(row.refusal, row.refusal_fields), replay=True)
    return Outcome(
        row.reply if row.reply is not None else encoded(_receipt(row)), None, replay=True
    )


def _receipt(row: Stored) -> Receipt:
    return Receipt(
        number=row.number or "",
        business_date=str(row.day),
        taken_at=instant(row.at),
        consumer=row.consumer or "",
        name=row.name or "",
        amount_paise=row.amount_paise or 0,
        mode=row.mode or "",
        instrument=row.instrument or "",
        purpose=row.purpose or "",
        clerk=row.actor,
    )
