"""Examples of the ledger as it is read: its proof, a statement, the trial balance, one account; and
of a day's verification, which posts to it.
"""

from __future__ import annotations

from msgspec import Struct

from protocols.catalogue import ledger, payments

N = "1000000001"
LINE = ledger.Line(
    day="2026-04-01",
    at="2026-04-01T05:32:00Z",
    voucher=17,
    number="C001/2026-27/42",
    kind="RECEIPT",
    words="received",
    paid="CASH",
    about="",
    by="asha",
    reason="",
    heads=[ledger.HeadMoved("RECEIVED", -124_000)],
    paise=-124_000,
    balance=0,
)
VERIFICATION = payments.Verification(
    verification=9,
    date="2026-04-01",
    counter="",
    by="meera",
    state="DONE",
    why="",
    receipts=10,
    done=10,
    posted=9,
    posted_paise=124_000,
    heads=[payments.HeadPosted("CURRENT", 124_000)],
    left=[payments.Left(3, "C001/2026-27/42", "RECEIPT_SETTLED")],
)
BODIES: dict[str, tuple[Struct, Struct]] = {
    "ledger.check": (
        ledger.Check(0, 4),
        ledger.Checked(0, 4, 12_500, [ledger.Wrong("a balance", "C001/CASH", "100", "99")]),
    ),
    "ledger.statement": (ledger.Ask(N), ledger.Statement(N, 124_000, [LINE], 0, more=False)),
    "ledger.trial_balance": (
        ledger.AskTrial("2026-04-01"),
        ledger.Trial(
            "2026-04-01",
            [ledger.GroupBalance("HEAD", "ARREARS", "arrears", 3, 900, 0)],
            debit=900,
            credit=900,
        ),
    ),
    "ledger.subledger": (
        ledger.AskSubledger("C001/CASH"),
        ledger.Subledger(
            name="C001/CASH",
            words="cash in hand",
            by="DAY",
            accounts=1,
            debit=900,
            credit=0,
            lines=[ledger.SubledgerLine("2026-04-01", 900, 0, 900)],
            more=False,
        ),
    ),
    "payments.verify_day": (payments.VerifyDay("2026-04-01"), VERIFICATION),
    "payments.verification": (payments.WatchVerification(9), VERIFICATION),
}
