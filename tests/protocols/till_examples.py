"""Examples of what a counter's day is made of: shifts, their cash, and the slips it goes on."""

from __future__ import annotations

import msgspec
from msgspec import Struct

from protocols.catalogue import days, receipt_books, remittance, shifts

AT = "2026-04-01T05:32:00Z"
CASH = shifts.Cash([shifts.Pile(500, 2), shifts.Pile(100, 5)], 4_550, 154_550)
PICKED = shifts.PickUp(3, 100_000, shifts.Cash([shifts.Pile(500, 2)], 0, 100_000), "meera", AT)
CHEQUES = shifts.ModeCount("CHEQUE", 1, 80_000)
SHEET = shifts.Sheet(
    shift=7,
    counter="C001",
    office="SD-101",
    clerk="asha",
    business_date="2026-04-01",
    state="CLOSED",
    opened_at="2026-04-01T04:00:00Z",
    float_cash=shifts.Cash([shifts.Pile(100, 5)], 0, 50_000),
    carried_paise=0,
    taken_paise=204_600,
    picked_paise=100_000,
    expected_paise=154_600,
    limit_paise=-1,
    first_receipt="C001/2026-27/42",
    last_receipt="C001/2026-27/51",
    receipts=10,
    cancelled=1,
    modes=[shifts.ModeCount("CASH", 8, 204_600), CHEQUES],
    instruments=[shifts.Instrument("C001/2026-27/45", "CHEQUE", "204411", 80_000)],
    pick_ups=[PICKED],
    closed_at="2026-04-01T11:30:00Z",
    closed_by="asha",
    counted=CASH,
    difference_paise=-50,
    handed_paise=104_550,
    reason="a coin short",
)

SLIP = remittance.Slip(
    *("SD-101/2026-27/42", "SD-101", "CHEQUE", "PNB", "LOCAL", "2026-04-02", AT, "meera"),
    *(shifts.Cash(), 80_000, 0, 80_000),
    [remittance.Part("C001", 80_000)],
    [remittance.SlipLine("C001/2026-27/45", "204411", 80_000, "REMITTED")],
)

BOOK = receipt_books.Book("B0017", "C001", 501, 600, 503, 1, 1, 0, 50_000, "OPEN")
BODIES: dict[str, tuple[Struct, Struct]] = {
    "shifts.open": (shifts.OpenShift(shifts.Cash([shifts.Pile(100, 5)], 0, 50_000)), SHEET),
    "shifts.show": (shifts.ShowShift("C001"), SHEET),
    "shifts.pick_up": (shifts.PickUpCash(PICKED.cash), msgspec.structs.replace(PICKED, witness="")),
    "shifts.witness": (shifts.Witness(3, 100_000), PICKED),
    "shifts.hand_over": (
        shifts.HandOver("bina", CASH, [CHEQUES], [], "a coin short"),
        shifts.Offered("C001", 7, "bina", 154_550, -50),
    ),
    "shifts.take_over": (shifts.TakeOver(CASH), SHEET),
    "days.close": (
        days.CloseDay("2026-04-01"),
        days.Closed("2026-04-01", "2026-27", "CLOSED", [days.Waiting("C001", 1, 80_000)]),
    ),
    "days.cash_book": (
        days.AskBook("2026-04-01", "SD-101"),
        days.CashBook(
            *("2026-04-01", "CLOSED", "SD-101", ""),
            [days.BookLine("CASH", 0, 8, 204_600, 0, 0, -50, 0, 0, 204_550)],
            [days.BookHead("CURRENT", 204_600, 80_000)],
            [days.BookLine("C001", 0, 8, 204_600, 0, 0, -50, 0, 0, 204_550)],
            [days.BookShift("C001", 7, "asha", "CLOSED", 50_000, 100_000, -50, 104_550)],
            [days.Waiting("C001", 1, 80_000)],
        ),
    ),
    "receipt_books.register": (receipt_books.Register("B0017", "C001", 501, 600), BOOK),
    "receipt_books.enter": (
        receipt_books.Enter(
            "B0017",
            [receipt_books.Leaf(501, "2026-03-30", "1234567890", 50_000)],
            [receipt_books.Spoilt(502, "torn")],
        ),
        receipt_books.Entered(
            "B0017",
            [
                receipt_books.LeafOutcome(501, "ENTERED", "B0017/2026-27/1"),
                receipt_books.LeafOutcome(502, "SPOILT", ""),
            ],
            503,
        ),
    ),
    "receipt_books.show": (receipt_books.AskBook("B0017"), BOOK),
    "receipt_books.close": (
        receipt_books.CloseBook("B0017", 503, "the line is up again"),
        msgspec.structs.replace(BOOK, state="CLOSED"),
    ),
    "remittance.sort": (
        remittance.Sort([remittance.Cheque("C001/2026-27/45", "PNB", "Patna")]),
        remittance.Sorted(1),
    ),
    "remittance.pending": (
        remittance.AskPending("SD-101"),
        remittance.Pending("SD-101", [remittance.Group("CHEQUE", "PNB", "LOCAL", 1, 80_000, 0)]),
    ),
    "remittance.make": (
        remittance.MakeSlip("SD-101", "CHEQUE", "PNB", "LOCAL", total_paise=80_000),
        SLIP,
    ),
    "remittance.again": (remittance.AskSlip("SD-101/2026-27/42"), SLIP),
    "remittance.slips": (
        remittance.AskSlips("SD-101", waiting=True),
        remittance.Slips(
            [
                remittance.SlipRow(
                    *("SD-101/2026-27/42", "CHEQUE", "PNB", "LOCAL", "2026-04-02"),
                    *(80_000, 0, 80_000),
                )
            ]
        ),
    ),
    "remittance.realise": (
        remittance.Realise("SD-101/2026-27/42", "2026-04-04", "CR-1", 80_000),
        msgspec.structs.replace(SLIP, realised_paise=80_000, open_paise=0),
    ),
    "shifts.close": (shifts.CloseShift(CASH, [CHEQUES], [], "a coin short"), SHEET),
}
