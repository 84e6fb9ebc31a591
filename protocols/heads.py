"""The heads a consumer's account is kept under, and what may be paid under which purpose.

A head's slot in the account number is its place here, from 1; slot 0 is RECEIVED, money that awaits
verification. Invariant: a purpose with a head of its own pays that head and no other; DUES, PARTIAL
and ADVANCE are spread over the energy heads in the board's order. This file must not know amounts.
"""

from __future__ import annotations

from typing import Final, Literal, get_args

Head = Literal[
    "LPSC",
    "ARREARS",
    "CURRENT",
    "FIXED",
    "DUTY",
    "ADVANCE",
    "INSTALMENT",
    "DEMAND_NOTE",
    "SUNDRY",
    "THEFT",
    "COMPOUNDING",
    "CHEQUE_CHARGE",
]
"""ADVANCE is what the board owes; COMPOUNDING and DUTY are the State's money."""
Purpose = Literal[
    "DUES",
    "ADVANCE",
    "PARTIAL",
    "INSTALMENT",
    "NON_ENERGY",
    "SUNDRY",
    "THEFT",
    "COMPOUNDING",
]
"""What a payment is for. ADVANCE takes any amount; every other refuses more than is owed for it."""
HEADS: Final[tuple[Head, ...]] = get_args(Head)
HEAD_SLOTS: Final[dict[str, int]] = {head: slot for slot, head in enumerate(HEADS, 1)}
OWN_HEAD: Final[dict[str, Head]] = {
    "INSTALMENT": "INSTALMENT",
    "NON_ENERGY": "DEMAND_NOTE",
    "SUNDRY": "SUNDRY",
    "THEFT": "THEFT",
    "COMPOUNDING": "COMPOUNDING",
}
"""Purpose → the one head that it pays."""
ORDER: Final[tuple[Head, ...]] = (
    "LPSC",
    "CHEQUE_CHARGE",
    "ARREARS",
    "CURRENT",
    "FIXED",
    "DUTY",
)
"""The default order in which dues are paid; what is left is an ADVANCE."""
