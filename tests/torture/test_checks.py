"""The judge of the torture sees each thing that must not be: books that are right, spoilt one way
at a time.
"""

import hashlib
from typing import Any

import msgspec
import pytest
from msgspec import Struct, structs

from protocols.catalogue.banking import Line, LineOutcome, Post, Posted
from protocols.catalogue.payments import Cancel, Cancelled, Receipt, Take
from tests.torture.checks import copies, judge
from tests.torture.evidence import Asked, Books, Kept

SERIES = 5 << 38 | 26 << 30
WHO = "1000000001"
ONE = "C001/2026-27/1"
RECEIVED, CONSUMER = -95, 16
FIRST = hashlib.sha256((0).to_bytes(4, "big")).digest()
SECOND = hashlib.sha256(FIRST + b"one").digest()


def asked(operation: str, sequence: int, body: Struct, answer: Struct | None) -> Asked:
    owner = "SBI" if operation == "banking.post" else "C001"
    said = msgspec.msgpack.encode(answer) if answer is not None else b""
    raw = msgspec.msgpack.encode(body)
    return Asked(owner, f"aa/{sequence}", operation, raw, said, False, 1.0, 2.0)


def receipt(number: int, paise: int) -> Receipt:
    name = f"C001/2026-27/{number}"
    return Receipt(name, "2026-11-24", "", WHO, "A", paise, "CASH", "", "DUES", "clerk")


def kept(number: int, paise: int, operation: str = "payments.take") -> Kept:
    owner = "SBI" if operation == "banking.post" else "C001"
    return Kept(owner, f"aa/{number}", operation, SERIES | number, f"C001/2026-27/{number}", paise)


def links(*evidence: bytes) -> list[tuple[int, bytes, bytes, bytes]]:
    made, previous = [], FIRST
    for place, one in enumerate(evidence, 1):
        digest = hashlib.sha256(previous + one).digest()
        made.append((place, previous, digest, one))
        previous = digest
    return made


LINE = Line("REF-1", WHO, 300, "2026-11-24")
JOURNALS = [
    asked("payments.take", 1, Take(WHO, 100), receipt(1, 100)),
    asked("payments.take", 2, Take(WHO, 200), receipt(2, 200)),
    asked("payments.take", 2, Take(WHO, 200), receipt(2, 200)),
    asked(
        "banking.post",
        3,
        Post("S", 1, 1, 300, [LINE]),
        Posted("S", 1, 1, 300, 0, 0, [LineOutcome("REF-1", "MATCHED", "C001/2026-27/3")]),
    ),
    asked(
        "payments.cancel", 4, Cancel("C001/2026-27/1", "mistake"), Cancelled("C001/2026-27/1", 100)
    ),
]
BOOKS = Books(
    requests=[kept(1, 100), kept(2, 200), kept(3, 300, "banking.post")],
    references={("SBI", "REF-1"): ("C001/2026-27/3", 300)},
    cancelled=["C001/2026-27/1"],
    entries=[
        (SERIES | 1, RECEIVED, CONSUMER, 100),
        (SERIES | 2, RECEIVED, CONSUMER, 200),
        (SERIES | 3, RECEIVED, CONSUMER, 300),
        (9, CONSUMER, RECEIVED, 100),
    ],
    balances={RECEIVED: 500, CONSUMER: -500},
    links=links(b"one", b"two"),
    own_checks=[],
)
ALONE = [one for one in JOURNALS if one.operation != "payments.cancel"]
OTHER = receipt(9, 200)

SPOILT: list[tuple[str, list[Asked], dict[str, Any]]] = [
    ("lost", JOURNALS, {"requests": BOOKS.requests[::2]}),
    ("lost", JOURNALS, {"requests": [kept(1, 101), *BOOKS.requests[1:]]}),
    ("lost", JOURNALS, {"references": {}}),
    ("lost", JOURNALS, {"references": {("SBI", "REF-1"): ("C001/2026-27/3", 299)}}),
    ("lost", JOURNALS, {"cancelled": []}),
    ("doubled", JOURNALS[1:], {}),
    ("doubled", JOURNALS, {"requests": [*BOOKS.requests, kept(2, 200)]}),
    ("doubled", ALONE, {}),
    ("doubled", JOURNALS, {"cancelled": ["C001/2026-27/1", "C001/2026-27/1"]}),
    ("doubled", [structs.replace(JOURNALS[0], answer=b"", refused=True), *JOURNALS[1:]], {}),
    ("doubled", [one for one in JOURNALS if one.owner != "SBI"], {}),
    ("replies", [*JOURNALS, asked("payments.take", 2, Take(WHO, 200), OTHER)], {}),
    ("replies", [*JOURNALS, structs.replace(JOURNALS[1], answer=b"", refused=True)], {}),
    ("gaps", JOURNALS, {"requests": [*BOOKS.requests, kept(5, 1, "banking.post")]}),
    ("ledger", JOURNALS, {"balances": {RECEIVED: 501, CONSUMER: -500}}),
    ("ledger", JOURNALS, {"entries": [*BOOKS.entries, BOOKS.entries[0]]}),
    ("ledger", JOURNALS, {"entries": BOOKS.entries[1:]}),
    ("audit", JOURNALS, {"links": links(b"one", b"two")[1:]}),
    ("audit", JOURNALS, {"links": [(1, FIRST, SECOND, b"another")]}),
    ("audit", JOURNALS, {"links": [*links(b"one"), (2, FIRST, SECOND, b"one")]}),
    ("own-check", JOURNALS, {"own_checks": ["a series has no gap"]}),
]


def test_books_that_are_right_have_no_flaw() -> None:
    assert judge(JOURNALS, BOOKS) == []


@pytest.mark.parametrize(("kind", "journals", "changes"), SPOILT)
def test_each_spoilt_book_is_seen(
    kind: str, journals: list[Asked], changes: dict[str, Any]
) -> None:
    found = judge(journals, structs.replace(BOOKS, **changes))
    assert kind in {one.kind for one in found}, found


def test_a_standby_that_holds_something_else_is_seen() -> None:
    books = {"requests": (3, "aa"), "entries": (4, "bb")}
    assert list(copies(books, dict(books))) == []
    for other in (
        {**books, "requests": (3, "ab")},
        {**books, "entries": (3, "bb")},
        {"requests": (3, "aa")},
        {**books, "more": (1, "cc")},
    ):
        assert [one.kind for one in copies(books, other)] == ["standby"], other


def test_an_unanswered_payment_may_be_there_or_not() -> None:
    pending = structs.replace(JOURNALS[1], answer=b"", settled_at=0.0)
    journals = [JOURNALS[0], pending, *JOURNALS[3:]]
    assert judge(journals, BOOKS) == []
    without = structs.replace(
        BOOKS,
        requests=[kept(1, 100), structs.replace(kept(3, 300, "banking.post"), receipt=SERIES | 2)],
        entries=[BOOKS.entries[0], (SERIES | 2, RECEIVED, CONSUMER, 300), BOOKS.entries[3]],
        balances={RECEIVED: 300, CONSUMER: -300},
    )
    assert judge(journals, without) == []
