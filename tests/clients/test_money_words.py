"""What an officer types about money, and what is shown."""

from __future__ import annotations

from typing import Any

import pytest

from clients.counter import money_paper, typed
from clients.counter.mistyped import Mistyped
from protocols.catalogue import charges, instruments, transfers
from tests.protocols.money_examples import BODIES

N, M, R = "1234567890", "1234567891", "C001/2026-27/42"


@pytest.mark.parametrize(
    ("line", "operation", "body"),
    [
        (
            f"returned {R} 2026-04-11 funds insufficient",
            "instruments.dishonour",
            instruments.Dishonour(R, "2026-04-11", "funds insufficient"),
        ),
        (f"history {N}", "instruments.returned", instruments.Returned(N)),
        (
            f"withdraw {N} demand-note DN/7 another consumer's",
            "charges.withdraw",
            charges.Withdraw(N, "DEMAND_NOTE", "DN/7", "another consumer's"),
        ),
        (
            f"charge {N} demand-note 1,240.50 DN/7 a new service",
            "charges.raise",
            charges.Raise(N, "DEMAND_NOTE", 124_050, "DN/7", "a new service"),
        ),
        (f"refund {N} 70 moved away", "transfers.refund", transfers.Refund(N, 7_000, "moved away")),
        (
            f"payout {N} v-92 70 cheque 000117 moved away",
            "transfers.pay_out",
            transfers.PayOut(N, 92, 7_000, "CHEQUE", "000117", "moved away"),
        ),
        ("refunds sd-101", "transfers.refunds", transfers.AskRefunds("SD-101")),
        ("paidout sd-101", "transfers.refunds", transfers.AskRefunds("SD-101", paid=True)),
        (
            f"move {N} {M} 70 {R.lower()} wrong number",
            "transfers.move",
            transfers.Move(N, M, 7_000, "wrong number", R),
        ),
        (
            f"move {N} {M} 70 wrong number",
            "transfers.move",
            transfers.Move(N, M, 7_000, "wrong number"),
        ),
        (
            "sendup sbi transfer 90 HO-1 weekly",
            "transfers.send_up",
            transfers.SendUp("SBI", "TRANSFER", 9_000, "HO-1", "weekly"),
        ),
        ("suspense sbi", "transfers.suspense", transfers.AskSuspense("SBI")),
        (f"match {R} {N} his number", "transfers.match", transfers.Match(R, N, "his number")),
    ],
)
def test_what_is_typed_is_the_operation(line: str, operation: str, body: Any) -> None:
    read = typed.read_line(f"money {line}")
    assert isinstance(read, typed.Operate)
    assert (read.word, read.operation, read.body) == ("money", operation, body)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("money burn it", "say returned, history"),
        (f"money refund {N}", "Say it as: 'money refund NUMBER AMOUNT WHY'"),
        (f"money charge {N} lpsc 10 X why", "is no head to charge: say DEMAND_NOTE"),
        ("money sendup c001 cash 10 X why", "say CARD, UPI or TRANSFER"),
        (f"money returned {R} 2026-02-30 why", "There is no day 2026-02-30"),
    ],
)
def test_what_is_mistyped_is_taught(line: str, said: str) -> None:
    with pytest.raises(Mistyped, match=said):
        typed.read_line(line)


@pytest.mark.parametrize("operation", sorted(BODIES))
def test_every_answer_has_its_words(operation: str) -> None:
    _, reply = BODIES[operation]
    assert money_paper.text_of(reply)
