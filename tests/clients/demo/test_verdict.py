"""The verdict against invented evidence: each loss and doubling is seen, nothing else."""

from __future__ import annotations

from clients.demo.verdict import Asked, Held, in_flight, judge, longest_wait_ms, missing

A = Asked("C001", "aa/1", 500, "C001/2026-27/1", 10.0, 10.2)
B = Asked("C001", "aa/2", 700, "C001/2026-27/2", 11.0, 13.0)
OPEN = Asked("C002", "bb/1", 900, "", 11.5, 0.0)
HELD = [Held("C001", "aa/1", 500, "C001/2026-27/1"), Held("C001", "aa/2", 700, "C001/2026-27/2")]


def test_all_is_well() -> None:
    assert judge([A, B, OPEN], HELD) == judge([A, B], HELD)
    found = judge([A, B, OPEN], HELD)
    assert (found.acknowledged, found.lost, found.doubled) == (2, 0, 0)


def test_an_unanswered_payment_may_be_there_or_not() -> None:
    there = Held("C002", "bb/1", 900, "C002/2026-27/1")
    assert judge([A, B, OPEN], [*HELD, there]).doubled == 0


def test_an_absent_receipt_is_lost() -> None:
    found = judge([A, B], HELD[:1])
    assert (found.lost, found.doubled) == (1, 0)
    assert "C001/2026-27/2" in found.examples[0]


def test_another_amount_or_number_is_lost_too() -> None:
    assert judge([A], [Held("C001", "aa/1", 501, "C001/2026-27/1")]).lost == 1
    assert judge([A], [Held("C001", "aa/1", 500, "C001/2026-27/9")]).lost == 1


def test_a_receipt_nobody_asked_for_is_doubled() -> None:
    found = judge([A, B], [*HELD, Held("C001", "zz/9", 500, "C001/2026-27/3")])
    assert (found.lost, found.doubled) == (0, 1)


def test_two_receipts_of_one_key_and_one_receipt_for_two_keys_are_doubled() -> None:
    assert judge([A, B], [*HELD, Held("C001", "aa/2", 700, "C001/2026-27/3")]).doubled == 1
    twin = Asked("C001", "aa/3", 500, "C001/2026-27/1", 12.0, 12.1)
    found = judge([A, twin], [HELD[0]])
    assert (found.lost, found.doubled) == (1, 1)


def test_in_flight_and_waits() -> None:
    assert in_flight([A, B, OPEN], 12.0) == 2
    assert in_flight([A, B], 10.5) == 0
    assert longest_wait_ms([A, B], 11.5, 12.0) == 2000.0
    assert longest_wait_ms([A, B], 20.0, 21.0) == 0.0


def test_receipts_that_are_missing() -> None:
    told = [(one.receipt, one.amount_paise) for one in HELD]
    assert missing(told, HELD) == []
    other = [("C001/2026-27/2", 701), ("C009/2026-27/1", 5)]
    assert missing([*told, *other], HELD) == ["C001/2026-27/2", "C009/2026-27/1"]


def test_a_number_that_was_given_out_again_is_a_payment_lost() -> None:
    told = [(one.receipt, one.amount_paise) for one in HELD]
    assert missing([*told, told[0]], HELD) == [told[0][0]]
