"""What may be moved, and the legs of the voucher that moves it, without a database."""

from __future__ import annotations

import datetime as dt
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mpowerd.allocation import allocate
from mpowerd.transfers.rules import (
    Posted,
    Standing,
    account,
    between,
    check_advance,
    check_posted,
)
from protocols.catalogue.transfers import Move
from protocols.heads import ORDER
from protocols.refusals import Refused

A, B = "0000000001", "0000000002"
owed = st.dictionaries(st.sampled_from(ORDER), st.integers(1, 10**9), min_size=1)


@given(owed, owed)
def test_what_leaves_arrives_head_by_head(leaves: dict[str, int], dues: dict[str, int]) -> None:
    total = sum(leaves.values())
    arrives = allocate(total, dues)
    legs = between(A, list(leaves.items()), B, arrives)
    assert all(paise > 0 for _, _, paise in legs)
    out: Counter[int] = Counter()
    into: Counter[int] = Counter()
    for debit, credit, paise in legs:
        out[debit] += paise
        into[credit] += paise
    assert {head: out[account(A, head)] for head in leaves} == leaves
    assert {head: into[account(B, head)] for head, _ in arrives} == dict(arrives)
    held = leaves.get("DUTY", 0) - dict(arrives).get("DUTY", 0)
    assert out[-5] - into[-5] == held
    assert out[-10] - into[-10] == -held


RECEIPT = "C001/2026-27/7"
POSTED = Posted(7, A, 500, dt.date(2026, 4, 1), "DUES", "VERIFIED", False, {"CURRENT": 500})


@pytest.mark.parametrize(
    ("posted", "code"),
    [
        (POSTED._replace(consumer=B), "NO_RECEIPT"),
        (POSTED._replace(state="TAKEN"), "NOT_VERIFIED"),
        (POSTED._replace(state="CANCELLED"), "RECEIPT_CANCELLED"),
        (POSTED._replace(state="DISHONOURED"), "DISHONOURED_ALREADY"),
        (POSTED._replace(state="RE_DEBITED"), "DISHONOURED_ALREADY"),
        (POSTED._replace(moved=True), "RECEIPT_MOVED"),
        (POSTED._replace(amount_paise=501), "MOVE_WHOLE"),
        (POSTED._replace(purpose="COMPOUNDING"), "MOVE_WHOLE"),
    ],
)
def test_a_receipt_that_cannot_be_moved_is_refused_by_name(posted: Posted, code: str) -> None:
    with pytest.raises(Refused) as refused:
        check_posted(posted, Move(A, B, 500, "wrong number", RECEIPT))
    assert refused.value.code == code


@pytest.mark.parametrize("state", ["VERIFIED", "REMITTED", "REALISED"])
def test_a_posted_receipt_is_moved_wherever_its_money_is(state: str) -> None:
    check_posted(POSTED._replace(state=state), Move(A, B, 500, "wrong number", RECEIPT))


@pytest.mark.parametrize(("held", "asked"), [(500, 501), (0, 1), (-5, 1)])
def test_no_more_than_the_advance_goes(held: int, asked: int) -> None:
    stands = Standing("Ram", "HO", held, [], {})
    with pytest.raises(Refused, match="OVER_ADVANCE"):
        check_advance(stands, asked)
    check_advance(stands, held)


@pytest.mark.parametrize("asked", [301, 500])
def test_what_the_bank_has_not_credited_does_not_go_and_it_is_said_how_much_does(
    asked: int,
) -> None:
    stands = Standing("Ram", "HO", 500, [], {}, 200, RECEIPT)
    with pytest.raises(Refused, match="ADVANCE_WAITS") as refused:
        check_advance(stands, asked)
    assert "only Rs 3.00 can go now" in refused.value.sentence
    assert f"Rs 2.00 came on paper ({RECEIPT})" in refused.value.sentence
    check_advance(stands, 300)
