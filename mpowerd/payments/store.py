"""The payments' SQL: thin. A batch becomes column arrays, one call, and an outcome for each item.

Python gives each item its place among the distinct counters, consumers (sorted: the order of locks)
and tills; the function does the rest. Keys that were used before are answered from their stored
outcome; the transaction around the batch is itself the written commit behind which a replay may be
answered.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any, Final

from msgspec import Struct
from psycopg import AsyncCursor

from mpowerd.caller import Caller, Key
from mpowerd.keys import conflict
from mpowerd.outcomes import COLUMNS, Outcome, encoded, fresh_refusal, instant, replayed, stored
from mpowerd.packed import int4s, int8s, texts, uuids
from mpowerd.payments.rules import TILL_SLOTS, instrument_text, objection
from mpowerd.refusals import fields_text, refused
from protocols.catalogue.payments import Receipt, Take
from protocols.heads import HEAD_SLOTS, OWN_HEAD
from protocols.values import receipt_number

Cursor = AsyncCursor[tuple[Any, ...]]

TAKE: Final = (
    "SELECT codes, fields, receipts, names, day, at FROM mpower.take_payments_v1("  # noqa: S608 - our words
    + ", ".join(["%s"] * 22)
    + ")"
)
OUTCOMES: Final = f"SELECT {COLUMNS} FROM mpower.outcomes_v1(%s, %s, %s)"  # noqa: S608 - our words
NO_SESSION: Final = bytes(32)
"""Fits no session: a caller without one is asked to sign in."""
MAX_BATCH: Final = 500
"""Items of one call: bounds the lock time of a batch; a lane sends the rest with the next."""


class Item(Struct, frozen=True):
    """One payment of a batch, as dispatch recognised it."""

    key: Key
    caller: Caller
    body: Take
    fingerprint: bytes


def places(values: Sequence[Any]) -> tuple[list[Any], list[int]]:
    """Give the distinct values in order, and for each value its place among them, from 1."""
    distinct = sorted(set(values))
    place = {value: number for number, value in enumerate(distinct, 1)}
    return distinct, [place[value] for value in values]


def own_head(body: Take) -> int:
    """Give the account of the one head that a payment pays; 0: it pays dues."""
    head = OWN_HEAD.get(body.purpose)
    return int(body.consumer) * 16 + HEAD_SLOTS[head] if head else 0


def columns(items: Sequence[Item], chain: int) -> tuple[Any, ...]:
    """Turn a batch into the arguments of ``take_payments_v1``."""
    counters, counter_of = places([item.key.counter for item in items])
    consumers, consumer_of = places([int(item.body.consumer) for item in items])
    tills, till_of = places(
        [(place, TILL_SLOTS[item.body.mode]) for place, item in zip(counter_of, items, strict=True)]
    )
    heads, head_of = places([account for item in items if (account := own_head(item.body))])
    place_of_head = iter(head_of)
    objections = [objection(item.body) for item in items]
    return (
        chain,
        texts(counters),
        int4s(counter_of),
        uuids([item.key.client for item in items]),
        int8s([item.key.sequence for item in items]),
        b"".join([item.fingerprint for item in items]),
        b"".join([item.caller.session or NO_SESSION for item in items]),
        texts([item.caller.address for item in items]),
        int8s(consumers),
        int4s(consumer_of),
        int8s([item.body.amount_paise for item in items]),
        texts([item.body.mode for item in items]),
        texts([instrument_text(item.body) for item in items]),
        texts([item.body.purpose for item in items]),
        int4s([int(item.body.confirmed) for item in items]),
        int8s(heads),
        int4s([next(place_of_head) if own_head(item.body) else 0 for item in items]),
        int4s([place for place, _ in tills]),
        int4s([slot for _, slot in tills]),
        int4s(till_of),
        texts([one.code if one else "" for one in objections]),
        texts([fields_text(one) if one else "" for one in objections]),
    )


async def take_batch(cursor: Cursor, items: Sequence[Item], chain: int) -> list[Outcome]:
    """Take a batch in one call: an outcome for each item, in order; none harms its neighbours.

    A key twice in the batch is posted once; the second is the replay of the first. Refusals that
    settle nothing (SIGN_IN_AGAIN) are not stored. To be called inside ``Database.write``: its gate
    stands before every answer.
    """
    assert 0 < len(items) <= MAX_BATCH, len(items)
    await cursor.execute(TAKE, columns(items, chain), prepare=True, binary=True)
    row = await cursor.fetchone()
    assert row is not None, "a function without a set has one row"
    codes, fields, receipts, names, day, at = row
    taken_at = instant(at)
    outcomes: list[Outcome | None] = [
        _fresh(item, receipt, name, day, taken_at)
        if not code
        else None
        if code == "REPLAY"
        else fresh_refusal(refused(code, said))
        for item, code, said, receipt, name in zip(
            items, codes, fields, receipts, names, strict=True
        )
    ]
    again = [place for place, outcome in enumerate(outcomes) if outcome is None]
    if again:
        await _replay(cursor, items, again, outcomes, chain)
    return [outcome for outcome in outcomes if outcome is not None]


def _fresh(item: Item, receipt: int, name: str, day: dt.date, taken_at: str) -> Outcome:
    year = 2000 + (receipt >> 30 & 255)
    number = receipt_number(
        item.key.counter, f"{year}-{(year + 1) % 100:02d}", receipt & 0x3FFFFFFF
    )
    body = item.body
    answer = Receipt(
        number,
        str(day),
        taken_at,
        body.consumer,
        name,
        body.amount_paise,
        body.mode,
        instrument_text(body),
        body.purpose,
        item.caller.user,
    )
    return Outcome(encoded(answer), None, replay=False)


async def _replay(
    cursor: Cursor,
    items: Sequence[Item],
    again: Sequence[int],
    outcomes: list[Outcome | None],
    chain: int,
) -> None:
    """Answer the keys that were used before from what is stored; another content is a conflict."""
    keys = [items[place].key for place in again]
    await cursor.execute(
        OUTCOMES,
        (
            texts([key.counter for key in keys]),
            uuids([key.client for key in keys]),
            int8s([key.sequence for key in keys]),
        ),
    )
    found = {
        (row.counter, row.client.bytes, row.sequence): row
        for row in [stored(row) for row in await cursor.fetchall()]
    }
    for place in again:
        item = items[place]
        row = found[item.key.counter, item.key.client, item.key.sequence]
        if row.fingerprint == item.fingerprint:
            outcomes[place] = replayed(row)
        else:
            outcomes[place] = await conflict(cursor, item.caller, item.key, "payments.take", chain)
