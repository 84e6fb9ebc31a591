"""What the counter shows and prints: plain text, 80 columns, made for a dot-matrix printer and for
any screen.

A receipt's text is a pure function of the receipt and the zone; the word DUPLICATE is the only
thing a later print adds. Amounts are written from paise, never through floats. This file must not
know who prints.
"""

from __future__ import annotations

import datetime as dt
from typing import Final

from clients.counter.fitting import fit, width
from protocols.catalogue.consumers import DuesAnswer, Found
from protocols.catalogue.payments import Receipt, Receipts, Verified
from protocols.heads import OWN_HEAD
from protocols.values import rupees

COLUMNS: Final = 80
LEFT: Final = 42
"""What the left half of a receipt's line has room for."""
UNREALISED: Final = ("CHEQUE", "DD", "POSTAL_ORDER")
"""Modes of which the bank may still say no."""
PURPOSE_OF: Final[dict[str, str]] = {head: purpose for purpose, head in OWN_HEAD.items()}
NOTES: Final = (500, 200, 100, 50, 20, 10, 5, 2, 1)
"""Notes and coins a counter gives change in, rupees."""


def local_time(taken_at: str, zone: dt.tzinfo | None = None) -> str:
    """Say a moment (ISO) as the clock on the wall does, with its zone; the machine's if None."""
    return f"{dt.datetime.fromisoformat(taken_at).astimezone(zone):%d %b %H:%M:%S %Z}"


def receipt_text(receipt: Receipt, *, duplicate: bool, zone: dt.tzinfo | None = None) -> str:
    """Write a receipt, 80 columns."""
    title = "MONEY RECEIPT" + ("   *** DUPLICATE ***" if duplicate else "")
    rows = [
        ("Receipt", receipt.number, "Date", receipt.business_date),
        ("Consumer", receipt.consumer, "Time", local_time(receipt.taken_at, zone)),
        ("Name", receipt.name, "Clerk", receipt.clerk),
        ("Mode", f"{receipt.mode} {receipt.instrument}".strip(), "For", receipt.purpose),
    ]
    body = [line for row in rows for line in _row(*row)]
    amount = f"Amount received: {rupees(receipt.amount_paise)}"
    foot = "Received, awaiting verification. Keep this receipt."
    if receipt.mode in UNREALISED:
        foot = f"Subject to realisation. {foot}"
    if receipt.state == "CANCELLED":
        foot = "*** CANCELLED ***"
    rule = "-" * COLUMNS
    return "\n".join([rule, title.center(COLUMNS).rstrip(), rule, *body, "", amount, foot, rule])


def _row(what: str, text: str, second: str, other: str) -> list[str]:
    """Two things side by side; below each other where the first needs the whole line."""
    if width(text) < LEFT:
        return [f"{what + ':':<10}{fit(text, LEFT)}{second + ':':<7}{fit(other, 21)}".rstrip()]
    first = f"{what + ':':<10}{fit(text, COLUMNS - 10)}".rstrip()
    return [first, f"{second + ':':<10}{other}"]


def change_text(change_paise: int) -> str:
    """Say the change due, with the fewest notes and coins."""
    left, parts = change_paise // 100, []
    for note in NOTES:
        count, left = divmod(left, note)
        if count:
            parts.append(f"{count} x {note}")
    paise = f" and {change_paise % 100} paise" if change_paise % 100 else ""
    notes = f"   ({', '.join(parts)}{paise})" if parts else ""
    return f"CHANGE DUE: {rupees(change_paise)}{notes}"


def found_text(found: Found) -> str:
    """Write the consumers found, one a line."""
    if not found.consumers:
        return "Nobody found. Try fewer letters, the meter number or the mobile number."
    lines = [f"{'NUMBER':<11}{'NAME':<26}{'ADDRESS':<20}{'DUE':>23}"]
    lines += [
        f"{one.number:<11}{fit(one.name, 25)} {fit(one.address, 19)} {rupees(one.due_paise):>23}"
        for one in found.consumers
    ]
    if found.more:
        lines.append("There are more; type more of the name.")
    return "\n".join(lines)


def dues_text(dues: DuesAnswer, zone: dt.tzinfo | None = None) -> str:
    """Write what a consumer owes, by head."""
    lines = [f"{dues.number}  {dues.name}"]
    lines += [
        f"  {one.head:<20}{rupees(one.due_paise):>20}" + _own_text(one.head, one.payable_paise)
        for one in dues.heads
    ]
    lines.append(f"  {'Total':<20}{rupees(dues.total_paise):>20}")
    if dues.unverified_paise:
        lines.append(f"  {'Paid, not verified':<20}{rupees(-dues.unverified_paise):>20}")
    lines.append(f"  {'PAYABLE':<20}{rupees(dues.payable_paise):>20}")
    if dues.last_receipt:
        lines.append(f"  {paid_text(dues, zone)}")
    if dues.no_cheque_until:
        lines.append(f"  No cheque is taken until {dues.no_cheque_until}: one came back.")
    return "\n".join(lines)


def _own_text(head: str, payable_paise: int) -> str:
    """Say how a head is paid that is not paid with the dues; '' for the others."""
    purpose = PURPOSE_OF.get(head)
    return f"   payable {rupees(payable_paise)} for {purpose}" if purpose else ""


def paid_text(dues: DuesAnswer, zone: dt.tzinfo | None = None) -> str:
    """Say the last payment, so that nobody takes it twice."""
    at = local_time(dues.last_at, zone)
    return f"Last paid {rupees(dues.last_paise)} on {at}, receipt {dues.last_receipt}."


def nothing_payable(dues: DuesAnswer, purpose: str) -> str:
    """Say that there is nothing to take 'all' of, and what can be taken."""
    ahead = ""
    if purpose not in OWN_HEAD and dues.payable_paise < 0:
        ahead = f" and has paid {rupees(-dues.payable_paise)} ahead"
    return (
        f"{dues.number} {dues.name} owes nothing for {purpose}{ahead}; nothing was taken."
        f" What they pay all the same is an advance: 'take {dues.number} AMOUNT for advance'."
    )


def mine_text(mine: Receipts) -> str:
    """Write my receipts of the day, and their total."""
    lines = [
        f"{one.number:<22}{one.consumer:<12}{one.mode:<13}"
        f"{rupees(one.amount_paise):>18} {one.state}"
        for one in mine.receipts
    ]
    if len(mine.receipts) < mine.count:
        lines.append(f"the newest {len(mine.receipts)} of {mine.count} are listed")
    lines.append(f"{mine.count} receipts, {rupees(mine.total_paise)}")
    return "\n".join(lines)


def verified_text(done: Verified) -> str:
    """Say what was verified and posted to which head, or that it is done in steps."""
    if done.verification:
        return (
            f"More receipts than one step holds: the servers verify them as verification"
            f" {done.verification}. 'mpower receipts verify --number {done.verification}' shows"
            " how far it is."
        )
    heads = ", ".join(f"{one.head} {rupees(one.amount_paise)}" for one in done.heads)
    return f"{done.count} receipts verified and posted, {rupees(done.total_paise)}: {heads}"
