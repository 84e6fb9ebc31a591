"""The verdict, outside the code under test: what the journals say against what the books hold.
Pure.

Each check yields Flaws; none yields nothing when all is well. ``lost`` and ``doubled`` are counted
from them; every other kind is a flaw all the same. This file must not import what servers run.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain

import msgspec
from msgspec import Struct

from protocols.catalogue.banking import Post, Posted
from protocols.catalogue.payments import Cancel, Receipt, Take
from tests.torture.evidence import Asked, Books

NUMBER = (1 << 30) - 1
PLACE = (1 << 40) - 1
Key = tuple[str, str]
"""Whose, and which."""


class Flaw(Struct, frozen=True):
    """Something that must not be; ``kind`` is counted, ``text`` is for a person."""

    kind: str
    text: str


def judge(asked: Iterable[Asked], books: Books) -> list[Flaw]:
    """Everything that is wrong with these books, given these journals."""
    asked = list(asked)
    return list(
        chain(
            takes(asked, books),
            once(books),
            posts(asked, books),
            cancels(asked, books),
            replies(asked),
            series(books),
            ledger(books),
            audit(books),
            (Flaw("own-check", one) for one in books.own_checks),
        )
    )


def takes(asked: Iterable[Asked], books: Books) -> Iterator[Flaw]:
    """Acknowledged payments are there, as they were; what is there was asked for."""
    held = {
        (one.owner, one.key): (one.number, one.amount_paise)
        for one in books.requests
        if one.operation == "payments.take" and one.receipt
    }
    wanted: dict[Key, int] = {}
    for one in asked:
        if one.operation != "payments.take":
            continue
        key = (one.owner, one.key)
        wanted[key] = msgspec.msgpack.decode(one.body, type=Take).amount_paise
        if one.answer:
            number = msgspec.msgpack.decode(one.answer, type=Receipt).number
            if held.get(key) != (number, wanted[key]):
                yield Flaw("lost", f"{number} of {key}, {wanted[key]} paise: holds {held.get(key)}")
        elif one.refused and key in held:
            yield Flaw("doubled", f"{key} was refused, yet there is {held[key]}")
    for key, (number, paise) in held.items():
        if wanted.get(key) != paise:
            yield Flaw("doubled", f"{number} of {key}, {paise} paise: asked {wanted.get(key)}")


def once(books: Books) -> Iterator[Flaw]:
    """A key has one outcome, a receipt one key."""
    keys = Counter((one.owner, one.key) for one in books.requests)
    numbers = Counter(one.number for one in books.requests if one.receipt)
    for what, count in chain(keys.items(), numbers.items()):
        if count > 1:
            yield Flaw("doubled", f"{what} stands {count} times")


def posts(asked: Iterable[Asked], books: Books) -> Iterator[Flaw]:
    """The same for the lines of a bank: its key is the reference."""
    wanted: dict[Key, int] = {}
    for one in asked:
        if one.operation != "banking.post":
            continue
        lines = msgspec.msgpack.decode(one.body, type=Post).lines
        wanted |= {(one.owner, line.reference): line.amount_paise for line in lines}
        answer = msgspec.msgpack.decode(one.answer, type=Posted).lines if one.answer else []
        for line in answer:
            key = (one.owner, line.reference)
            if books.references.get(key) != (line.receipt, wanted[key]):
                held = books.references.get(key)
                yield Flaw("lost", f"{line.receipt} of {key}, {wanted[key]} paise: holds {held}")
    for key, (receipt, paise) in books.references.items():
        if wanted.get(key) != paise:
            yield Flaw("doubled", f"nobody asked for {receipt} of {key}, {paise} paise")


def cancels(asked: Iterable[Asked], books: Books) -> Iterator[Flaw]:
    """A cancelled receipt is cancelled once, and only if somebody asked."""
    times = Counter(books.cancelled)
    wanted = set()
    for one in asked:
        if one.operation == "payments.cancel":
            receipt = msgspec.msgpack.decode(one.body, type=Cancel).receipt
            wanted.add(receipt)
            if one.answer and not times[receipt]:
                yield Flaw("lost", f"the cancellation of {receipt}, key {one.key}")
    for receipt, count in times.items():
        if receipt not in wanted or count > 1:
            yield Flaw(
                "doubled", f"{receipt} was cancelled {count} times, asked: {receipt in wanted}"
            )


def replies(asked: Iterable[Asked]) -> Iterator[Flaw]:
    """Every definitive answer to one key is the same, byte by byte."""
    answers = defaultdict(set)
    for one in asked:
        if one.answer or one.refused:
            answers[one.owner, one.key].add(one.answer)
    for (owner, key), found in answers.items():
        if len(found) > 1:
            yield Flaw("replies", f"{owner}, key {key}: {len(found)} different answers")


def series(books: Books) -> Iterator[Flaw]:
    """Receipt numbers of a series run from 1 without a gap."""
    numbers = defaultdict(set)
    for one in books.requests:
        if one.receipt:
            numbers[one.receipt >> 30].add(one.receipt & NUMBER)
    for which, found in numbers.items():
        if found != set(range(1, len(found) + 1)):
            missing = sorted(set(range(1, max(found) + 1)) - found)[:5]
            yield Flaw("gaps", f"series {which}: {len(found)} up to {max(found)}, no {missing}")


def ledger(books: Books) -> Iterator[Flaw]:
    """Balances are the sums of their entries, all together zero; a receipt has its one entry."""
    sums: Counter[int] = Counter()
    vouchers: Counter[int] = Counter()
    for voucher, debit, credit, paise in books.entries:
        sums[debit] += paise
        sums[credit] -= paise
        vouchers[voucher] += 1
    for account in sums.keys() | books.balances.keys():
        if sums[account] != books.balances.get(account, 0):
            text = f"account {account}: {books.balances.get(account)}, entries {sums[account]}"
            yield Flaw("ledger", text)
    if sum(books.balances.values()):
        yield Flaw("ledger", f"all balances sum to {sum(books.balances.values())}")
    for one in books.requests:
        if one.receipt and vouchers[one.receipt] != 1:
            yield Flaw("ledger", f"{one.number} has {vouchers[one.receipt]} entries")


Prints = Mapping[str, tuple[int, str]]
"""Of each table the number of rows and a hash of them."""


def copies(primary: Prints, standby: Prints) -> Iterator[Flaw]:
    """The standby holds row for row what the primary holds."""
    for table in sorted(primary.keys() | standby.keys()):
        one, other = primary.get(table), standby.get(table)
        if one != other:
            yield Flaw("standby", f"{table}: {one} on the primary, {other} on the standby")


def audit(books: Books) -> Iterator[Flaw]:
    """Every link follows the one before it, and covers its rows as they are."""
    before: dict[int, tuple[int, bytes]] = {}
    for link, previous, digest, evidence in books.links:
        number, place = link >> 40, link & PLACE
        first = hashlib.sha256(number.to_bytes(4, "big")).digest()
        last_place, last_digest = before.get(number, (0, first))
        if place != last_place + 1:
            yield Flaw("audit", f"chain {number}: {place} follows {last_place}")
        if previous != last_digest or digest != hashlib.sha256(previous + evidence).digest():
            yield Flaw("audit", f"chain {number}, link {place} does not verify")
        before[number] = (place, digest)
