"""The table of legal acts: a name, and what carries it out in the town and in the book.

To bring in another kind of act, write it in ``at_counters`` or ``afterwards`` and add a row.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

from tests.database.by_hand import afterwards, at_counters
from tests.database.by_hand.book import Book
from tests.database.town import Town

ACTS: Final[dict[str, Callable[[Town, Book, int, int], Awaitable[None]]]] = {
    "take": at_counters.take,
    "take a batch": at_counters.take_batch,
    "cancel": at_counters.cancel,
    "verify one": at_counters.verify_one,
    "verify a counter": at_counters.verify_counter,
    "verify the day": at_counters.verify_day,
    "pick cash up": at_counters.pick_up,
    "count a till": at_counters.count_a_till,
    "enter leaves": at_counters.enter_leaves,
    "next day": at_counters.next_day,
    "post a scroll": afterwards.post_scroll,
    "match": afterwards.match,
    "send up": afterwards.send_up,
    "charge": afterwards.raise_charge,
    "dishonour": afterwards.dishonour,
    "move a receipt": afterwards.move_receipt,
    "move an advance": afterwards.move_advance,
    "refund": afterwards.refund,
}
