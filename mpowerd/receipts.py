"""What may still be done with a receipt, by what became of it: pure, and one for all rooms.

Cancelling, dishonour and transfer each end a receipt's life as posted money, so what one of them
has done the others must know by the same name. This file must not know why somebody asks.
"""

from __future__ import annotations

from protocols.refusals import Refused


def must_stand(receipt: str, state: str) -> None:
    """Refuse a receipt whose money does not stand, verified, under somebody's heads."""
    if state == "TAKEN":
        raise Refused("NOT_VERIFIED", receipt=receipt)
    if state == "CANCELLED":
        raise Refused("RECEIPT_CANCELLED", receipt=receipt)
    if state in {"DISHONOURED", "RE_DEBITED"}:
        raise Refused("DISHONOURED_ALREADY", receipt=receipt)
