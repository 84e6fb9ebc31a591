"""The verdict: what the terminals' journals say against what the database holds. Outside the code
under test.

    lost      acknowledged in a journal, absent from the database (or with another amount or number)
    doubled   a receipt no journal ever asked for, two receipts of one key, one receipt for two keys

The journals are the terminals' own files; the database is read with plain SELECTs over the node's
local socket. This file must not import anything the servers run.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import msgspec


class Asked(msgspec.Struct, frozen=True):
    """One journalled payment: whose, its key (client and sequence, or a bank's reference), the
    receipt it was answered with ('' if none yet or refused). Times are Unix seconds: saved before
    the first sending, and settled (0.0 not yet).
    """

    owner: str
    key: str
    amount_paise: int
    receipt: str
    sent_at: float
    answered_at: float


class Held(msgspec.Struct, frozen=True):
    """One receipt as the database holds it, with the key it was posted under."""

    owner: str
    key: str
    amount_paise: int
    receipt: str


class Verdict(msgspec.Struct, frozen=True):
    """The count of acknowledged payments, of lost and doubled ones, and examples for a person."""

    acknowledged: int
    lost: int
    doubled: int
    examples: tuple[str, ...]


def judge(asked: Iterable[Asked], held: Iterable[Held]) -> Verdict:
    """Compare journals and database; pure."""
    intents = {(one.owner, one.key): one for one in asked}
    receipts: dict[tuple[str, str], list[Held]] = {}
    for one in held:
        receipts.setdefault((one.owner, one.key), []).append(one)
    lost, doubled = [], []
    acknowledged = [(key, one) for key, one in intents.items() if one.receipt]
    for key, intent in acknowledged:
        answered = (intent.receipt, intent.amount_paise)
        if answered not in {(it.receipt, it.amount_paise) for it in receipts.get(key, [])}:
            lost.append(f"lost: {intent.receipt} of {intent.owner}, key {intent.key}")
    for key, found in receipts.items():
        if key not in intents:
            doubled.append(f"nobody asked for {found[0].receipt}")
        elif len(found) > 1:
            doubled.append(f"two receipts of one key: {', '.join(it.receipt for it in found)}")
    numbers = Counter(one.receipt for _, one in acknowledged)
    doubled += [f"{number} answered {times} keys" for number, times in numbers.items() if times > 1]
    return Verdict(len(acknowledged), len(lost), len(doubled), tuple([*lost, *doubled][:10]))


def missing(told: Iterable[tuple[str, int]], held: Iterable[Held]) -> list[str]:
    """Which acknowledged receipts (number, paise), one for each answer, the database does not hold.

    A number that answered twice stands for two payments and is held once: what a copy set back
    gives out again counts as lost.
    """
    there = {(one.receipt, one.amount_paise) for one in held}
    kept: set[str] = set()
    lost = []
    for number, paise in told:
        if (number, paise) in there and number not in kept:
            kept.add(number)
        else:
            lost.append(number)
    return lost


def in_flight(asked: Iterable[Asked], at: float) -> int:
    """How many intents were sent and not yet answered at that Unix time."""
    return sum(
        one.sent_at <= at and (one.answered_at == 0.0 or at < one.answered_at) for one in asked
    )


def longest_wait_ms(asked: Iterable[Asked], since: float, until: float) -> float:
    """The longest time from first sending to the answer among the intents under way in that span,
    ms.
    """
    waits = [
        (one.answered_at - one.sent_at) * 1000
        for one in asked
        if one.answered_at and one.sent_at <= until and one.answered_at >= since
    ]
    return max(waits, default=0.0)
