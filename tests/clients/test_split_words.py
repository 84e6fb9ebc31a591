"""How an officer spreads a receipt over the heads is typed after ``verify ... as``, and reaches the
operation as it was typed.
"""

from __future__ import annotations

import pytest

from clients.counter import typed
from clients.counter.mistyped import Mistyped
from protocols.catalogue.payments import Part, Verify

ONE = "C001/2026-27/42"


def test_a_receipt_is_split_over_the_heads_as_typed() -> None:
    line = f"verify c001 2026-04-01 {ONE} as arrears 1,000 demand-note 240.50"
    parts = [Part(ONE, "ARREARS", 100_000), Part(ONE, "DEMAND_NOTE", 24_050)]
    body = Verify("C001", "2026-04-01", [ONE], parts)
    assert typed.read_line(line) == typed.Operate("verify", "payments.verify", body)


def test_without_a_split_the_board_s_order_stays() -> None:
    body = Verify("C001", "2026-04-01", [ONE])
    found = typed.read_line(f"verify c001 2026-04-01 {ONE}")
    assert found == typed.Operate("verify", "payments.verify", body)


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("as arrears 100", "One receipt is split at a time"),
        (f"{ONE} C001/2026-27/43 as arrears 100", "One receipt is split at a time"),
        (f"{ONE} as", "pairs of head and amount"),
        (f"{ONE} as arrears", "pairs of head and amount"),
        (f"{ONE} as areas 100", "'AREAS' is no head: say LPSC, ARREARS"),
        (f"{ONE} as arrears ten", "'TEN' is not an amount"),
    ],
)
def test_a_split_that_cannot_be_read_says_how_it_is_typed(said: str, why: str) -> None:
    with pytest.raises(Mistyped, match=why) as wrong:
        typed.read_line(f"verify C001 2026-04-01 {said}")
    assert "as HEAD AMOUNT" in str(wrong.value)
