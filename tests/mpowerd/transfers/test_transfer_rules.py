"""The legs of a voucher that moves money, without a database."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from mpowerd.allocation import allocate
from mpowerd.transfers.rules import account, between
from protocols.heads import ORDER

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
