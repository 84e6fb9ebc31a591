"""The chart of accounts: every group of accounts with its code and its words.

An account is a number (see mpowerd/schema/0003_money.sql): a consumer's head, what a counter or a
bank holds, or one of the board's own. Invariant: a code names one group. This file must not know
balances, nor who posts.
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct


class Group(Struct, frozen=True):
    """One group: whose accounts (CONSUMER, COUNTER or BOARD), at which place of the account number,
    its code, its words.
    """

    kind: str
    slot: int
    code: str
    words: str


CHART: Final = (
    Group("CONSUMER", 0, "RECEIVED", "Received, awaiting verification"),
    Group("CONSUMER", 1, "LPSC", "Late payment surcharge"),
    Group("CONSUMER", 2, "ARREARS", "Arrears"),
    Group("CONSUMER", 3, "CURRENT", "Current energy charges"),
    Group("CONSUMER", 4, "FIXED", "Fixed charges"),
    Group("CONSUMER", 5, "DUTY", "Electricity duty"),
    Group("CONSUMER", 6, "ADVANCE", "Advances of consumers"),
    Group("CONSUMER", 7, "INSTALMENT", "Instalments of arrears"),
    Group("CONSUMER", 8, "DEMAND_NOTE", "Demand notes, not for energy"),
    Group("CONSUMER", 9, "SUNDRY", "Sundry charges"),
    Group("CONSUMER", 10, "THEFT", "Theft assessments"),
    Group("CONSUMER", 11, "COMPOUNDING", "Compounding fees, the State's"),
    Group("CONSUMER", 12, "CHEQUE_CHARGE", "Charges for dishonoured cheques"),
    Group("COUNTER", 1, "CASH", "Cash in hand"),
    Group("COUNTER", 2, "CHEQUE", "Cheques in hand"),
    Group("COUNTER", 3, "DD", "Demand drafts in hand"),
    Group("COUNTER", 4, "CARD", "Card payments to come in"),
    Group("COUNTER", 5, "UPI", "UPI payments to come in"),
    Group("COUNTER", 6, "TRANSFER", "Bank transfers to come in"),
    Group("COUNTER", 7, "POSTAL_ORDER", "Postal orders in hand"),
    Group("COUNTER", 8, "IN_TRANSIT", "Remitted, not yet credited"),
    Group("COUNTER", 9, "STRONG_ROOM", "Cash in the strong room"),
    Group("COUNTER", 10, "FLOAT", "Floats that are out"),
    Group("COUNTER", 15, "SUSPENSE", "Suspense, no consumer found"),
    Group("BOARD", 1, "OPENING", "Opening balances brought in"),
    Group("BOARD", 2, "BANK", "The board's bank account"),
    Group("BOARD", 3, "BETWEEN_OFFICES", "Funds between offices"),
    Group("BOARD", 4, "DIFFERENCES", "Cash short or in excess"),
    Group("BOARD", 5, "DUTY_HELD", "Duty held for the State"),
    Group("BOARD", 6, "COMPOUNDING_HELD", "Compounding held for the State"),
    Group("BOARD", 7, "EARNED", "Charges and surcharge earned"),
    Group("BOARD", 8, "REFUNDS", "Refunds payable"),
    Group("BOARD", 9, "GENERAL_SUSPENSE", "General suspense"),
    Group("BOARD", 10, "STATE_DUES", "For the State, to be collected"),
)
"""In the order in which a trial balance shows them; a board account's slot is its number without
the sign.
"""
CODES: Final = {one.code: one for one in CHART}
PLACES: Final[dict[tuple[str, int], Group]] = {(one.kind, one.slot): one for one in CHART}


def group_of(kind: str, slot: int) -> Group:
    """Give the group at that place; one that the chart does not know says so itself."""
    known = PLACES.get((kind, slot))
    return known or Group(kind, slot, f"{kind}-{slot}", "Not in the chart of accounts")


VOUCHERS: Final = {
    "OPENING": "Dues brought in",
    "RECEIPT": "Receipt",
    "CANCEL": "Receipt cancelled",
    "VERIFY": "Verified and posted",
    "FLOAT": "Float of a shift",
    "PICK_UP": "Cash picked up",
    "CLOSING": "Shift counted and closed",
    "REMIT": "Sent to the bank",
    "REALISE": "Credited by the bank",
    "CHARGE": "Charged",
    "DISHONOUR": "Cheque returned",
    "RE_DEBIT": "Charge and surcharge of a returned cheque",
    "MOVE": "Moved between consumers",
    "SENT_UP": "Sent up to head office",
    "MATCH": "Found out of suspense",
    "REFUND": "Refund",
    "WITHDRAWAL": "Charge withdrawn",
    "PAID_OUT": "Refund paid out",
}
"""What a kind of voucher is called in a statement."""
