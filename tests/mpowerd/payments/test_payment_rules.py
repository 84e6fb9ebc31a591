"""Allocation, objections, fingerprints and receipt numbers, without a database."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from mpowerd.allocation import allocate
from mpowerd.payments.rules import (
    COUNTER_LIMIT_PAISE,
    fingerprint,
    objection,
    parsed,
)
from protocols.catalogue.payments import Take
from protocols.heads import HEADS, ORDER
from protocols.refusals import Refused
from protocols.values import receipt_number

PAID = Take("0000000001", 100)
dues = st.dictionaries(st.sampled_from(HEADS), st.integers(-(10**12), 10**12))


@given(st.integers(1, 10**13), dues, st.permutations(ORDER))
def test_the_parts_sum_to_the_amount_and_none_exceeds_its_claim(
    amount: int, owed: dict[str, int], order: list[str]
) -> None:
    parts = allocate(amount, owed, [*order, "ADVANCE"])
    assert sum(paise for _, paise in parts) == amount
    assert all(paise > 0 for _, paise in parts)
    assert len({head for head, _ in parts}) == len(parts)
    assert all(paise <= owed.get(head, 0) for head, paise in parts if head != "ADVANCE")


@given(st.integers(1, 10**13), dues)
def test_a_later_head_gets_something_only_when_the_earlier_are_cleared(
    amount: int, owed: dict[str, int]
) -> None:
    parts = dict(allocate(amount, owed))
    last = max((*ORDER, "ADVANCE").index(head) for head in parts)
    for head in ORDER[:last]:
        assert parts.get(head, 0) == max(0, owed.get(head, 0))


def test_another_order_is_a_parameter() -> None:
    owed = {"LPSC": 50, "ARREARS": 80}
    assert allocate(100, owed) == [("LPSC", 50), ("ARREARS", 50)]
    assert allocate(100, owed, ("ARREARS", "LPSC", "ADVANCE")) == [("ARREARS", 80), ("LPSC", 20)]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (PAID, None),
        (replace(PAID, amount_paise=0), "AMOUNT_ZERO"),
        (replace(PAID, amount_paise=-1), "AMOUNT_NEGATIVE"),
        (replace(PAID, amount_paise=COUNTER_LIMIT_PAISE), None),
        (replace(PAID, amount_paise=COUNTER_LIMIT_PAISE + 1), "AMOUNT_HUGE"),
        (replace(PAID, mode="UPI"), "INSTRUMENT_MISSING"),
        (replace(PAID, mode="UPI", instrument="U1"), None),
    ],
)
def test_what_is_wrong_with_a_payment_by_itself(body: Take, code: str | None) -> None:
    found = objection(body)
    assert (found and found.code) == code


def test_any_change_of_what_a_payment_says_changes_its_fingerprint() -> None:
    changed = [
        replace(PAID, consumer="0000000002"),
        replace(PAID, amount_paise=101),
        replace(PAID, mode="UPI"),
        replace(PAID, instrument="1"),
        replace(PAID, purpose="ADVANCE"),
    ]
    assert len({fingerprint(body) for body in [PAID, *changed]}) == 6
    assert fingerprint(replace(PAID)) == fingerprint(PAID)


@given(st.integers(2000, 2255), st.integers(1, 999_999_999))
def test_a_receipt_number_reads_back(year: int, number: int) -> None:
    text = receipt_number("C001", f"{year}-{(year + 1) % 100:02d}", number)
    assert parsed(text) == ("C001", year, number)


@pytest.mark.parametrize("text", ["C001/2026-28/1", "C001/1999-00/1", "C001/2256-57/1"])
def test_a_year_that_cannot_be_is_no_receipt(text: str) -> None:
    with pytest.raises(Refused, match="NO_RECEIPT"):
        parsed(text)
