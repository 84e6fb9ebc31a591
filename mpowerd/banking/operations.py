"""The bank links' operation: post a part of a scroll, whole or not at all.

The same part again is answered as before.
"""

from __future__ import annotations

from typing import Any, Final

from msgspec.msgpack import Decoder

from mpowerd.banking import rules, store
from mpowerd.caller import Caller
from mpowerd.database import Cursor
from mpowerd.outcomes import encoded
from protocols.catalogue.banking import LineOutcome, Post, Posted
from protocols.refusals import Refused

_POSTED: Final = Decoder(Posted)


async def post(cursor: Cursor, caller: Caller, body: Post) -> Posted:
    """Post a part of a scroll with its control totals."""
    rules.check(body)
    print_of = rules.fingerprint(body)
    before = await store.before(cursor, caller.counter, body.scroll, body.part)
    if before is not None:
        if before[0] != print_of:
            raise Refused("SCROLL_KNOWN", scroll=body.scroll)
        return _POSTED.decode(before[1])
    receipts = await store.post(cursor, caller, body, print_of)
    posted = _posted(body, receipts)
    await store.keep(cursor, caller.counter, body, print_of, encoded(posted))
    return posted


def _posted(body: Post, receipts: list[tuple[str, bool]]) -> Posted:
    lines = list(zip(body.lines, receipts, strict=True))
    matched = [line.amount_paise for line, (_, ours) in lines if ours]
    suspense = [line.amount_paise for line, (_, ours) in lines if not ours]
    return Posted(
        body.scroll,
        body.part,
        len(matched),
        sum(matched),
        len(suspense),
        sum(suspense),
        [
            LineOutcome(line.reference, "MATCHED" if ours else "SUSPENSE", number)
            for line, (number, ours) in lines
        ],
    )


SERVED: Final[dict[str, Any]] = {"banking.post": post}
FUNCTIONS: Final[dict[str, tuple[str, ...]]] = {
    "banking.post": ("scroll_before_v1", "post_scroll_v1", "keep_scroll_v1"),
}
