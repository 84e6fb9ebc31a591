"""Examples of what becomes of money after it was taken: returned cheques, charges, transfers."""

from __future__ import annotations

from msgspec import Struct

from protocols.catalogue import charges, instruments, payments, transfers
from protocols.catalogue.approvals import Pending

N, M, R = "1234567890", "1234567891", "C001/2026-27/42"
AT = "2026-04-11T05:32:00Z"
DUE = "2026-04-08T05:32:00Z"
CHARGED = Pending(18, 1, bytes(range(32)), "CHARGE", "SD-101", DUE)
MOVED = Pending(19, 1, bytes(range(32)), "TRANSFER", "SD-101", DUE)
REFUNDED = Pending(20, 1, bytes(range(32)), "REFUND", "SD-101", DUE)
WHY = "Funds insufficient"
NOTICE = ["To R K SHARMA, 4 Mall Road. Consumer 1234567890.", "Your CHEQUE was returned unpaid."]
CAME_BACK = instruments.ReturnedOne(
    *(R, "CHEQUE", "204411 2026-04-01 SBI MALL-ROAD", 124_000, "2026-04-11", WHY),
    *(30_000, 620, "2027-04-11", NOTICE, "omar", AT),
)
LINE = transfers.SuspenseLine(
    *(824633720835, "SBI/2026-27/3", "2026-04-01", "HDFC0001235"),
    *("OLD-12", "2026-04-01", 70_000),
)
OWED = transfers.RefundLine(92, "2026-04-11", N, "R K SHARMA", 7_000, 0, "", "")

BODIES: dict[str, tuple[Struct, Struct]] = {
    "instruments.dishonour": (
        instruments.Dishonour(R, "2026-04-11", WHY),
        instruments.Dishonoured(
            *(R, N, "R K SHARMA", 124_000, 30_000, 620, "2027-04-11", NOTICE, 77)
        ),
    ),
    "instruments.returned": (instruments.Returned(N), instruments.ReturnedAll([CAME_BACK])),
    "charges.raise": (
        charges.Raise(N, "THEFT", 450_000, "RAID/7", "assessed after the raid"),
        CHARGED,
    ),
    "charges.withdraw": (
        charges.Withdraw(N, "THEFT", "RAID/7", "another consumer's raid"),
        CHARGED,
    ),
    "transfers.move": (transfers.Move(N, M, 124_000, "paid for the neighbour", R), MOVED),
    "transfers.send_up": (
        transfers.SendUp("SBI", "TRANSFER", 900_000, "HO-77", "the week's collection"),
        MOVED,
    ),
    "transfers.refund": (transfers.Refund(N, 7_000, "moved away"), REFUNDED),
    "transfers.pay_out": (
        transfers.PayOut(N, 92, 7_000, "CHEQUE", "000117", "moved away"),
        REFUNDED,
    ),
    "transfers.refunds": (transfers.AskRefunds("SD-101"), transfers.Refunds([OWED], more=False)),
    "transfers.suspense": (
        transfers.AskSuspense("SBI"),
        transfers.Suspense([LINE], more=False),
    ),
    "transfers.match": (
        transfers.Match("SBI/2026-27/3", N, "the old number of R K SHARMA"),
        transfers.Matched(93, "SBI/2026-27/3", N, [payments.HeadPosted("ARREARS", 70_000)]),
    ),
}
